"""The part of a job's run that differs for streams: queries instead of one write for each output."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError
from dataos_dagster.flare.journal import Journal
from dataos_dagster.flare.lineage import Lineage
from dataos_dagster.flare.streaming.run import StreamWork, finish, running
from dataos_dagster.flare.streaming.whole import plan_of_rest
from dataos_dagster.flare.writing import with_system_column
from dataos_dagster.redaction import redact
from dataos_dagster.workflows.results import OutputResult

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.job import PlanRun
    from dataos_dagster.flare.streaming.plan import PlannedStream, StreamPlan
    from dataos_dagster.flare.streaming.run import RunningQuery


def outputs_streamed(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
    """Run the queries of a job until each has done what was there, then what is asked of whole datasets.

    Returns:
        What the queries wrote, and what rows were deleted of.

    Raises:
        DataOSError: A query failed, or what came after them; what had been written by then was reported.
    """
    # Which rows of the stream are written its checkpoints know: only the values of keys are noted, when all is written.
    run.windows.outputs = ()
    with run.windows.taken(lambda *_: None, run.journal.note):
        outputs = _queries_done(run, stream)
        run.windows.intend()
        run.windows.confirm()
    return (*outputs, *_rest_done(run, stream)) if stream.rest else outputs


def _queries_done(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
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


def _rest_done(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
    """Do what is asked of whole datasets, now that the queries have ended; return what rows were deleted of."""
    # Its views take the places of the queries' own, which have ended: they are the run's to drop.
    rest = replace(run, plan=plan_of_rest(run.plan, stream.assertions), lineage=Lineage())
    said = run.journal
    rest.journal = _JournalOfRest(rest.plan, said.reporter, said.explained, said.previews, said.notes)
    rest.types.note = rest.journal.note
    rest.windows = run.windows  # what is new in an input is what the queries took for it
    try:
        return rest.examined()
    finally:
        run.tested, run.profiled, run.done = rest.tested, rest.profiled, rest.done


class _JournalOfRest(Journal):
    """Goes on with the journal of the queries, whose views are made once more."""

    def preview(self, name: str, frame: DataFrame) -> None:
        """Show the first rows of a view that could not be shown while it grew."""
        if self.preview_of(name) is None:
            super().preview(name, frame)


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
    for assertions in stream.assertions.first:
        run.look(assertions)
    sources = tuple(planned for planned in run.plan.inputs if planned.request.stream)

    def prepare(frame: DataFrame, planned: PlannedStream) -> DataFrame:
        return with_system_column(frame, planned.output, run.plan, run.context)

    def view_of(planned: PlannedStream) -> str:
        return run.plan.views[planned.output.name.lower()]

    def inspect(planned: PlannedStream, batch: str) -> None:
        for assertions in planned.assertions:
            run.look(assertions, batch=(view_of(planned), batch))

    work = StreamWork(run.context, run.session, sources, prepare, view_of, inspect)
    with running(stream, work, tell, stop) as queries:
        yield queries


def _reported(run: PlanRun, query: RunningQuery, seconds: float) -> OutputResult:
    output = query.planned.output
    view = run.plan.views[output.name.lower()]
    for note in query.notes:
        run.journal.note(note)
    if run.plan.spec.job.explain:
        _explain(run, query)
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


def _explain(run: PlanRun, query: RunningQuery) -> None:
    """Keep the engine's plans of a query: those of a view that grows cannot be had without one."""
    label = query.planned.output.label
    try:
        run.journal.explained[label] = redact(query.explained())  # options of a source may hold a password
    except DataOSError as error:
        run.journal.note(f"{label}: the engine does not tell the plans of its query: {error.message}")
