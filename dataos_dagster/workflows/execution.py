"""Run single jobs on what the jobs of one run share: the door, warm engine sessions and the state database.

A run in Dagster and one of `dataos run` make one `JobRunner` each and close it at the end, which ends every engine that
was started for it. What a job does not need is never opened.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from dataos_dagster.errors import DataOSError, JobError, Location, NotYetRun, StateError
from dataos_dagster.identity import principal_of
from dataos_dagster.workflows.context import RunContext
from dataos_dagster.workflows.records import JobRecord
from dataos_dagster.workflows.results import Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.door import Door
    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.identity import Principal
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import EngineName, Settings
    from dataos_dagster.state.database import State
    from dataos_dagster.workflows.graph import JobNode
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import JobResult
    from dataos_dagster.workflows.stacks import Plan, Stack


class JobRunner:
    """Runs jobs of one project.

    Args:
        project: The project whose depots and secrets jobs use.
        settings: Its settings.
        engine: Engine that the caller asks for; None leaves it to the settings.
        catalog: The depots; None takes those that the project declares.
    """

    def __init__(
        self,
        project: Project,
        settings: Settings,
        *,
        engine: EngineName | Literal["auto"] | None = None,
        catalog: DepotCatalog | None = None,
    ) -> None:
        self.project = project
        self.settings = settings
        self.engine = engine
        self.catalog = catalog
        self._first_starts: dict[str, float] = {}
        self._open = ExitStack()

    @cached_property
    def door(self) -> Door:
        """Return the way to the data."""
        from dataos_dagster.depots.catalog import DepotCatalog
        from dataos_dagster.depots.door import Door

        return Door(self.catalog or DepotCatalog.from_project(self.project, self.settings))

    @cached_property
    def sessions(self) -> Sessions:
        """Return the engine sessions; they stay warm until this is closed."""
        from dataos_dagster.engines.session import Sessions

        return self._open.enter_context(Sessions(self.settings))

    @cached_property
    def state(self) -> State:
        """Return the state database."""
        from dataos_dagster.state.database import State

        return State.open(self.settings)

    @cached_property
    def availability(self) -> Availability:
        """Return which engines this machine has."""
        from dataos_dagster.engines.availability import availability

        return availability(self.settings.engines)

    def context(
        self,
        run_id: str,
        reporter: Reporter | None = None,
        *,
        record: bool = True,
        in_dagster: bool = False,
        keys: Mapping[str, str] | None = None,
    ) -> RunContext:
        """Return what jobs are given to run, on behalf of the project's own identity.

        Args:
            run_id: Identifies the run.
            reporter: Who is told what happens.
            record: Leave records in the state database.
            in_dagster: `run_id` is one of Dagster's.
            keys: Values of keys of incremental inputs, for this run only.
        """
        return RunContext(
            door=self.door,
            sessions=self.sessions,
            availability=self.availability,
            settings=self.settings,
            principal=principal_of(None, None, self.settings.identity),
            run_id=run_id,
            state=self.state if record else None,
            dagster_run_id=run_id if in_dagster else None,
            engine=self.engine,
            reporter=reporter or Reporter(),
            keys=keys or {},
        )

    def run(
        self,
        node: JobNode,
        run_id: str,
        reporter: Reporter | None = None,
        *,
        in_dagster: bool = False,
        keys: Mapping[str, str] | None = None,
    ) -> JobResult:
        """Run a job on behalf of whoever its manifest names, and record it in the state database.

        Raises:
            DataOSError: The job failed, or what it needs cannot be had.
            ValueError: Jobs of this stack are not run.
        """
        if node.stack is None:
            raise ValueError(f"{node.job.label} is not run")
        self._first_starts.setdefault(node.job.id, time.monotonic())
        return execute_job(node, node.stack, self.context(run_id, reporter, in_dagster=in_dagster, keys=keys))

    def plan(self, node: JobNode, run_id: str) -> Plan:
        """Return what a job would do; no rows are read, no engine but the embedded one is started, nothing is recorded.

        Raises:
            DataOSError: It cannot be planned.
            ValueError: Jobs of this stack are not run.
        """
        if node.stack is None:
            raise ValueError(f"{node.job.label} is not run")
        return planned(node, node.stack, self.context(run_id, record=False))

    def seconds_since_first_start(self, job_id: str) -> float:
        """Return how long ago a job first began here, retries included; 0 for one that it has not begun."""
        return time.monotonic() - self._first_starts.get(job_id, time.monotonic())

    def interrupt(self) -> None:
        """Cancel what runs on the engines; what was committed stays."""
        if "sessions" in self.__dict__:
            self.sessions.interrupt()

    def close(self) -> None:
        """End the sessions and every engine that was started for them."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def execute_job(node: JobNode, stack: Stack, context: RunContext) -> JobResult:
    """Run one job on behalf of its own principal and record it, whoever asks for it: the command line or Dagster.

    A job that asks for what this version does not run leaves no record: it was not tried. A record that cannot be
    written is a note: what the job wrote is there, and trying it again would write it twice.

    The seconds of the result are those of the record: from here to the end of the job, its plan and the start of its
    engine included.

    Raises:
        DataOSError: The job failed; outputs written before were told to `context.reporter` and are in the record.
    """
    job = node.job
    context = replace(context, principal=principal_of_job(job, context.settings))
    began = time.monotonic()
    record = JobRecord(job=job, stack=stack, context=context, reporter=context.reporter, started_at=datetime.now(UTC))
    try:
        result = _work(node, stack, replace(context, reporter=record))
    except NotYetRun:
        raise
    except DataOSError as error:
        _close(record, began, error=str(error))
        raise
    except BaseException as error:
        # An interrupt, or a fault of ours: the record must not say that the job is still running.
        interrupted = isinstance(error, KeyboardInterrupt)
        _close(record, began, error="the run was interrupted" if interrupted else f"{type(error).__name__}: {error}")
        raise
    record.reasons = result.engine_reasons
    result = replace(result, seconds=_close(record, began))
    context.reporter.job_finished(result)
    return result


