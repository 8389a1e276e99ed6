"""Checks of a Flare job."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from dataos_dagster.manifests.model import ManifestModel, ScalarText, one_or_many, scalar_text

_TEST = re.compile(
    r"\s*(?P<metric>\w+)\s*(?P<operator>>=|<=|==|!=|=|>|<)\s*(?P<limit>-?\d+(?:\.\d+)?(?:[eE]-?\d+)?)\s*"
)


def _test(text: str) -> str:
    if not _TEST.fullmatch(text):
        raise ValueError("a test reads `<metric> <operator> <number>`, such as `missing_count == 0`")
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
        tuple[Annotated[str, BeforeValidator(scalar_text), AfterValidator(_test)], ...],
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
