"""A job whose engine crashed runs once more, when nothing of it was committed.

An engine dies of too little memory on the machine, of somebody's `kill`, of a fault of its own. The next lease starts a
new one, and a job that has left nothing behind may simply begin again. Whether it has is asked of what it writes:

- a lakehouse's table names its state by its snapshot: the same one as before means that nothing was committed;
- files and databases do not, and may be written twice when they are the job's only output, are replaced as a whole and
  not read by the job;
- of anything else nobody can tell, and the crash is the job's error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, EngineCrashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataos_dagster.depots.requests import Target
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.results import JobResult

# Snapshot of each output's table by its label; None where there is no table yet.
Snapshots = dict[str, str | None]


def run_with_one_restart(plan: JobPlan, context: RunContext, run: Callable[[], JobResult]) -> JobResult:
    """Run a job, and run it again after a crash of its engine that left nothing behind.

    Args:
        plan: The job's plan.
        context: Of the run.
        run: Runs the plan once; a second call starts from the beginning on a new engine.

    Raises:
        EngineCrashed: The engine crashed again, or something may have been committed.
    """
    before = _snapshots(plan, context)
    try:
        return run()
    except EngineCrashed as crash:
        if before is None or _snapshots(plan, context) != before:
            raise
        note = f"{crash.message}; nothing was written, and the job starts again"
        context.reporter.note(plan.job.id, note)
        result = run()
        return replace(result, notes=(note, *result.notes))


def _snapshots(plan: JobPlan, context: RunContext) -> Snapshots | None:
    """Return the state of every table that the job writes; None when nobody can tell whether an output was written."""
    # A stream resumes at its checkpoint by itself; an existing cluster does not crash under us.
    if plan.engine == "connect" or plan.stream is not None:
        return None
    found: Snapshots = {}
    for output in plan.outputs:
        if _is_table(output, context):
            try:
                evidence = context.door.evidence(output.request)
            except DataOSError:
                return None
            found[output.label] = evidence.state if evidence else None
        elif len(plan.outputs) > 1 or not _replaces_everything(output, plan):
            return None
    return found


def _replaces_everything(output: PlannedOutput, plan: JobPlan) -> bool:
    request = output.request
    read = {_dataset(planned.request.target) for planned in plan.inputs}
    queries = [planned.request.query for planned in plan.inputs if planned.request.query is not None]
    read |= {address.key for query in queries for address in query.reads}
    if request.statement is not None or not all(query.reads for query in queries):
        return False
    return request.mode == "overwrite" and request.merge is None and _dataset(request.target) not in read


def _dataset(target: Target) -> object:
    return target.address.key if target.address else str(target)


def _is_table(output: PlannedOutput, context: RunContext) -> bool:
    target = output.request.target
    if target.address is None:
        return target.warehouse is not None
    return context.door.catalog.find(target.address.depot).is_lakehouse and (
        (output.request.format or "iceberg").lower() == "iceberg"
    )
