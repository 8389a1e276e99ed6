"""The statistics of all columns out of one pass over their rows.

Workers sum up the rows of each partition (`kernels`), and what they found is put together here. The same Python does it
on every engine, so that a profile is the same on all of them.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.profile.attributes import attribute_of
from dataos_dagster.workflows.profiles import Bin, ColumnProfile, Frequency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dataos_dagster.flare.profile.kernels.spelling import Kind
    from dataos_dagster.flare.profile.kernels.summary import Summary

# Name and type of a column.
Field = tuple[str, str]

# Of a histogram, so that its picture stays small.
MOST_BARS = 16
MOST_FREQUENT = 5
# Column is categorical when it has at most so many values, each of them twice on average.
_CATEGORIES, _REPEATS = 20, 2
_KINDS: Mapping[str, Kind] = {
    "tinyint": "whole",
    "smallint": "whole",
    "int": "whole",
    "bigint": "whole",
    "float": "float",
    "double": "double",
    "decimal": "decimal",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
    "string": "text",
    "boolean": "boolean",
}


def kind_of(type_name: str) -> Kind:
    """Return how the values of a Spark type are summed up."""
    return _KINDS.get(type_name.partition("(")[0], "null")


def rows_query(view: str, fields: Sequence[Field], filters: Sequence[str]) -> str:
    """Return the query of the rows that are summed up; of values that cannot be compared only whether they are null."""
    listed = ",\n  ".join(
        f"{quoted(name) if kind_of(type_name) != 'null' else f'{quoted(name)} IS NULL'} AS c{number}"
        for number, (name, type_name) in enumerate(fields)
    )
    condition = "\nWHERE " + " AND ".join(f"({condition})" for condition in filters) if filters else ""
    return f"SELECT\n  {listed}\nFROM {quoted(view)}{condition}"


def put_together(states: Iterable[bytes], kinds: Sequence[Kind]) -> tuple[int, tuple[Summary, ...]]:
    """Return the number of rows and the summary of each column out of those of all partitions."""
    from dataos_dagster.flare.profile.kernels.summary import Summary

    rows, summaries = 0, tuple(Summary(kind) for kind in kinds)
    for state in states:
        found = json.loads(state)
        rows += found["rows"]
        for summary, part in zip(summaries, found["columns"], strict=True):
            summary.merge(Summary.of_state(part))
    return rows, summaries


def column_of(field: Field, summary: Summary) -> ColumnProfile:
    """Return the profile of a column."""
    from dataos_dagster.flare.profile.kernels.spelling import text_of, told
    from dataos_dagster.flare.profile.kernels.summary import NUMBERS

    name, type_name = field
    missing = summary.nulls + summary.empty
    values = summary.rows - summary.nulls
    attribute, why = attribute_of(name, summary.rows - missing, summary.matches)
    comparable = summary.kind != "null"
    distinct = min(summary.distinct.count, values) if comparable else None
    frequent = summary.frequent.most(MOST_FREQUENT)
    moments = summary.moments if summary.kind in NUMBERS and summary.moments.count else None
    variance = moments.squares / (moments.count - 1) if moments and moments.count > 1 else None
    shortest, longest, characters, texts = summary.lengths or (None, None, 0, 0)
    return ColumnProfile(
        name,
        type_name,
        summary.nulls,
        missing,
        distinct=distinct,
        estimated=comparable and not summary.distinct.is_exact,
        low=None if summary.low is None else text_of(summary.low, summary.kind),
        high=None if summary.high is None else text_of(summary.high, summary.kind),
        mean=_finite(moments.mean) if moments else None,
        total=_finite(moments.total) if moments else None,
        stddev=_finite(math.sqrt(variance)) if variance is not None else None,
        variance=_finite(variance),
        min_length=shortest,
        max_length=longest,
        mean_length=characters / texts if texts else None,
        bins=tuple(Bin(low, high, count) for low, high, count in summary.histogram.bars(MOST_BARS)),
        frequent=tuple(Frequency(told(key), count) for key, count in frequent),
        categorical=distinct is not None and 0 < distinct <= _CATEGORIES and distinct * _REPEATS <= values,
        attribute=attribute,
        why=why,
    )


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has."""
    return value if value is not None and math.isfinite(value) else None
