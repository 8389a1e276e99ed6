"""Run a query on an engine and compare what came back: rows, and types."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataos_dagster.errors import StatementFailed

if TYPE_CHECKING:
    from dataos_dagster.engines.session import EngineSession


@dataclass(frozen=True)
class Outcome:
    """What an engine made of a query: columns with types and rows, or the error it answered with."""

    types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str | None = None

    def column(self, number: int) -> Outcome:
        """Return the outcome with the first column, which names the row, and this one only."""
        return Outcome((self.types[0], self.types[number]), tuple((row[0], row[number]) for row in self.rows))


def run(session: EngineSession, sql: str, *, ordered: bool = False) -> Outcome:
    """Return the outcome of a query; rows are sorted unless their order is part of the result."""
    try:
        with session.failures():
            frame = session.spark.sql(sql)
            types = tuple(field.dataType.simpleString() for field in frame.schema)
            columns = [_values(column) for column in frame.toArrow().columns]
    except StatementFailed as error:
        return Outcome(error=error.message)
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        # Rows that are not of the types that the engine announced.
        return Outcome(error=f"{type(error).__name__}: {error}")
    rows = tuple(zip(*columns, strict=True))
    return Outcome(types, rows if ordered else tuple(sorted(rows, key=repr)))


def differences(sail: Outcome, spark: Outcome, *, digits: int | None = None) -> list[str]:
    """Return how two outcomes differ, nothing when they are equal.

    Args:
        sail: What Sail made of it.
        spark: What Spark made of it.
        digits: Significant digits to which floating point numbers have to agree; None for all bits.
    """
    if spark.error and sail.error:
        return []
    if spark.error or sail.error:
        return [f"Sail: {sail.error or 'works'}"[:200], f"Spark: {spark.error or 'works'}"[:200]]
    if sail.types != spark.types:
        return [f"types {sail.types} on Sail, {spark.types} on Spark"]
    if len(sail.rows) != len(spark.rows):
        return [f"{len(sail.rows)} rows on Sail, {len(spark.rows)} on Spark"]
    return [
        f"{left!r} on Sail, {right!r} on Spark"
        for left, right in zip(sail.rows, spark.rows, strict=True)
        if not _equal(left, right, digits)
    ]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values; dates and times as their numbers, which also exist outside of Python's years."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    elif pa.types.is_string(column.type):
        # Spark's strings may hold bytes that are no UTF-8.
        column = column.cast(pa.binary())
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return ("map", tuple(sorted(((_plain(k), _plain(v)) for k, v in value.items()), key=repr)))
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item) for item in value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, float):
        # All bits count, but for two: NaN is equal to itself here, and zero has no sign. Both engines say -0.0 = 0.0, and
        # the only way to tell them apart is the text of a double, which is not proven equal anyway.
        return ("float", "nan" if math.isnan(value) else abs(value).hex() if value == 0 else value.hex())
    return value


def _equal(left: Any, right: Any, digits: int | None) -> bool:
    if digits is not None and _is_float(left) and _is_float(right):
        if "nan" in (left[1], right[1]):
            return bool(left == right)
        return math.isclose(float.fromhex(left[1]), float.fromhex(right[1]), rel_tol=10.0**-digits)
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return all(_equal(a, b, digits) for a, b in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right)


def _is_float(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and value[0] == "float"
