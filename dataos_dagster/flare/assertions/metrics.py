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
_OF_LENGTHS = {"avg_length": "avg", "min_length": "min", "max_length": "max"}


def expression_of(metric: str, assertion: Assertion) -> str:
    """Return the aggregate expression of a metric over the assertion's column.

    Args:
        metric: One of those that the manifest's model lets through, with what it needs.
        assertion: With a column.
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
    return _of_condition(metric, assertion, column)


def _of_condition(metric: str, assertion: Assertion, column: str) -> str:
    regex = assertion.valid_format.regex if assertion.valid_format else None
    what, _, how = metric.partition("_")
    holds = _condition(what, f"CAST({column} AS STRING)", regex)
    if how == "percentage":
        return f"avg({_within(f'CASE WHEN {holds} THEN 1.0D ELSE 0.0D END', assertion.filter)})"
    return f"sum({_within(f'CASE WHEN {holds} THEN 1 ELSE 0 END', assertion.filter)})"


def _condition(what: str, text: str, regex: str | None) -> str:
    """Return what holds for the rows that a metric counts, by the first word of its name."""
    if what == "missing":
        return _is_missing(text)
    if what == "null":
        return f"{text} IS NULL"
    if what == "invalid":
        return f"NOT ({_is_missing(text)}) AND NOT ({_matches(text, regex)})"
    return _matches(text, regex)


def _within(expression: str, condition: str | None) -> str:
    return f"CASE WHEN {condition} THEN {expression} END" if condition else expression


def _is_missing(text: str) -> str:
    return f"{text} IS NULL OR {text} = ''"


def _matches(text: str, regex: str | None) -> str:
    literal = (regex or "").replace("\\", "\\\\").replace("'", "\\'")
    return f"{text} IS NOT NULL AND {text} RLIKE '{literal}'"
