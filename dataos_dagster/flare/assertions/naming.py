"""Which tests a job has, and what each is called: answered from the manifest alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest.assertions import parse_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.flare.manifest import FlareJob
    from dataos_dagster.flare.manifest.assertions import Assertion
    from dataos_dagster.manifests.diagnostics import DocumentPath

_WORDS = {"==": "eq", "!=": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
_OUTSIDE_NAME = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class NamedTest:
    """One test of a job.

    Attributes:
        name: Unique in the job, made of letters, digits and underscores: `amount_missing_count_eq_0`.
        output: Position of the output that it stands in front of; None for a test of the job.
        path: Of the test below the manifest's `job:`.
        text: As the manifest has it, without blanks around it.
        limit: What the metric is compared with by `operator`.
    """

    name: str
    output: int | None
    path: DocumentPath
    assertion: Assertion
    text: str
    metric: str
    operator: str
    limit: float


def named_tests(job: FlareJob) -> tuple[NamedTest, ...]:
    """Return the tests of a job: those of `assertions`, then those of each output.

    Of tests that read alike the first has the plain name and the others a number, so that one that is added behind it
    does not take it away: Dagster keeps the history of a check under its name.
    """
    counts: dict[str, int] = {}
    named = []
    for test in _tests(job):
        count = counts[test.name] = counts.get(test.name, 0) + 1
        named.append(test if count == 1 else replace(test, name=f"{test.name}__{count}"))
    return tuple(named)


def _tests(job: FlareJob) -> Iterator[NamedTest]:
    for index, assertion in enumerate(job.assertions):
        yield from _of(assertion, None, ("assertions", index))
    for output, entry in enumerate(job.outputs):
        for index, assertion in enumerate(entry.assertions):
            yield from _of(assertion, output, ("outputs", output, "assertions", index))


def _of(assertion: Assertion, output: int | None, path: DocumentPath) -> Iterator[NamedTest]:
    for index, text in enumerate(assertion.tests):
        metric, operator, limit = parse_test(text)
        words = (assertion.column or "", metric, _WORDS[operator], f"{limit:g}".replace("-", "minus_"))
        name = "_".join(part for part in (_OUTSIDE_NAME.sub("_", word).strip("_") for word in words) if part)
        yield NamedTest(name, output, (*path, "tests", index), assertion, text.strip(), metric, operator, limit)
