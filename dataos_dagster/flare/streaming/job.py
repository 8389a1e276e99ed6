"""The part of a job's run that differs for streams: queries instead of one write for each output."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.flare.streaming.run import StreamWork, finish, running
from dataos_dagster.flare.writing import with_system_column
from dataos_dagster.workflows.results import OutputResult

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.job import PlanRun
    from dataos_dagster.flare.streaming.plan import PlannedStream, StreamPlan
    from dataos_dagster.flare.streaming.run import RunningQuery


def outputs_streamed(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
    """Run the queries of a job until each has done what was there, and return what they wrote.

    Raises:
        DataOSError: One failed; what the others had written by then was reported.
    """
    started = time.perf_counter()
    with started_queries(run, stream) as queries:
        for query in queries:
            run.context.reporter.step_started(run.plan.job.id, query.planned.output.label)
        try:
            finish(queries)
        finally:
            outputs = tuple(
                _reported(run, query, time.perf_counter() - started) for query in queries if query.has_worked
            )
    return outputs


@contextmanager
def started_queries(
    run: PlanRun,
    stream: StreamPlan,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[RunningQuery, ...]]:
    """Make the job's views and start its queries, for the block's time.

    Args:
        run: The run of the job.
        stream: Its queries.
        tell: Told again and again what is done before they start.
        stop: Set when nobody wants them any more: those that have not started then do not.
    """
    for note in run.plan.notes:
        run.journal.note(note)
    run.make_views()
    sources = tuple(planned for planned in run.plan.inputs if planned.request.stream)

    def prepare(frame: DataFrame, planned: PlannedStream) -> DataFrame:
        return with_system_column(frame, planned.output, run.plan, run.context)

    def view_of(planned: PlannedStream) -> str:
        return run.plan.views[planned.output.name.lower()]

    def inspect(planned: PlannedStream, batch: str) -> None:
        run.test(planned.position, batch=(view_of(planned), batch))

    work = StreamWork(run.context, run.session, sources, prepare, view_of, inspect)
    with running(stream, work, tell, stop) as queries:
        yield queries


def _reported(run: PlanRun, query: RunningQuery, seconds: float) -> OutputResult:
    output = query.planned.output
    view = run.plan.views[output.name.lower()]
    for note in query.notes:
        run.journal.note(note)
    result = OutputResult(
        name=output.name,
        address=output.address,
        dataset=output.dataset,
        rows=query.rows,
        bytes=None,
        snapshot_id=query.snapshot_id,
        schema=query.schema,
        lineage=run.lineage.of_output(view, (column.name for column in query.schema)),
        seconds=seconds,
        created=query.created,
        branch=output.request.branch,
    )
    run.context.reporter.output_written(run.plan.job.id, result)
    run.context.reporter.step_finished(run.plan.job.id, output.label, result.rows, seconds)
    return result
