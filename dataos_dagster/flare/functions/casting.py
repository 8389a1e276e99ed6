r"""Casts that give on Sail what Spark gives with ANSI mode off.

Spark turns what does not fit into null, and lets integers wrap and doubles saturate; Sail 0.7 fails the whole query at
most of these (`CAST('x' AS bigint)`, `CAST(300 AS tinyint)`). Each expression here was compared with Spark 4.1 over
strings, numbers, dates and their edges; a pair of types that is not here is not known to be equal, and is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGERS = {"tinyint": 1 << 7, "smallint": 1 << 15, "int": 1 << 31, "bigint": 1 << 63}
_FLOATS = frozenset({"float", "double"})
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
# Spark's own integer parser cuts off the fraction and takes blanks around, and no exponent.
_WHOLE = r"'^\\s*([+-]?[0-9]+)([.][0-9]*)?\\s*$'"
_FRACTION_ONLY = r"'^\\s*[+-]?[.][0-9]*\\s*$'"
# Java's parser of doubles takes a suffix.
_SUFFIXED = r"'^\\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?[dDfF]\\s*$'"
_EXPONENT = r"'^\\s*[+-]?[0-9.]+[eE][+-]?[0-9]+\\s*$'"
# Digits that always fit: a decimal of more may wrap, which engines do differently.
_INT_DIGITS, _BIGINT_DIGITS = 9, 18
_DOUBLE_DIGITS = 15


def sail_cast(column: str, source: str, target: str) -> str | None:
    """Return the expression that casts a column on Sail as Spark would, or None when none is known.

    Args:
        column: The column, quoted.
        source: Its type, as Spark's simple string.
        target: The type it gets, the same way.
    """
    if source == target:
        return column
    if source == "string":
        return _from_string(column, target)
    if source in _INTEGERS:
        return _from_integer(column, source, target)
    if source in _FLOATS:
        return _from_float(column, target)
    decimal = _DECIMAL.fullmatch(source)
    if decimal:
        return _from_decimal(column, int(decimal[1]) - int(decimal[2]), target)
    plain = _PLAIN.get(source, frozenset())
    return _cast(column, target) if target in plain else None


def _cast(column: str, target: str) -> str:
    return f"CAST({column} AS {target})"


def _from_string(column: str, target: str) -> str | None:
    decimal = _DECIMAL.fullmatch(target)
    if decimal:
        exact = f"TRY_CAST(TRIM({column}) AS {target})"
        scientific = (
            f"CASE WHEN {column} RLIKE {_EXPONENT} THEN TRY_CAST(TRY_CAST(TRIM({column}) AS double) AS {target}) END"
        )
        return f"COALESCE({exact}, {scientific})"
    expression = _STRING_CASTS.get(target)
    return expression(column, target) if expression else None


def _string_to_integer(column: str, target: str) -> str:
    whole = f"TRY_CAST(REGEXP_EXTRACT({column}, {_WHOLE}, 1) AS {target})"
    return f"COALESCE({whole}, CASE WHEN {column} RLIKE {_FRACTION_ONLY} THEN CAST(0 AS {target}) END)"


def _string_to_float(column: str, target: str) -> str:
    digits = f"TRIM({column})"
    shorter = f"SUBSTRING({digits}, 1, LENGTH({digits}) - 1)"
    return f"TRY_CAST(CASE WHEN {column} RLIKE {_SUFFIXED} THEN {shorter} ELSE {digits} END AS {target})"


def _string_to_boolean(column: str, _target: str) -> str:
    word = f"LOWER(TRIM({column}))"
    return (
        f"CASE WHEN {word} IN ('t', 'true', 'y', 'yes', '1') THEN true "
        f"WHEN {word} IN ('f', 'false', 'n', 'no', '0') THEN false END"
    )


def _string_to_date(column: str, target: str) -> str:
    # Spark ignores a time behind the date; Sail does when it follows a blank, and not when it follows a T.
    return f"CAST(SUBSTRING_INDEX({column}, 'T', 1) AS {target})"


_STRING_CASTS: dict[str, Callable[[str, str], str]] = {
    "tinyint": _string_to_integer,
    "smallint": _string_to_integer,
    "int": _cast,
    "bigint": _string_to_integer,
    "float": _string_to_float,
    "double": _string_to_float,
    "boolean": _string_to_boolean,
    "date": _string_to_date,
    "timestamp": _cast,
    "binary": _cast,
}

_NUMBERS = frozenset({"tinyint", "smallint", "int", "bigint", "float", "double"})
_PLAIN = {
    "boolean": _NUMBERS | {"string"},
    "date": frozenset({"timestamp", "string"}),
    "timestamp": frozenset({"date", "string", "double"}),
}


def _from_integer(column: str, source: str, target: str) -> str | None:
    if target in _INTEGERS:
        return _cast(column, target) if _INTEGERS[target] > _INTEGERS[source] else _wrapped(column, target)
    return _cast(column, target) if target in _FLOATS | {"string", "boolean"} or _DECIMAL.fullmatch(target) else None


def _wrapped(column: str, target: str) -> str:
    """Return the low bits of an integer, as Java's narrowing has it."""
    half = _INTEGERS[target]
    low = f"PMOD(CAST({column} AS bigint), CAST({2 * half} AS bigint))"
    return f"CAST(CASE WHEN {low} >= {half} THEN {low} - {2 * half} ELSE {low} END AS {target})"


def _from_float(column: str, target: str) -> str | None:
    if target in {"int", "bigint"}:
        return _saturated(column, target)
    if target in {"tinyint", "smallint"}:
        return _wrapped(_saturated(column, "int"), target)
    decimal = _DECIMAL.fullmatch(target)
    if decimal:
        # Beyond its 15 sure digits a double is written out by Sail and rounded by Spark.
        return _cast(column, target) if int(decimal[1]) <= _DOUBLE_DIGITS else None
    return _cast(column, target) if target in _FLOATS | {"boolean"} else None


def _saturated(column: str, target: str) -> str:
    """Return a double without its fraction, held to the type's bounds, 0 for NaN: Java's conversion."""
    limit = _INTEGERS[target]
    return (
        f"CASE WHEN ISNAN({column}) THEN CAST(0 AS {target}) "
        f"WHEN {column} >= CAST('{limit}' AS double) THEN CAST('{limit - 1}' AS {target}) "
        f"WHEN {column} <= CAST('-{limit}' AS double) THEN CAST('-{limit}' AS {target}) "
        f"ELSE CAST({column} AS {target}) END"
    )


def _from_decimal(column: str, whole_digits: int, target: str) -> str | None:
    fits = {"int": whole_digits <= _INT_DIGITS, "bigint": whole_digits <= _BIGINT_DIGITS}
    if target in fits:
        return _cast(column, target) if fits[target] else None
    if target in {"tinyint", "smallint"}:
        return _wrapped(_cast(column, "int"), target) if fits["int"] else None
    return _cast(column, target) if target in _FLOATS | {"string"} else None
