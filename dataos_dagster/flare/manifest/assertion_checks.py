"""What the assertions of a job get wrong in themselves: keys that have no part in what is measured, and no tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.flare.manifest.assertions import Assertion
    from dataos_dagster.flare.manifest.job import FlareJob
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


def check_assertions(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    """Report assertions that test nothing, or measure a column and ask a query at once."""
    for place, assertion in _assertions(job, path):
        if not assertion.tests and not draft.is_open((*place, "tests")) and not draft.is_open(place):
            message = "an assertion without `tests` tests nothing"
            draft.warn("missing-key", place, message, "write `tests: [missing_count == 0]`, or remove it", key=True)
        if assertion.sql is None:
            continue
        written = (("column", assertion.column), ("filter", assertion.filter), ("validFormat", assertion.valid_format))
        for key in (key for key, value in written if value is not None):
            message = f"`{key}` has no part in the values of `sql`: ignored"
            draft.warn("conflicting-keys", (*place, key), message, "write it into the query, or remove it", key=True)


def _assertions(job: FlareJob, path: DocumentPath) -> Iterator[tuple[DocumentPath, Assertion]]:
    """Yield the assertions of the job and of its outputs, each with its path."""
    for index, assertion in enumerate(job.assertions):
        yield (*path, "assertions", index), assertion
    for position, output in enumerate(job.outputs):
        for index, assertion in enumerate(output.assertions):
            yield (*path, "outputs", position, "assertions", index), assertion
