"""Run jobs without a Dagster instance: in dependency order, one after the other, on warm sessions.

A failing job does not stop those that do not depend on it; those that do are skipped and say because of whom. Jobs run
one at a time: an engine uses all cores for one job, and two would only share them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobError, NotYetRun
from dataos_dagster.identity import principal_of
from dataos_dagster.workflows.results import JobOutcome, JobResult, Silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import EngineName, Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import OutputResult, Preview, Reporter
    from dataos_dagster.workflows.stacks import Stack


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

    Raises:
        StateError: The state database cannot be written. Everything else that goes wrong is an outcome.
    """
    started = time.perf_counter()
    outcomes: dict[str, JobOutcome] = {}
    for job_id in graph.order(selected):
        outcomes[job_id] = _outcome(graph.nodes[job_id], outcomes, context)
    return RunSummary(context.run_id, tuple(outcomes.values()), time.perf_counter() - started)


def execute_job(job: Job, stack: Stack, context: RunContext) -> JobResult:
    """Run one job and record it in the state database, whoever asks for it: the command line or Dagster.

    A job that asks for what this version does not run leaves no record: it was not tried.

    Raises:
        DataOSError: The job failed; outputs written before were told to `context.reporter` and are in the record.
    """
    listener = _Listener(context.reporter)
    context = replace(context, reporter=listener)
    missing = stack.not_yet_run(job)
    if missing:
        raise missing[0]
    record = _start(job, context, stack)
    try:
        result = stack.run(job, context)
    except DataOSError as error:
        _finish(record, context, listener, error=str(error))
        raise
    except BaseException as error:
        # An interrupt, or a fault of ours: the record must not say that the job is still running.
        _finish(record, context, listener, error=f"{type(error).__name__}: {error}")
        raise
    _finish(record, context, listener)
    context.reporter.job_finished(result)
    return result


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
        if node.blocked:
            raise blocked_error(node)
        mine = replace(context, principal=principal_of_job(job, context.settings))
        result = execute_job(job, node.stack, mine)
    except NotYetRun as missing:
        context.reporter.job_skipped(job.id, missing.message)
        return JobOutcome(job.id, "not_run", missing.location or location, reason=missing.message, error=missing)
    except DataOSError as error:
        context.reporter.job_failed(job.id, error)
        return JobOutcome(job.id, "failed", location, seconds=time.perf_counter() - started, error=error)
    return JobOutcome(job.id, "succeeded", location, seconds=result.seconds, result=result)


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


@dataclass
class _Listener:
    """Passes everything on, and keeps what the record of a job needs."""

    reporter: Reporter = field(default_factory=Silence)
    outputs: list[OutputResult] = field(default_factory=list)
    engine: EngineName | None = None
    reasons: tuple[str, ...] = ()

    def job_started(self, job_id: str, engine: EngineName, reasons: tuple[str, ...]) -> None:
        self.engine, self.reasons = engine, reasons
        self.reporter.job_started(job_id, engine, reasons)

    def step_started(self, job_id: str, label: str) -> None:
        self.reporter.step_started(job_id, label)

    def step_finished(self, job_id: str, label: str, rows: int | None, seconds: float) -> None:
        self.reporter.step_finished(job_id, label, rows, seconds)

    def output_written(self, job_id: str, output: OutputResult) -> None:
        self.outputs.append(output)
        self.reporter.output_written(job_id, output)

    def preview(self, job_id: str, preview: Preview) -> None:
        self.reporter.preview(job_id, preview)

    def note(self, job_id: str, message: str) -> None:
        self.reporter.note(job_id, message)

    def job_finished(self, result: JobResult) -> None:
        self.reporter.job_finished(result)

    def job_failed(self, job_id: str, error: DataOSError) -> None:
        self.reporter.job_failed(job_id, error)

    def job_skipped(self, job_id: str, reason: str) -> None:
        self.reporter.job_skipped(job_id, reason)


def _start(job: Job, context: RunContext, stack: Stack) -> str | None:
    if context.state is None:
        return None
    from dataos_dagster.state.job_runs import JobRunStart

    return context.state.job_runs.start(
        JobRunStart(
            job=job.id,
            workspace=job.workspace,
            workflow=job.workflow.name,
            principal=context.principal.name,
            run_id=context.run_id,
            dagster_run_id=context.dagster_run_id,
            inputs=tuple(str(address) for address in stack.reads(job)),
        )
    )


def _finish(record: str | None, context: RunContext, listener: _Listener, *, error: str | None = None) -> None:
    if context.state is None or record is None:
        return
    from dataos_dagster.state.job_runs import OutputRecord

    context.state.job_runs.finish(
        record,
        "failed" if error is not None else "succeeded",
        outputs=[
            OutputRecord(output.dataset, output.rows, output.bytes, output.snapshot_id, output.branch)
            for output in listener.outputs
        ],
        error=error,
        engine=listener.engine,
        engine_reasons=listener.reasons,
    )
