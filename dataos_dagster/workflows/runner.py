"""Run jobs without a Dagster instance: in dependency order, one after the other, on warm sessions.

A failing job does not stop those that do not depend on it; those that do are skipped and say because of whom. Jobs run
one at a time: an engine uses all cores for one job, and two would only share them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobError, NotYetRun, StateError
from dataos_dagster.identity import principal_of
from dataos_dagster.redaction import redact_exception
from dataos_dagster.workflows.records import JobRecord
from dataos_dagster.workflows.results import JobOutcome, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.stacks import Stack

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the jobs of a run ended, in the order they were come by."""

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


def run_jobs(graph: JobGraph, selected: Iterable[str], context: RunContext) -> RunSummary:
    """Run jobs of a project, each after those of them that it waits for.

    Args:
        graph: All jobs of the project.
        selected: Ids of the jobs to run; jobs that they wait for and that are not selected are taken as done.
        context: Its principal is replaced for every job by that of the job.

    Whatever goes wrong in a job is its outcome; a fault of this program is logged with its traceback.
    """
    started = time.perf_counter()
    outcomes: dict[str, JobOutcome] = {}
    for job_id in graph.order(selected):
        outcomes[job_id] = _outcome(graph.nodes[job_id], outcomes, context)
    return RunSummary(context.run_id, tuple(outcomes.values()), time.perf_counter() - started)


def execute_job(job: Job, stack: Stack, context: RunContext) -> JobResult:
    """Run one job and record it in the state database, whoever asks for it: the command line or Dagster.

    A job that asks for what this version does not run leaves no record: it was not tried. A record that cannot be
    written is a note: what the job wrote is there, and trying it again would write it twice.

    Raises:
        DataOSError: The job failed; outputs written before were told to `context.reporter` and are in the record.
    """
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


def _outcome(node: JobNode, earlier: Mapping[str, JobOutcome], context: RunContext) -> JobOutcome:
    job, location = node.job, node.job.location()
    if node.stack is None:
        return _not_run(node, context)
    lost = [edge.upstream for edge in node.upstream if _is_lost(earlier.get(edge.upstream))]
    if lost:
        reason = f"it waits for {lost[0]}, which {_ended(earlier[lost[0]])}"
        context.reporter.job_skipped(job.id, reason)
        return JobOutcome(job.id, "skipped", location, reason=reason)
    started = time.perf_counter()
    try:
        result = _executed(node, node.stack, context)
    except NotYetRun as missing:
        context.reporter.job_skipped(job.id, missing.message)
        return JobOutcome(job.id, "not_run", missing.location or location, reason=missing.message, error=missing)
    except DataOSError as error:
        context.reporter.job_failed(job.id, error)
        return JobOutcome(job.id, "failed", location, seconds=time.perf_counter() - started, error=error)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the other jobs run; it is logged and this job fails
        redact_exception(fault)
        _log.exception("%s failed by a fault of dataos-dagster", job.id)
        failed = _of_fault(job, fault)
        context.reporter.job_failed(job.id, failed)
        return JobOutcome(job.id, "failed", location, seconds=time.perf_counter() - started, error=failed)
    return JobOutcome(job.id, "succeeded", location, seconds=result.seconds, result=result)


def _executed(node: JobNode, stack: Stack, context: RunContext) -> JobResult:
    if node.blocked:
        raise blocked_error(node)
    return execute_job(node.job, stack, replace(context, principal=principal_of_job(node.job, context.settings)))


def _of_fault(job: Job, fault: Exception) -> JobError:
    """Return the error of a job that a fault of this program ended."""
    return JobError(
        f"{job.label}: {type(fault).__name__}: {fault}",
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
    place = Location(first.file, first.line, first.column)
    return JobError(f"{node.job.label}: {first.message}", hint=first.hint or None, location=place)


def _is_lost(outcome: JobOutcome | None) -> bool:
    # A job that is not run is as if its datasets came from elsewhere: those who read them go on.
    return outcome is not None and outcome.state in {"failed", "skipped"}


def _ended(outcome: JobOutcome) -> str:
    return "failed" if outcome.state == "failed" else "was skipped"
