"""Do the actions of a job, in their order, and tell what came of each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.workflows.results import ActionResult, OutputResult

if TYPE_CHECKING:
    from dataos_dagster.flare.actions.plan import PlannedAction
    from dataos_dagster.flare.job import PlanRun


def run_action(run: PlanRun, action: PlannedAction) -> tuple[ActionResult, OutputResult | None]:
    """Do one action, and report it; where it has deleted rows, that is a write of the dataset.

    Args:
        run: The run, whose views are registered.
        action: What to do.

    Raises:
        DepotError: The table is not there, is held by another writer, or the engine refused; its rows are as before.
        EngineError: The engine crashed.
    """
    started = time.perf_counter()
    context = run.context
    request = replace(action.request, operation=context.run_id)
    with run.journal.of(action.label, action.location):
        found = context.door.maintain(request, run.session, context.principal)
    for note in found.notes:
        run.journal.note(f"{action.label}: {note}")
    result = ActionResult(
        name=action.name,
        address=action.address,
        dataset=action.dataset,
        summary=found.summary,
        counts=found.counts,
        seconds=time.perf_counter() - started,
        snapshot_id=found.snapshot_id,
        files=found.files,
    )
    context.reporter.action_done(run.plan.job.id, result)
    if not action.deletes_rows:
        return result, None
    written = OutputResult(
        name=action.input,
        address=action.address,
        dataset=action.dataset,
        rows=None,
        bytes=None,
        snapshot_id=found.snapshot_id,
        schema=found.schema,
        lineage=None,
        seconds=result.seconds,
        branch=request.branch,
        total_rows=found.total_rows,
        rows_deleted=found.rows_deleted,
    )
    context.reporter.output_written(run.plan.job.id, written)
    return result, written
