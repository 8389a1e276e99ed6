"""The statistics of all columns as one query, and all their histograms as a second one.

A histogram needs the least and the greatest value before it can count, which is why there are two.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.profile.attributes import VALUES, attribute_of
from dataos_dagster.workflows.profiles import Bin, ColumnProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Name and type of a column.
Field = tuple[str, str]

BINS = 10
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_MOMENTS = ("date", "timestamp")
# Column is categorical when it has at most so many values, each of them twice on average.
_CATEGORIES, _REPEATS = 20, 2
ROWS = "row_total"


def statistics_query(view: str, fields: Sequence[Field], filters: Sequence[str]) -> str:
    """Return the query of the statistics of all columns; its result is one row."""
    listed = [f"count(*) AS {ROWS}"]
    for number, (name, kind) in enumerate(fields):
        listed += [f"{sql} AS {alias_of(number, what)}" for what, sql in _aggregates(quoted(name), kind)]
    return _select(listed, view, filters)


def histogram_query(view: str, bins: Mapping[str, Sequence[tuple[float, float]]], filters: Sequence[str]) -> str:
    """Return the query of the histograms of columns, given the borders of each bar; its result is one row."""
    listed = []
    for number, (name, borders) in enumerate(bins.items()):
        value = f"CAST({quoted(name)} AS DOUBLE)"
        for place, (low, high) in enumerate(borders):
            up_to = "<=" if place == len(borders) - 1 else "<"
            holds = f"{value} >= {low!r}D AND {value} {up_to} {high!r}D"
            listed.append(f"sum(CASE WHEN {holds} THEN 1 ELSE 0 END) AS {alias_of(number, f'bin_{place}')}")
    return _select(listed, view, filters)


def alias_of(number: int, what: str) -> str:
    """Return what a value of a column is called in the result."""
    return f"c{number}_{what}"


def read_columns(row: Mapping[str, Any], fields: Sequence[Field]) -> tuple[ColumnProfile, ...]:
    """Return the profiles of columns, still without histograms, from the row of `statistics_query`."""
    rows = int(row[ROWS])
    return tuple(_column(row, number, name, kind, rows) for number, (name, kind) in enumerate(fields))


def borders_of(column: ColumnProfile) -> tuple[tuple[float, float], ...]:
    """Return the borders of the bars of a column of numbers; none where there is nothing to draw."""
    if column.mean is None or column.low is None or column.high is None:
        return ()
    low, high = float(column.low), float(column.high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return ()
    if low == high:
        return ((low, high),)
    edges = [low + (high - low) * step / BINS for step in range(BINS)]
    return tuple(pairwise([*edges, high]))


def read_bins(row: Mapping[str, Any], bins: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, tuple[Bin, ...]]:
    """Return the bars of each column from the row of `histogram_query`."""
    return {
        name: tuple(
            Bin(low, high, int(row[alias_of(number, f"bin_{place}")] or 0)) for place, (low, high) in enumerate(borders)
        )
        for number, (name, borders) in enumerate(bins.items())
    }


def _aggregates(column: str, kind: str) -> Iterator[tuple[str, str]]:
    text = f"CAST({column} AS STRING)"
    yield "nulls", f"sum(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END)"
    if kind.startswith((*_NUMBERS, *_MOMENTS, "string", "boolean")):
        yield "distinct", f"count(DISTINCT {column})"
        yield "low", f"CAST(min({column}) AS STRING)"
        yield "high", f"CAST(max({column}) AS STRING)"
    if kind.startswith(_NUMBERS):
        for what, function in (("mean", "avg"), ("total", "sum"), ("stddev", "stddev_samp"), ("variance", "var_samp")):
            yield what, f"{function}(CAST({column} AS DOUBLE))"
    elif kind == "string":
        yield "empty", f"sum(CASE WHEN {column} = '' THEN 1 ELSE 0 END)"
        for what, function in (("min_length", "min"), ("max_length", "max"), ("mean_length", "avg")):
            yield what, f"{function}(length({text}))"
        for attribute, pattern in VALUES.items():
            yield attribute, f"sum(CASE WHEN {column} RLIKE '{pattern}' THEN 1 ELSE 0 END)"


def _column(row: Mapping[str, Any], number: int, name: str, kind: str, rows: int) -> ColumnProfile:
    def of(what: str) -> Any:
        return row.get(alias_of(number, what))

    nulls = int(of("nulls") or 0)
    missing = nulls + int(of("empty") or 0)
    distinct = of("distinct")
    matches = {attribute: int(of(attribute) or 0) for attribute in VALUES}
    attribute, why = attribute_of(name, rows - missing, matches)
    return ColumnProfile(
        name,
        kind,
        nulls,
        missing,
        distinct=distinct,
        low=of("low"),
        high=of("high"),
        mean=of("mean"),
        total=of("total"),
        stddev=of("stddev"),
        variance=of("variance"),
        min_length=of("min_length"),
        max_length=of("max_length"),
        mean_length=of("mean_length"),
        categorical=distinct is not None and 0 < distinct <= _CATEGORIES and distinct * _REPEATS <= rows - nulls,
        attribute=attribute,
        why=why,
    )


def _select(listed: Sequence[str], view: str, filters: Sequence[str]) -> str:
    condition = "\nWHERE " + " AND ".join(f"({condition})" for condition in filters) if filters else ""
    return "SELECT\n  " + ",\n  ".join(listed) + f"\nFROM {quoted(view)}{condition}"
