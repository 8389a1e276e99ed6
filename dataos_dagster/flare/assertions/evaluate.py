"""Ask the views of a job what its assertions want to know, and compare."""

from __future__ import annotations

import operator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import AssertionsFailed, StepError
from dataos_dagster.flare.assertions.columns import check_columns
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest.assertions import METRICS_OF_COUNTS
from dataos_dagster.manifests.console import count_of
from dataos_dagster.workflows.results import AssertionResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.assertions.naming import NamedTest
    from dataos_dagster.flare.assertions.plan import PlannedAssertions, PlannedQuery
    from dataos_dagster.workflows.jobs import Job

_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def evaluate(
    job: Job, planned: PlannedAssertions, session: EngineSession, *, batch: tuple[str, str] | None = None
) -> tuple[AssertionResult, ...]:
    """Return the result of each test, in the order of the manifest.

    Args:
        job: Whose manifest has them.
        planned: The assertions.
        session: Where the views are.
        batch: Name of the view that they are about, and of another one which stands for it: a micro-batch of it.

    Raises:
        StepError: A column is not there, or a query has none of that name.
        StatementFailed: The engine refuses a query.
    """
    typed = [_typed(job, planned, query, session, batch[1] if batch else query.view) for query in planned.queries]
    queries = [query if batch is None else _of_batch(query, *batch) for query in typed]
    results = [result for query in queries for result in _results(job, planned, query, session)]
    order = {test.name: place for place, test in enumerate(test for query in planned.queries for test in query.tests)}
    return tuple(sorted(results, key=lambda result: order[result.name]))


def _typed(
    job: Job, planned: PlannedAssertions, query: PlannedQuery, session: EngineSession, rows: str | None
) -> PlannedQuery:
    """Return a query with the types known of the view that has its rows, which is a batch's own in a stream."""
    if query.view is None or rows is None:
        return query
    with session.failures(query.location):
        fields = session.spark.table(quoted(rows)).schema.fields
    types = {field.name: field.dataType.simpleString() for field in fields}
    check_columns(job, planned, query, {query.view: types})
    return query.knowing(types)


def _of_batch(query: PlannedQuery, view: str, batch: str) -> PlannedQuery:
    """Return a query that sees one view in the place of another, which it names."""
    sql = f"WITH {quoted(view)} AS (SELECT * FROM {quoted(batch)})\nSELECT * FROM (\n{query.sql}\n)"  # noqa: S608 - names are quoted, and the query is the manifest's own
    return replace(query, sql=sql)


def failure_of(planned: PlannedAssertions, results: Sequence[AssertionResult]) -> AssertionsFailed | None:
    """Return the error of assertions of which some failed, or None."""
    failed = [result for result in results if not result.passed]
    if not failed:
        return None
    told = "".join(f"\n  {result}" for result in failed)
    return AssertionsFailed(
        f"{len(failed)} out of {count_of(len(results), 'assertion')} failed for {planned.about}:{told}",
        step=planned.label,
        location=failed[0].location,
        hint="nothing was written to it" if planned.output is not None else None,
    )


def _results(
    job: Job, planned: PlannedAssertions, query: PlannedQuery, session: EngineSession
) -> list[AssertionResult]:
    with session.failures(query.location):
        rows = session.spark.sql(query.sql).limit(1).collect()
    values = {name.lower(): value for name, value in rows[0].asDict().items()} if rows else None
    results = []
    for test, column in zip(query.tests, query.columns, strict=True):
        if values is not None and column.lower() not in values:
            raise StepError(
                f"{planned.label}: the query has no column {column!r}; it has {', '.join(values)}",
                step=planned.label,
                sql=query.sql,
                location=job_location(job, *test.path),
            )
        results.append(_result(job, planned, test, values[column.lower()] if values else None))
    return results


def _result(job: Job, planned: PlannedAssertions, test: NamedTest, found: Any) -> AssertionResult:
    if found is None and test.assertion.sql is None and test.metric in METRICS_OF_COUNTS:
        found = 0  # no rows, so none that is missing or invalid
    value = _number(found)
    return AssertionResult(
        name=test.name,
        test=test.text,
        column=test.assertion.column,
        filter=test.assertion.filter,
        dataset=planned.dataset,
        address=planned.address,
        is_output=planned.output is not None,
        value=value if value is not None or found is None else str(found),
        operator=test.operator,
        limit=test.limit,
        passed=value is not None and _COMPARE[test.operator](value, test.limit),
        location=job_location(job, *test.path),
    )


def _number(found: Any) -> float | None:
    """Return a value as a number: also a text that reads as one; None for dates and other texts."""
    if found is None or isinstance(found, date):
        return None
    try:
        return float(found)
    except (TypeError, ValueError):
        return None
