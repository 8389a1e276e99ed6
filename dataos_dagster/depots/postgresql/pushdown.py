"""Conditions of a query on Sail that the database is asked to apply, so that it sends only the rows in question.

Sail applies each condition again to what it gets: the database may send a row too many, never one too few. So only
comparisons are handed over that both make in the same way: of whole numbers, dates and moments, equality of plain
texts, and the question for nulls. The order of texts depends on a collation, and that of floats on NaN.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.postgresql.connection import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql.datasource import Filter

    from dataos_dagster.depots.postgresql.columns import PostgresqlColumn

_NUMBERS = ("int2", "int4", "int8")
_TEXTS = ("text", "varchar")
_COMPARED = frozenset({*_NUMBERS, *_TEXTS, "date", "timestamp", "timestamptz"})
_OPERATORS: Mapping[str, str] = {
    "EqualTo": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
}
_NULLS: Mapping[str, str] = {"IsNull": "IS NULL", "IsNotNull": "IS NOT NULL"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compared_types(columns: Sequence[PostgresqlColumn]) -> dict[str, str]:
    """Return the columns whose comparisons mean the same on both sides, and their types in the database."""
    return {column.name: column.type for column in columns if column.type in _COMPARED and not column.is_array}


def condition(filter_: Filter, types: Mapping[str, str]) -> str | None:
    """Return a condition in SQL of the database, or None for one that is not handed over.

    Args:
        filter_: What Sail filters by. Its value is a number of days for a date, of microseconds for a moment.
        types: What `compared_types` has returned.
    """
    kind, path = type(filter_).__name__, filter_.attribute
    if len(path) != 1:
        return None
    column = identifier(path[0])
    if kind in _NULLS and path[0] in types:
        return f"{column} {_NULLS[kind]}"
    if kind not in _OPERATORS or path[0] not in types:
        return None
    if types[path[0]] in _TEXTS and kind != "EqualTo":
        return None
    value = _value(filter_.value, types[path[0]])
    return None if value is None else f"{column} {_OPERATORS[kind]} {value}"


def _value(value: Any, type_: str) -> str | None:
    """Return a value as SQL of the database; None for one that its type does not hold."""
    if type_ in _TEXTS:
        # Others may have no place in the encoding of the database, which then refuses the query.
        return literal(value) if isinstance(value, str) and value.isascii() and "\0" not in value else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if type_ in _NUMBERS:
        return f"({value})"
    try:
        if type_ == "date":
            return f"DATE '{date.fromordinal(_EPOCH.toordinal() + value)}'"
        moment = _EPOCH + timedelta(microseconds=value)
    except (ValueError, OverflowError):
        return None
    text = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    # A timestamp without a zone is read as one of UTC.
    return f"TIMESTAMPTZ '{text}+00'" if type_ == "timestamptz" else f"TIMESTAMP '{text}'"
