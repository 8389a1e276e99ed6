"""Names of Spark SQL types, as manifests write them (`long`, `decimal(10,2)`, `array<struct<a:int>>`)."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Spelling to the one that both engines know (Spark SQL reference, Data Types).
_ATOMIC = {
    "boolean": "boolean",
    "bool": "boolean",
    "byte": "tinyint",
    "tinyint": "tinyint",
    "short": "smallint",
    "smallint": "smallint",
    "int": "int",
    "integer": "int",
    "long": "bigint",
    "bigint": "bigint",
    "float": "float",
    "real": "float",
    "double": "double",
    "decimal": "decimal(10,0)",
    "dec": "decimal(10,0)",
    "numeric": "decimal(10,0)",
    "string": "string",
    "binary": "binary",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ltz": "timestamp",
    "timestamp_ntz": "timestamp_ntz",
}
_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_SIZED_TEXT = re.compile(r"(?:char|varchar)\(\s*\d+\s*\)")
_FIELD = re.compile(r"\s*(`[^`]+`|\w+)\s*[:\s]\s*(.+)", re.DOTALL)
_MAX_PRECISION = 38


def check_type(text: str) -> str:
    """Return a type's name in the spelling that every engine knows.

    Raises:
        ValueError: It is no type; the message says which may have been meant, or which there are, behind a semicolon.
    """
    return _type(text.strip())


def _type(text: str) -> str:
    lowered = text.strip().lower()
    if lowered in _ATOMIC:
        return _ATOMIC[lowered]
    decimal = _DECIMAL.fullmatch(lowered)
    if decimal:
        return _decimal(text, int(decimal[1]), int(decimal[2] or 0))
    if _SIZED_TEXT.fullmatch(lowered):
        return lowered.replace(" ", "")
    for prefix, read in _NESTED.items():
        if lowered.startswith(f"{prefix}<") and lowered.endswith(">"):
            return read(text.strip()[len(prefix) + 1 : -1])
    close = difflib.get_close_matches(lowered, _ATOMIC, n=1, cutoff=0.7)
    types = f"types: {', '.join(dict.fromkeys(_ATOMIC))}, decimal(p,s), array<…>, map<…,…>, struct<name:type,…>"
    raise ValueError(f"{text.strip()!r} is no type; {f'did you mean {close[0]!r}?' if close else types}")


def _decimal(text: str, precision: int, scale: int) -> str:
    if not 1 <= precision <= _MAX_PRECISION or scale > precision:
        raise ValueError(f"{text.strip()!r}: precision is 1 to {_MAX_PRECISION}, scale is at most the precision")
    return f"decimal({precision},{scale})"


def _array(inner: str) -> str:
    return f"array<{_type(inner)}>"


def _map(inner: str) -> str:
    parts = _split(inner)
    if len(parts) != 2:  # noqa: PLR2004 - a map has a key and a value
        raise ValueError(f"map<{inner}> needs the type of its keys and the type of its values")
    return f"map<{_type(parts[0])},{_type(parts[1])}>"


def _struct(inner: str) -> str:
    fields = []
    for part in _split(inner):
        field = _FIELD.fullmatch(part)
        if field is None:
            raise ValueError(f"{part.strip()!r} is no field; write name:type")
        fields.append(f"{field[1]}:{_type(field[2])}")
    return f"struct<{','.join(fields)}>"


_NESTED: dict[str, Callable[[str], str]] = {"array": _array, "map": _map, "struct": _struct}


def _split(text: str) -> list[str]:
    """Return the parts between commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "<(":
            depth += 1
        elif character in ">)":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def fits_type(text: str, type_name: str) -> bool:
    """Return whether a text is a value of a type in the spelling of `check_type`; lists and structs have none."""
    if type_name.startswith("decimal("):
        return _DECIMAL_NUMBER.fullmatch(text.strip()) is not None
    fits = _VALUES.get(type_name)
    return fits is not None and fits(text.strip())


_DECIMAL_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def _whole_number(bits: int) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        if not re.fullmatch(r"[+-]?\d{1,20}", text, re.ASCII):
            return False
        return -(1 << bits - 1) <= int(text) < 1 << bits - 1

    return fits


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


_VALUES: dict[str, Callable[[str], bool]] = {
    "string": lambda _: True,
    "boolean": lambda text: text.lower() in {"true", "false"},
    "tinyint": _whole_number(8),
    "smallint": _whole_number(16),
    "int": _whole_number(32),
    "bigint": _whole_number(64),
    "float": _parses(float),
    "double": _parses(float),
    "date": _parses(dt.date.fromisoformat),
    "timestamp": _parses(dt.datetime.fromisoformat),
}
