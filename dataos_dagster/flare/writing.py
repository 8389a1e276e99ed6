"""Write the view of an output through the door, and tell what was written."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.door import SYSTEM_COLUMN
from dataos_dagster.depots.settlement import settled
from dataos_dagster.errors import DepotError, EngineError, StatementFailed, StepError, WriteFailed
from dataos_dagster.flare.column_tags import tagged
from dataos_dagster.flare.engine_words import refusal
from dataos_dagster.flare.outputs import with_operation
from dataos_dagster.workflows.results import OutputResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.flare.job import PlanRun
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.context import RunContext

# Stores that cannot hold a map; the system column is left out of them.
_WITHOUT_MAPS = frozenset({"csv", "text", "jdbc", "db", "postgres", "postgresql", "mysql", "mssql", "oracle"})


def write_output(run: PlanRun, output: PlannedOutput, position: int) -> OutputResult:
    """Write one output, and report it.

    Args:
        run: The run, whose views are registered.
        output: What to write.
        position: Of the output in the plan.

    Raises:
        StepError: The engine failed at making the rows.
        DepotError: The store did not take them.
        EngineError: The engine crashed.
    """
    started = time.perf_counter()
    reporter, job_id = run.context.reporter, run.plan.job.id
    reporter.step_started(job_id, output.label)
    run.test(position)
    view = run.plan.views[output.name.lower()]
    with blamed(run.plan, output, view), run.session.failures(output.location):
        run.journal.explain(output.label, view, run.session)
        frame = with_system_column(run.session.spark.table(view), output, run.plan, run.context)
        request = _accounted(run, output, position)
        written = run.context.door.write(frame, request, run.session, run.context.principal)
    run.windows.written(position, written.snapshot_id)
    seconds = time.perf_counter() - started
    for note in written.notes:
        run.journal.note(note)
    overwrites = output.request.mode == "overwrite" and output.request.merge is None
    replaced = output.implied_mode and overwrites and not written.created
    if replaced:
        # Whoever watches the run is told once for all of its outputs.
        run.journal.notes.append(f"{output.label}: no saveMode is given, so what was in {output.dataset} was replaced")
    result = OutputResult(
        name=output.name,
        address=output.address,
        dataset=output.dataset,
        rows=written.rows,
        bytes=written.bytes,
        snapshot_id=written.snapshot_id,
        schema=tagged(written.schema, output.column_tags),
        lineage=run.lineage.of_output(view, (column.name for column in written.schema)),
        seconds=seconds,
        created=written.created,
        preview=run.journal.preview_of(view),
        branch=written.branch,
        total_rows=written.total_rows,
        replaced=replaced,
    )
    reporter.output_written(job_id, result)
    reporter.step_finished(job_id, output.label, written.rows, seconds)
    return result


def with_system_column(frame: DataFrame, output: PlannedOutput, plan: JobPlan, context: RunContext) -> DataFrame:
    """Return the frame with Flare's own column in front, when the project asks for it and the store holds maps."""
    wanted = context.settings.flare.system_columns
    if not wanted or plan.spec.job.variables.keep_system_columns is False:
        return frame
    if (output.request.format or "").lower() in _WITHOUT_MAPS or SYSTEM_COLUMN in frame.columns:
        return frame
    run_id = context.run_id.replace("'", "")
    entries = f"map('_dataos_run_mapper_id', '{run_id}', 'id', uuid())"
    return frame.selectExpr(f"{entries} AS {SYSTEM_COLUMN}", "*")


def _accounted(run: PlanRun, output: PlannedOutput, position: int) -> WriteRequest:
    """Return the request of an output under its name, with the account of its dataset's writes."""
    request = with_operation(output, run.context.run_id)
    if run.context.state is None:
        return request
    intended = run.windows.write_of(position)
    return settled(request, run.context.state.intents, intended.token if intended else None)


@contextmanager
def blamed(plan: JobPlan, output: PlannedOutput, view: str) -> Iterator[None]:
    """Turn an engine's failure during a write into one that shows the SQL whose rows were being made.

    Steps are lazy: a cast or a division fails here, and its author looks for it in the step.
    """
    try:
        yield
    except (DepotError, EngineError) as error:
        step = next((step for step in reversed(plan.steps) if step.name == view), None)
        if step is None or not _is_of_rows(error):
            error.location = error.location or output.location
            raise
        raise StepError(
            f"{output.label}: {refusal(error.message, step.sql).message}",
            step=step.label,
            sql=step.sql,
            hint=(isinstance(error, WriteFailed) and error.hint) or f"nothing was written to {output.dataset}",
            location=step.location,
            retryable=error.retryable,
        ) from error


def _is_of_rows(error: DepotError | EngineError) -> bool:
    """Return whether the engine failed at making the rows, and not the store at taking them."""
    return isinstance(error, StatementFailed) or isinstance(error.__cause__, StatementFailed)
