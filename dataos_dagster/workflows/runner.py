"""Run jobs without a Dagster instance: in dependency order, independent ones side by side, on warm engines.

A failing job does not stop those that do not depend on it; those that do are skipped and say because of whom. A job
that runs has a session of its own, so that jobs which run at the same time do not see each other's views.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobError, JobInterrupted, NotYetRun, StateError
from dataos_dagster.redaction import redact_exception
from dataos_dagster.workflows.execution import execute_job, planned, principal_of_job
from dataos_dagster.workflows.limits import DepotLimits
from dataos_dagster.workflows.ordering import work_in_order
from dataos_dagster.workflows.relay import Progress
from dataos_dagster.workflows.results import JobOutcome
from dataos_dagster.workflows.retries import retry_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import AssetPath, JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.stacks import Stack

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the jobs of a run ended, in an order in which they could have run one by one."""

    run_id: str
    outcomes: tuple[JobOutcome, ...]
    seconds: float
    interrupted: bool = False

    @property
    def failed(self) -> tuple[JobOutcome, ...]:
        """Return the jobs that failed."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")

    @property
    def not_run(self) -> tuple[JobOutcome, ...]:
        """Return the jobs that this version does not run."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "not_run")


class RunInterrupted(KeyboardInterrupt):
    """Somebody interrupted a run; `summary` tells what had become of its jobs by then."""

    def __init__(self, summary: RunSummary) -> None:
        super().__init__()
        self.summary = summary


def run_jobs(
    graph: JobGraph, selected: Iterable[str], context: RunContext, *, at_once: int = 1, left_over: Iterable[str] = ()
) -> RunSummary:
    """Run jobs of a project, each after those of them that it waits for.

    Args:
        graph: All jobs of the project.
        selected: Ids of the jobs to run; jobs that they wait for and that are not selected are taken as done.
        context: Its principal is replaced for every job by that of the job.
        at_once: How many independent jobs run at the same time.
        left_over: Jobs of the last run that are still to be done, and not by this one: its record keeps them.

    Whatever goes wrong in a job is its outcome; a fault of this program is logged with its traceback.

    Raises:
        RunInterrupted: Somebody pressed Ctrl-C. Jobs at work have ended, and no other was begun.
    """
    started = time.perf_counter()
    order = graph.order(selected)
    run = _Run(graph, context)
    if at_once > 1 and len(order) > 1:
        from dataos_dagster.depots.preloading import preload

        preload()
    slots = DepotLimits(graph.nodes, context.settings)
    to_do = [job_id for job_id in order if graph.nodes[job_id].is_run and not graph.nodes[job_id].is_dry_run]
    try:
        with _recorded(context, to_do, left_over):
            work_in_order(_waits_for(graph, order), run.work, at_once=at_once, stop=run.stop, slots=slots)
    except KeyboardInterrupt as interrupt:
        run.end_interrupted(order)
        raise RunInterrupted(_summary(run, order, started, interrupted=True)) from interrupt
    return _summary(run, order, started)


def _summary(run: _Run, order: Iterable[str], started: float, *, interrupted: bool = False) -> RunSummary:
    outcomes = tuple(run.outcomes[job_id] for job_id in order)
    return RunSummary(run.context.run_id, outcomes, time.perf_counter() - started, interrupted=interrupted)


@contextmanager
def _recorded(context: RunContext, jobs: Sequence[str], left_over: Iterable[str]) -> Iterator[None]:
    """Record which jobs a run is to do, and whether it got to its end: those that it never began are done later."""
    if context.state is None or not jobs:
        yield
        return
    runs = context.state.runs
    runs.begin(context.run_id, [*jobs, *left_over])
    try:
        yield
    except BaseException:
        with suppress(StateError):  # what ended the run is the news
            runs.finish(context.run_id, "interrupted")
        raise
    try:
        runs.finish(context.run_id, "ended")
    except StateError as error:
        # Every job has ended, and says so in its own record.
        _log.warning("the end of run %s is not recorded: %s", context.run_id, error.message)


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


@dataclass
class _Tries:
    """The tries of a job.

    Attributes:
        first_started: When it was begun first, in monotonic seconds.
        last_started: When its last try was.
        progress: What it has done in all of them.
        done: How often it was tried again.
    """

    first_started: float
    last_started: float
    progress: Progress
    done: int = 0