def _work(node: JobNode, stack: Stack, context: RunContext) -> JobResult:
    if node.blocked:
        raise blocked_error(node)
    return stack.run(node.job, context)


def _close(record: JobRecord, began: float, *, error: str | None = None) -> float:
    """Close the record of a job that has ended, tell its seconds, and return them.

    They are measured once, so that all who tell them agree, and by a clock that nobody sets back. How the job ended is
    the news, also when that cannot be recorded.
    """
    lasted = timedelta(seconds=time.monotonic() - began)
    try:
        record.finish(record.started_at + lasted, error=error)
    except StateError as unrecorded:
        record.reporter.note(record.job.id, f"{record.job.label} is not in the history: {unrecorded.message}")
    record.job_ended(record.job.id, lasted.total_seconds())
    return lasted.total_seconds()


def principal_of_job(job: Job, settings: Settings) -> Principal:
    """Return on whose behalf a job reads and writes."""
    return principal_of(job.spec.run_as_user, job.workflow.envelope.owner, settings.identity)


def planned(node: JobNode, stack: Stack, context: RunContext) -> Plan:
    """Return the plan of a job on behalf of its own principal; no rows are read.

    Raises:
        DataOSError: It cannot be planned; running it would fail the same way.
    """
    if node.blocked:
        raise blocked_error(node)
    return stack.plan(node.job, replace(context, principal=principal_of_job(node.job, context.settings)))


def blocked_error(node: JobNode) -> JobError:
    """Return the first error of a job whose manifest has one."""
    return blocked_errors(node)[0]


def blocked_errors(node: JobNode) -> tuple[JobError, ...]:
    """Return the errors of a job's manifest that keep it from running."""
    return tuple(
        JobError(
            found.message,
            hint=found.hint or None,
            location=Location(found.file, found.line, found.column, (found.end_line, found.end_column)),
        )
        for found in node.blocked
    )
