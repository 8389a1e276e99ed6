"""Schedules of workflows.

A tick asks for the assets of the workflow's jobs on the one job that Dagster makes for all assets of a location: a job
of its own for each workflow makes loading quadratic. Runs are therefore recognised by the assets they select, which
holds for those that somebody launched by hand too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from dataos_dagster.dagster_compat import ASSET_JOB, AssetSchedule, processes_of, runs_in_local_processes
from dataos_dagster.naming import owner_of, slug, tags_of
from dataos_dagster.processes import start_moment
from dataos_dagster.workflows.retries import RUN_RETRIES_OFF, retry_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph, JobNode
    from dataos_dagster.workflows.manifest import Schedule, WorkflowSection

WORKFLOW_TAG = "dataos/workflow"

_ACTIVE = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
# Those that have a process by now, if they are alive.
_WITH_PROCESS = {dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING}
# A tick has 60 seconds; a run that does not end in this time is left to the lock of the tables it writes.
_REPLACE_SECONDS = 20.0
# Starting times of processes and times of events are of different clocks' resolution.
_CLOCK_SLACK = 2.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What a schedule does at one moment.

    Attributes:
        keys: Assets of the workflow's jobs; all of them can be run.
        tags: Tags of the run.
    """

    schedule: Schedule
    keys: tuple[dg.AssetKey, ...]
    tags: dict[str, str]

    def __call__(self, context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Return the run to launch, or why there is none."""
        outside = self._outside(context.scheduled_execution_time)
        if outside:
            return dg.SkipReason(outside)
        if self.schedule.concurrency_policy != "Allow":
            active = [run for run in self._active_runs(context.instance) if is_alive(context.instance, run)]
            if active and self.schedule.concurrency_policy == "Forbid":
                running = ", ".join(run.run_id for run in active)
                return dg.SkipReason(f"the previous run is active ({running}) and concurrencyPolicy is Forbid")
            replace_runs(context.instance, active)
        if "dagster/max_retries" in self.tags and not context.instance.run_retries_enabled:
            context.log.warning(RUN_RETRIES_OFF)
        return dg.RunRequest(asset_selection=list(self.keys), tags=self.tags)

    def _outside(self, moment: datetime) -> str | None:
        start, end = self.schedule.start_on, self.schedule.end
        if start and moment < start:
            return f"the schedule begins on {start.isoformat()} (startOn)"
        if end and moment > end:
            return f"the schedule ended on {end.isoformat()} (endOn)"
        return None

    def _active_runs(self, instance: dg.DagsterInstance) -> Iterator[dg.DagsterRun]:
        wanted = set(self.keys)
        for run in instance.get_runs(filters=dg.RunsFilter(statuses=list(_ACTIVE))):
            everything = run.asset_selection is None and run.job_name == ASSET_JOB
            if everything or wanted & (run.asset_selection or set()):
                yield run


def is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Tell whether an active run can still make progress: one whose process is gone cannot.

    Dagster keeps such a run `STARTED` for ever unless run monitoring is on, and a schedule would wait for ever.
    """
    if run.status not in _WITH_PROCESS or not runs_in_local_processes(instance):
        return True
    processes = processes_of(instance, run.run_id)
    return not processes or any(_is_running(pid, said) for pid, said in processes)


def _is_running(pid: int, said: float) -> bool:
    """Tell whether a process is the one that spoke at a moment: numbers are used again by later ones."""
    started = start_moment(pid)
    return started is not None and started <= said + _CLOCK_SLACK


def replace_runs(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> None:
    """Cancel runs and wait a while for their end."""
    waiting = [run.run_id for run in runs]
    for run_id in waiting:
        instance.run_coordinator.cancel_run(run_id)
    deadline = time.monotonic() + _REPLACE_SECONDS
    while waiting and time.monotonic() < deadline:
        waiting = [run_id for run_id in waiting if not _is_finished(instance, run_id)]
        if waiting:
            time.sleep(0.2)


def _is_finished(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def build_schedules(
    workflows: Iterable[Resource[WorkflowSection]], graph: JobGraph, here: Iterable[str], settings: Settings
) -> tuple[dg.ScheduleDefinition, ...]:
    """Return one schedule for each workflow that has one and a job that this location can run.

    Args:
        workflows: All of the project.
        graph: All its jobs.
        here: Ids of the jobs of this location: a tick can select no others.
        settings: Whether schedules start running, the default workspace, owners.
    """
    present = {job_id for job_id in here if graph.nodes[job_id].is_run}
    schedules = []
    for workflow in workflows:
        schedule = workflow.section.schedule
        nodes = [graph.nodes[job_id] for job_id in graph.members[workflow.identifier] if job_id in present]
        # One key of an asset that cannot be run, and the tick launches nothing.
        if schedule is not None and nodes:
            schedules.append(_schedule(workflow, schedule, nodes, settings))
    return tuple(schedules)


def _schedule(
    workflow: Resource[WorkflowSection], schedule: Schedule, nodes: Sequence[JobNode], settings: Settings
) -> dg.ScheduleDefinition:
    keys = tuple(dg.AssetKey(key) for node in nodes for key in node.keys)
    workspace = workflow.workspace or settings.default_workspace
    run_retries = max(retry_plan(node.job).run_retries for node in nodes)
    retry_tags = {"dagster/max_retries": str(run_retries), "dagster/retry_on_asset_or_op_failure": "false"}
    tags = {WORKFLOW_TAG: f"{workspace}/{workflow.name}"} | (retry_tags if run_retries else {})
    started = settings.schedules == "running"
    return AssetSchedule(
        assets=keys,
        name=slug(workspace, workflow.name),
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        execution_fn=_tick_function(Tick(schedule, keys, tags)),
        default_status=dg.DefaultScheduleStatus.RUNNING if started else dg.DefaultScheduleStatus.STOPPED,
        description=workflow.envelope.description or workflow.section.title,
        tags=tags_of(workflow.envelope.tags),
        owners=[owner_of(workflow.envelope.owner, settings.owners)] if workflow.envelope.owner else None,
    )


def _tick_function(
    tick: Tick,
) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]:
    # Dagster looks at the parameters' names, so that the call of an object does not do.
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return tick(context)

    return evaluate
