"""How the values of a profile are written: as Spark casts them to texts."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import numpy as np

# `null`: the column is given as whether it is null, because its values cannot be compared.
Kind = Literal["whole", "decimal", "float", "double", "date", "timestamp", "text", "boolean", "null"]
# Characters of a text that are told.
LONGEST = 256
# From here on Java writes numbers with an exponent, and below here.
_GREAT, _SMALL = 1e7, 1e-3


def text_of(value: Any, kind: Kind) -> str:
    """Return a value as Spark writes it.

    Args:
        value: As summaries keep it: dates as days and timestamps as microseconds since 1970, decimals as texts.
        kind: Of its column.
    """
    match kind:
        case "float" | "double":
            return _number(np.float32(value) if kind == "float" else np.float64(value))
        case "decimal":
            return f"{Decimal(value):f}"
        case "boolean":
            return "true" if value else "false"
        case "date" | "timestamp":
            try:
                return _day(value) if kind == "date" else _time(value)
            except OverflowError:
                return str(value)  # Python's calendar ends in the year 9999
        case _:
            return str(value)


def key_of(text: str) -> str:
    """Return what a text is counted by: itself, or its beginning and a digest of the whole, so that both fit a state.

    No two texts share a key; `told` makes of it what is shown.
    """
    if len(text) <= LONGEST:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    return text[:LONGEST] + digest.hexdigest()


def told(key: str) -> str:
    """Return the text of a key, to its first 256 characters."""
    return key[:LONGEST]


def _number(value: np.floating[Any]) -> str:
    """Return the shortest text that is read as the same number, in Java's form."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _SMALL <= abs(value) < _GREAT:
        return np.format_float_positional(value, trim="0")
    return np.format_float_scientific(value, trim="0", exp_digits=1).replace("e+", "E").replace("e", "E")


def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def _time(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    whole, _, fraction = str(moment).removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction.rstrip('0')}" if fraction else whole
