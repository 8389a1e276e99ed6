"""Run jobs without a Dagster instance: in dependency order, independent ones side by side, on warm engines.

A failing job does not stop those that do not depend on it; those that do are skipped and say because of whom. A job
that runs has a session of its own, so that jobs which run at the same time do not see each other's views.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobError, NotYetRun
from dataos_dagster.redaction import redact_exception
from dataos_dagster.workflows.execution import execute_job, planned
from dataos_dagster.workflows.limits import DepotLimits
from dataos_dagster.workflows.ordering import work_in_order
from dataos_dagster.workflows.results import JobOutcome
from dataos_dagster.workflows.retries import retry_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import AssetPath, JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import JobResult
    from dataos_dagster.workflows.stacks import Stack

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the jobs of a run ended, in an order in which they could have run one by one."""

    run_id: str
    outcomes: tuple[JobOutcome, ...]
    seconds: float

    @property
    def failed(self) -> tuple[JobOutcome, ...]:
        """Return the jobs that failed."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")

    @property
    def not_run(self) -> tuple[JobOutcome, ...]:
        """Return the jobs that this version does not run."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "not_run")


def run_jobs(graph: JobGraph, selected: Iterable[str], context: RunContext, *, at_once: int = 1) -> RunSummary:
    """Run jobs of a project, each after those of them that it waits for.

    Args:
        graph: All jobs of the project.
        selected: Ids of the jobs to run; jobs that they wait for and that are not selected are taken as done.
        context: Its principal is replaced for every job by that of the job.
        at_once: How many independent jobs run at the same time.

    Whatever goes wrong in a job is its outcome; a fault of this program is logged with its traceback.
    """
    started = time.perf_counter()
    order = graph.order(selected)
    outcomes: dict[str, JobOutcome] = {}
    stopping = threading.Event()

    def work(job_id: str) -> None:
        if not stopping.is_set():
            outcomes[job_id] = _outcome(graph.nodes[job_id], outcomes, context, stopping)

    def stop() -> None:
        stopping.set()
        context.sessions.abandon()

    if at_once > 1 and len(order) > 1:
        from dataos_dagster.depots.preloading import preload

        preload()
    slots = DepotLimits(graph.nodes, context.settings)
    work_in_order(_waits_for(graph, order), work, at_once=at_once, stop=stop, slots=slots)
    return RunSummary(context.run_id, tuple(outcomes[job_id] for job_id in order), time.perf_counter() - started)


def _waits_for(graph: JobGraph, order: tuple[str, ...]) -> dict[str, set[str]]:
    """Return for each job of a run the jobs of it that go before, also where jobs between them are left out.

    Jobs that write one dataset go one after the other, in the order of their manifests: which of them overwrites, and
    what is appended to what, must not depend on which is faster.
    """
    wanted = set(order)
    found: dict[str, set[str]] = {}
    last_writer: dict[AssetPath, str] = {}
    for job_id in order:
        keys = [address.key for address in graph.nodes[job_id].writes]
        nearest = {last_writer[key] for key in keys if key in last_writer}
        last_writer.update(dict.fromkeys(keys, job_id))
        passed, stack = {job_id}, [job_id]
        while stack:
            for edge in graph.nodes[stack.pop()].upstream:
                if edge.upstream in wanted:
                    nearest.add(edge.upstream)
                elif edge.upstream not in passed:
                    passed.add(edge.upstream)
                    stack.append(edge.upstream)
        found[job_id] = nearest
    return found


def _outcome(
    node: JobNode, earlier: Mapping[str, JobOutcome], context: RunContext, stopping: threading.Event
) -> JobOutcome:
    job, location = node.job, node.job.location()
    if node.stack is None:
        return _not_run(node, context)
    lost = [edge.upstream for edge in node.upstream if _is_lost(earlier.get(edge.upstream))]
    if lost:
        reason = f"it waits for {lost[0]}, which {_ended(earlier[lost[0]])}"
        context.reporter.job_skipped(job.id, reason)
        return JobOutcome(job.id, "skipped", location, reason=reason)
    try:
        return _tried(node, node.stack, context, stopping)
    except NotYetRun as missing:
        context.reporter.job_skipped(job.id, missing.message)
        return JobOutcome(job.id, "not_run", missing.location or location, reason=missing.message, error=missing)


def _tried(node: JobNode, stack: Stack, context: RunContext, stopping: threading.Event) -> JobOutcome:
    """Return how a job ended that was run, or planned where its manifest says `dryRun`."""
    job, started = node.job, time.perf_counter()
    try:
        if node.is_dry_run:
            plan = planned(node, stack, context)
            context.reporter.job_planned(job.id, plan)
            return JobOutcome(job.id, "planned", job.location(), plan=plan)
        result = _executed(node, stack, context, stopping)
    except NotYetRun:
        raise
    except DataOSError as error:
        failed: DataOSError = error
    except Exception as fault:  # noqa: BLE001 - whatever it is, the other jobs run; it is logged and this job fails
        redact_exception(fault)
        _log.exception("%s failed by a fault of dataos-dagster", job.id)
        failed = _of_fault(job, fault)
    else:
        return JobOutcome(job.id, "succeeded", job.location(), seconds=result.seconds, result=result)
    context.reporter.job_failed(job.id, failed)
    return JobOutcome(job.id, "failed", job.location(), seconds=time.perf_counter() - started, error=failed)


def _executed(node: JobNode, stack: Stack, context: RunContext, stopping: threading.Event) -> JobResult:
    """Run a job, and again as often as its `retry` says."""
    plan, started, done = retry_plan(node.job), time.monotonic(), 0
    while True:
        try:
            return execute_job(node, stack, context)
        except DataOSError as error:
            again = plan.repeats(error, done=done, seconds=time.monotonic() - started)
            if node.blocked or isinstance(error, NotYetRun) or not again or stopping.is_set():
                raise
            done += 1
            first_line = error.message.partition("\n")[0]
            wait = f"in {plan.delay:g} s " if plan.delay else ""
            context.reporter.note(node.job.id, f"tried again {wait}({done} of {plan.most}): {first_line}")
            if stopping.wait(plan.delay):
                raise


def _of_fault(job: Job, fault: Exception) -> JobError:
    """Return the error of a job that a fault of this program ended."""
    return JobError(
        f"{type(fault).__name__}: {fault}",
        hint="this is a fault of dataos-dagster, not of the manifest; the log has its traceback",
        location=job.location(),
    )


def _not_run(node: JobNode, context: RunContext) -> JobOutcome:
    """Return the outcome of a job that is left out, with the line that says why where there is one."""
    job = node.job
    reason, location = f"jobs of the stack {job.stack!r} are read and not yet run", job.location()
    if node.missing is not None:
        reason, location = node.missing.message, node.missing.location or location
    context.reporter.job_skipped(job.id, reason)
    if node.service is not None:
        # Nothing is missing: it is run elsewhere, and nobody here waits for it.
        return JobOutcome(job.id, "skipped", location, reason=reason)
    return JobOutcome(job.id, "not_run", location, reason=reason, error=node.missing)


def _is_lost(outcome: JobOutcome | None) -> bool:
    # A job that is not run is as if its datasets came from elsewhere: those who read them go on.
    return outcome is not None and outcome.state in {"failed", "skipped"}


def _ended(outcome: JobOutcome) -> str:
    return "failed" if outcome.state == "failed" else "was skipped"