class _Run:
    """The work of one run: each job until it has ended, and how it did.

    Args:
        graph: All jobs of the project.
        context: Of the run.
    """

    def __init__(self, graph: JobGraph, context: RunContext) -> None:
        self.outcomes: dict[str, JobOutcome] = {}
        self._graph = graph
        self.context = context
        self._tries: dict[str, _Tries] = {}
        self._stopping = threading.Event()

    def work(self, job_id: str) -> float | None:
        """Run a job; return after how many seconds it is to be tried again, or None when it has ended."""
        if self._stopping.is_set():
            return None
        ended = self._outcome(self._graph.nodes[job_id])
        if isinstance(ended, JobOutcome):
            self.outcomes[job_id] = ended
            return None
        return ended

    def stop(self) -> None:
        """Make jobs that run end soon, and begin none."""
        self._stopping.set()
        self.context.sessions.abandon()

    def end_interrupted(self, order: Iterable[str]) -> None:
        """Say of every job that has not ended what became of it."""
        for job_id in order:
            if job_id in self.outcomes:
                continue
            job = self._graph.nodes[job_id].job
            if job_id in self._tries:
                self.outcomes[job_id] = self._failed(job, _interrupted(job))
            else:
                reason = "the run was interrupted before"
                self.context.reporter.job_skipped(job_id, reason)
                self.outcomes[job_id] = JobOutcome(job_id, "skipped", job.location(), reason=reason)

    def _outcome(self, node: JobNode) -> JobOutcome | float:
        job, location, reporter = node.job, node.job.location(), self.context.reporter
        if node.stack is None:
            return _not_run(node, self.context)
        lost = [edge.upstream for edge in node.upstream if _is_lost(self.outcomes.get(edge.upstream))]
        if lost:
            reason = f"it waits for {lost[0]}, which {_ended(self.outcomes[lost[0]])}"
            reporter.job_skipped(job.id, reason)
            return JobOutcome(job.id, "skipped", location, reason=reason)
        try:
            return self._tried(node, node.stack)
        except NotYetRun as missing:
            reporter.job_skipped(job.id, missing.message)
            return JobOutcome(job.id, "not_run", missing.location or location, reason=missing.message, error=missing)

    def _tried(self, node: JobNode, stack: Stack) -> JobOutcome | float:
        """Return how a job ended that was run, or planned where its manifest says `dryRun`."""
        job = node.job
        now = time.monotonic()
        tries = self._tries.setdefault(job.id, _Tries(now, now, Progress(self.context.reporter)))
        tries.last_started = now
        try:
            if node.is_dry_run:
                plan = planned(node, stack, self.context)
                self.context.reporter.job_planned(job.id, plan)
                return JobOutcome(job.id, "planned", job.location(), plan=plan)
            result = execute_job(node, stack, replace(self.context, reporter=tries.progress))
        except NotYetRun:
            raise
        except DataOSError as error:
            failed: DataOSError = error
            pause = None if node.blocked else self._pause(job, error, tries)
            if pause is not None:
                return pause
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other jobs run; it is logged and this job fails
            redact_exception(fault)
            _log.exception("%s failed by a fault of dataos-dagster", job.id)
            failed = _of_fault(job, fault)
        else:
            return JobOutcome(job.id, "succeeded", job.location(), seconds=result.seconds, result=result)
        return self._failed(job, _interrupted(job) if self._stopping.is_set() else failed)

    def _failed(self, job: Job, error: DataOSError) -> JobOutcome:
        """Report that a job has failed, and return that with what it had done."""
        tries = self._tries[job.id]
        told = tries.progress.seconds  # of a job that could not even be begun nobody has told them
        seconds = time.monotonic() - tries.last_started if told is None else told
        self.context.reporter.job_failed(job.id, error, seconds)
        done = tries.progress.result(job.id, principal_of_job(job, self.context.settings), seconds)
        return JobOutcome(job.id, "failed", job.location(), seconds=seconds, result=done, error=error)

    def _pause(self, job: Job, error: DataOSError, tries: _Tries) -> float | None:
        """Return after how many seconds a job is tried again, or None when its `retry` does not say so."""
        plan = retry_plan(job)
        again = plan.repeats(error, done=tries.done, seconds=time.monotonic() - tries.first_started)
        if not again or self._stopping.is_set():
            return None
        tries.done += 1
        wait = f"in {plan.delay:g} s " if plan.delay else ""
        first_line = error.message.partition("\n")[0]
        tries.progress.note(job.id, f"tried again {wait}({tries.done} of {plan.most}): {first_line}")
        return plan.delay


def _interrupted(job: Job) -> JobInterrupted:
    return JobInterrupted("the run was interrupted", location=job.location())


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
