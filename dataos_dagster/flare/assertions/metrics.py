"""The metrics of a column as expressions of SQL, so that one query over the data measures all of them.

Missing is null or an empty text, null is null alone; percentages are fractions of the rows, 0 to 1. A value is invalid
when it is not missing and the regular expression is found nowhere in it. Metrics of a filtered column count and
compute over the rows that the filter holds for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.manifest.assertions import METRICS_OF_NUMBERS

if TYPE_CHECKING:
    from dataos_dagster.flare.manifest.assertions import Assertion

# Functions of SQL whose names differ from those of their metrics.
_OF_NUMBERS = {"stddev": "stddev_samp", "variance": "var_samp"}
# Begin the names of types none of whose values is written as an empty text. Of these a missing value is a null: a cast
# to string would be a question of how each engine writes numbers, which has nothing to do with it.
_NEVER_EMPTY = (
    "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "boolean", "date", "timestamp",
)  # fmt: skip
_OF_LENGTHS = {"avg_length": "avg", "min_length": "min", "max_length": "max"}


def expression_of(metric: str, assertion: Assertion, type_name: str | None = None) -> str:
    """Return the aggregate expression of a metric over the assertion's column.

    Args:
        metric: One of those that the manifest's model lets through, with what it needs.
        assertion: With a column.
        type_name: Of the column, as `simpleString` writes it; None where it is not known yet.
    """
    assert assertion.column is not None  # noqa: S101 - the manifest's model has asked
    column = quoted(assertion.column)
    value = f"CASE WHEN {assertion.filter} THEN {column} END" if assertion.filter else column
    if metric in METRICS_OF_NUMBERS:
        return f"{_OF_NUMBERS.get(metric, metric)}(CAST({value} AS DOUBLE))"
    if metric in {"min", "max"}:
        return f"{metric}({value})"
    if metric in _OF_LENGTHS:
        return f"{_OF_LENGTHS[metric]}(length(CAST({value} AS STRING)))"
    if metric == "distinct_count":
        return f"count(DISTINCT {value})"
    if metric == "duplicate_count":
        return f"count({value}) - count(DISTINCT {value})"
    return _of_condition(metric, assertion, column, may_be_empty=not (type_name or "").startswith(_NEVER_EMPTY))


def _of_condition(metric: str, assertion: Assertion, column: str, *, may_be_empty: bool) -> str:
    regex = assertion.valid_format.regex if assertion.valid_format else None
    what, _, how = metric.partition("_")
    holds = _condition(what, column, regex, may_be_empty=may_be_empty)
    if how == "percentage":
        return f"avg({_within(f'CASE WHEN {holds} THEN 1.0D ELSE 0.0D END', assertion.filter)})"
    return f"sum({_within(f'CASE WHEN {holds} THEN 1 ELSE 0 END', assertion.filter)})"


def _condition(what: str, column: str, regex: str | None, *, may_be_empty: bool) -> str:
    """Return what holds for the rows that a metric counts, by the first word of its name."""
    text = f"CAST({column} AS STRING)"
    missing = f"{column} IS NULL OR {text} = ''" if may_be_empty else f"{column} IS NULL"
    if what == "missing":
        return missing
    if what == "null":
        return f"{column} IS NULL"
    if what == "invalid":
        return f"NOT ({missing}) AND NOT ({_matches(text, regex)})"
    return _matches(text, regex)


def _within(expression: str, condition: str | None) -> str:
    return f"CASE WHEN {condition} THEN {expression} END" if condition else expression


def _matches(text: str, regex: str | None) -> str:
    literal = (regex or "").replace("\\", "\\\\").replace("'", "\\'")
    return f"{text} IS NOT NULL AND {text} RLIKE '{literal}'"
