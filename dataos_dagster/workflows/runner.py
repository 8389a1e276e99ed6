"""Run jobs without a Dagster instance: in dependency order, independent ones side by side, on warm engines.

A failing job does not stop those that do not depend on it; those that do are skipped and say because of whom. A job
that runs has a session of its own, so that jobs which run at the same time do not see each other's views.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobError, NotYetRun, StateError
from dataos_dagster.identity import principal_of
from dataos_dagster.redaction import redact_exception
from dataos_dagster.workflows.ordering import work_in_order
from dataos_dagster.workflows.records import JobRecord
from dataos_dagster.workflows.results import JobOutcome, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import AssetPath, JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.stacks import Plan, Stack

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
            outcomes[job_id] = _outcome(graph.nodes[job_id], outcomes, context)

    def stop() -> None:
        stopping.set()
        context.sessions.abandon()

    if at_once > 1 and len(order) > 1:
        from dataos_dagster.depots.preloading import preload

        preload()
    work_in_order(_waits_for(graph, order), work, at_once=at_once, stop=stop)
    return RunSummary(context.run_id, tuple(outcomes[job_id] for job_id in order), time.perf_counter() - started)


def execute_job(job: Job, stack: Stack, context: RunContext) -> JobResult:
    """Run one job on behalf of its own principal and record it, whoever asks for it: the command line or Dagster.

    A job that asks for what this version does not run leaves no record: it was not tried. A record that cannot be
    written is a note: what the job wrote is there, and trying it again would write it twice.

    Raises:
        DataOSError: The job failed; outputs written before were told to `context.reporter` and are in the record.
    """
    context = replace(context, principal=principal_of_job(job, context.settings))
    record = JobRecord(job, stack, context, context.reporter)
    try:
        result = stack.run(job, replace(context, reporter=record))
    except NotYetRun:
        raise
    except DataOSError as error:
        _close(record, error=str(error))
        raise
    except BaseException as error:
        # An interrupt, or a fault of ours: the record must not say that the job is still running.
        _close(record, error=f"{type(error).__name__}: {error}")
        raise
    _close(record)
    context.reporter.job_finished(result)
    return result


def _close(record: JobRecord, *, error: str | None = None) -> None:
    """Close the record of a job that has ended; how it ended is the news, also when that cannot be recorded."""
    try:
        record.finish(error=error)
    except StateError as unrecorded:
        record.reporter.note(record.job.id, f"{record.job.label} is not in the history: {unrecorded.message}")


def principal_of_job(job: Job, settings: Settings) -> Principal:
    """Return on whose behalf a job reads and writes."""
    return principal_of(job.spec.run_as_user, job.workflow.envelope.owner, settings.identity)


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


def _outcome(node: JobNode, earlier: Mapping[str, JobOutcome], context: RunContext) -> JobOutcome:
    job, location = node.job, node.job.location()
    if node.stack is None:
        return _not_run(node, context)
    lost = [edge.upstream for edge in node.upstream if _is_lost(earlier.get(edge.upstream))]
    if lost:
        reason = f"it waits for {lost[0]}, which {_ended(earlier[lost[0]])}"
        context.reporter.job_skipped(job.id, reason)
        return JobOutcome(job.id, "skipped", location, reason=reason)
    try:
        return _tried(node, node.stack, context)
    except NotYetRun as missing:
        context.reporter.job_skipped(job.id, missing.message)
        return JobOutcome(job.id, "not_run", missing.location or location, reason=missing.message, error=missing)


def _tried(node: JobNode, stack: Stack, context: RunContext) -> JobOutcome:
    """Return how a job ended that was run, or planned where its manifest says `dryRun`."""
    job, started = node.job, time.perf_counter()
    try:
        if node.is_dry_run:
            plan = planned(node, stack, context)
            context.reporter.job_planned(job.id, plan)
            return JobOutcome(job.id, "planned", job.location(), plan=plan)
        result = _executed(node, stack, context)
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


def _executed(node: JobNode, stack: Stack, context: RunContext) -> JobResult:
    if node.blocked:
        error = blocked_error(node)
        context = replace(context, principal=principal_of_job(node.job, context.settings))
        _close(JobRecord(node.job, stack, context, context.reporter), error=str(error))
        raise error
    return execute_job(node.job, stack, context)


def planned(node: JobNode, stack: Stack, context: RunContext) -> Plan:
    """Return the plan of a job on behalf of its own principal; no data is touched and no engine started.

    Raises:
        DataOSError: It cannot be planned; running it would fail the same way.
    """
    if node.blocked:
        raise blocked_error(node)
    return stack.plan(node.job, replace(context, principal=principal_of_job(node.job, context.settings)))


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
    return JobOutcome(job.id, "not_run", location, reason=reason, error=node.missing)


def blocked_error(node: JobNode) -> JobError:
    """Return the error of a job whose manifest has one."""
    from dataos_dagster.errors import Location

    first = node.blocked[0]
    place = Location(first.file, first.line, first.column, (first.end_line, first.end_column))
    return JobError(first.message, hint=first.hint or None, location=place)


def _is_lost(outcome: JobOutcome | None) -> bool:
    # A job that is not run is as if its datasets came from elsewhere: those who read them go on.
    return outcome is not None and outcome.state in {"failed", "skipped"}


def _ended(outcome: JobOutcome) -> str:
    return "failed" if outcome.state == "failed" else "was skipped"
