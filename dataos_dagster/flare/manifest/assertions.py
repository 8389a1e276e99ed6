"""Checks of a Flare job."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from dataos_dagster.manifests.model import ManifestModel, ScalarText, one_or_many, scalar_text
from dataos_dagster.manifests.spelling import suggestion

METRICS_OF_NUMBERS = ("avg", "sum", "stddev", "variance", "skewness", "kurtosis")
METRICS_OF_LENGTHS = ("avg_length", "min_length", "max_length")
# These count rows, so they are 0 where there are none; of the others there is no value then.
METRICS_OF_COUNTS = (
    "distinct_count", "duplicate_count", "invalid_count", "invalid_percentage", "missing_count", "missing_percentage",
    "null_count", "null_percentage", "regex_match",
)  # fmt: skip
METRICS = (*METRICS_OF_NUMBERS, "min", "max", *METRICS_OF_LENGTHS, *METRICS_OF_COUNTS)
_NEED_REGEX = frozenset({"invalid_count", "invalid_percentage", "regex_match"})
_TEST = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<operator>>=|<=|==|!=|=|>|<)\s*(?P<limit>-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)\s*"
)
_OPERATORS = ("==", "!=", ">", ">=", "<", "<=")
# What people write for an operator who know it from elsewhere.
_FOREIGN = {"<>": "!=", "=!": "!=", "=<": "<=", "=>": ">=", "===": "==", "!==": "!="}
_FOREIGN_TEST = re.compile(r"\s*\w+\s*(?P<operator>[<>=!~]+)\s*\S+\s*")


def _test(text: str) -> str:
    if _TEST.fullmatch(text):
        return text
    found = _FOREIGN_TEST.fullmatch(text)
    if found and found["operator"] not in {*_OPERATORS, "="}:
        written = found["operator"]
        hint = f"did you mean `{_FOREIGN[written]}`?" if written in _FOREIGN else f"those are {', '.join(_OPERATORS)}"
        raise ValueError(f"there is no operator `{written}`; {hint}")
    raise ValueError("a test reads `<metric> <operator> <number>`, such as `missing_count == 0`")


def _measurable(text: str, info: ValidationInfo) -> str:
    """Return a test of a column that can be measured; those of a query name the query's own columns.

    It looks at one test at a time, so that a wrong one hides no neighbour. The fields before `tests` are known by now,
    unless they are wrong themselves.
    """
    if info.data.get("sql", ...) is not None:
        return text
    if info.data.get("column", ...) is None:
        raise ValueError(
            f"the test `{text}` has no column to measure; write `column:` beside `tests`, or `sql:` with a query whose "
            f"first row has the values"
        )
    metric, _, _ = parse_test(text)
    if metric not in METRICS:
        raise ValueError(f"there is no metric `{metric}`; {suggestion(metric, METRICS, what='those of a column are')}")
    if metric in _NEED_REGEX and info.data.get("valid_format", ...) is None:
        raise ValueError(f"{metric} needs to know what is valid: write `validFormat: {{regex: …}}` beside `tests`")
    return text


def parse_test(text: str) -> tuple[str, str, float]:
    """Return metric, operator and limit of a test; `=` is returned as `==`.

    Raises:
        ValueError: The text is not a test.
    """
    found = _TEST.fullmatch(_test(text))
    assert found is not None  # noqa: S101 - `_test` has just matched it
    return found["metric"], "==" if found["operator"] == "=" else found["operator"], float(found["limit"])


class ValidFormat(ManifestModel):
    """What a valid value looks like."""

    regex: Annotated[ScalarText, Field(description="Java regular expression that is searched for.")]


class Assertion(ManifestModel):
    """Tests of one column's metrics, or of the first row of a query."""

    column: Annotated[ScalarText | None, Field(description="Column to measure.")] = None
    filter: Annotated[str | None, Field(description="SQL condition that restricts the rows.")] = None
    valid_format: ValidFormat | None = None
    sql: Annotated[str | None, Field(description="Query whose first row has the values.")] = None
    tests: Annotated[
        tuple[Annotated[str, BeforeValidator(scalar_text), AfterValidator(_test), AfterValidator(_measurable)], ...],
        BeforeValidator(one_or_many),
        Field(description="`<metric> <operator> <number>`"),
    ] = ()


def merged_entries(value: Any) -> Any:
    """Return one mapping for a list of single-key mappings; a later entry wins. Anything but a list as it is.

    Raises:
        ValueError: An item of a list is no mapping.
    """
    if not isinstance(value, list):
        return value
    merged: dict[str, Any] = {}
    for number, item in enumerate(value, 1):
        if not isinstance(item, dict):
            raise ValueError(f"item {number} is no mapping; write `- key: value`")  # noqa: TRY004 - pydantic's way
        merged.update(item)
    return merged
