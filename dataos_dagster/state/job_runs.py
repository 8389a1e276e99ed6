"""The record of every run of every job: who ran what, on which engine, what it wrote, and how it ended."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import or_, select, update

from dataos_dagster.errors import StateError
from dataos_dagster.redaction import redact
from dataos_dagster.state.models import JobRunRow
from dataos_dagster.state.workers import is_gone, this_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from dataos_dagster.settings import EngineName
    from dataos_dagster.state.database import Database

# `dead` is never stored: it is how a run that is still marked running looks once its process is gone.
JobRunStatus = Literal["running", "succeeded", "failed", "dead"]
Outcome = Literal["succeeded", "failed"]

# Runs that are shown unless more are asked for, and ids that an error names.
_LATEST, _NAMED = 50, 5


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """A column of a dataset, as it was after a write."""

    name: str
    type: str
    nullable: bool = True
    comment: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """A dataset that a run has written or maintained.

    Attributes:
        dataset: Address, or the standalone location.
        rows: Rows of this write; None when the store does not say.
        bytes: Bytes of the files of this write, when the store says.
        columns: Columns of the dataset after the write; empty for what older versions recorded.
        total_rows: Rows of the dataset after the write, when the store says.
        rows_deleted: Rows that were deleted, where that is what the run did.
        action: What maintenance was done that changed no rows, such as `expire_snapshots`; None for a write.
        summary: What it came to, in words.
        counts: What it counted, by name.
    """

    dataset: str
    rows: int | None = None
    bytes: int | None = None
    snapshot_id: str | None = None
    branch: str | None = None
    columns: tuple[ColumnRecord, ...] = ()
    total_rows: int | None = None
    rows_deleted: int | None = None
    action: str | None = None
    summary: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobRunStart:
    """What is known when a job begins.

    Attributes:
        job: `workspace/workflow/job`.
        run_id: The run that it is part of: one for `dataos run`, Dagster's own in Dagster.
        engine: None while the engine is not chosen yet; `finish` may add it.
        started_at: When it began, UTC; default now.
    """

    job: str
    workspace: str
    workflow: str
    principal: str
    run_id: str
    dagster_run_id: str | None = None
    engine: EngineName | None = None
    engine_reasons: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of one job, as it is recorded. Times are UTC; `seconds` is None while it runs."""

    id: str
    run_id: str
    dagster_run_id: str | None
    job: str
    workspace: str
    workflow: str
    principal: str
    engine: str | None
    engine_reasons: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[OutputRecord, ...]
    rows: int | None
    status: JobRunStatus
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def written(self) -> tuple[OutputRecord, ...]:
        """Return what it has written."""
        return tuple(output for output in self.outputs if output.action is None)

    @property
    def maintained(self) -> tuple[OutputRecord, ...]:
        """Return the maintenance that it has done without changing rows."""
        return tuple(output for output in self.outputs if output.action is not None)

    @property
    def seconds(self) -> float | None:
        """Return how long it took, from its plan to its end; the start of its engine is part of it."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


class JobRuns:
    """Reads and writes the table `job_runs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, run: JobRunStart) -> str:
        """Record that this process begins a job, and return the record's id.

        Raises:
            StateError: The database cannot be written.
        """
        host, pid, process_started = this_process()
        row = JobRunRow(
            **asdict(replace(run, engine_reasons=(), inputs=())),
            id=uuid.uuid4().hex,
            outputs=[],
            rows=None,
            status="running",
            host=host,
            pid=pid,
            process_started=process_started,
        )
        row.engine_reasons, row.inputs = list(run.engine_reasons), list(run.inputs)
        identifier = row.id
        with self._database.writing() as session:
            session.add(row)
        return identifier

    def finish(
        self,
        run: str,
        outcome: Outcome,
        *,
        outputs: Sequence[OutputRecord] = (),
        error: str | None = None,
        finished_at: datetime | None = None,
        engine: EngineName | None = None,
        engine_reasons: Sequence[str] | None = None,
        inputs: Sequence[str] | None = None,
    ) -> None:
        """Record how a job ended; known secret values in `error` are masked.

        Args:
            run: The id that `start` returned.
            outcome: Whether it did its work.
            outputs: What was written, also before a failure.
            error: Why it failed.
            finished_at: When it ended, UTC; default now.
            engine: Replaces what `start` recorded when it is given.
            engine_reasons: The same.
            inputs: The same.

        Raises:
            StateError: There is no such run, or the database cannot be written.
        """
        counts = [output.rows for output in outputs if output.rows is not None]
        values = {
            "status": outcome,
            "outputs": [asdict(output) for output in outputs],
            "rows": sum(counts) if counts else None,
            "error": redact(error) if error is not None else None,
            "finished_at": finished_at or datetime.now(UTC),
            "engine": engine,
            "engine_reasons": None if engine_reasons is None else list(engine_reasons),
            "inputs": None if inputs is None else list(inputs),
        }
        keep = ("engine", "engine_reasons", "inputs")
        values = {name: value for name, value in values.items() if value is not None or name not in keep}
        with self._database.writing() as session:
            found = session.execute(
                update(JobRunRow).where(JobRunRow.id == run).values(values).returning(JobRunRow.id)
            ).all()
            if not found:
                raise StateError(f"no job run {run} is recorded", hint="was the state database replaced meanwhile?")

    def history(self, limit: int | None = None, job: str | None = None, run: str | None = None) -> list[JobRun]:
        """Return the latest runs, newest first.

        Args:
            limit: At most so many; None: 50, and all jobs of a run that is asked for.
            job: Only runs of this job: `workspace/workflow/job`, or its last parts (`workflow/job`, `job`).
            run: Only those that were part of this run; the beginning of its id does when it means one run.

        Raises:
            StateError: The database cannot be read, or the beginning of an id means no run, or several.
        """
        if limit is None and run is None:
            limit = _LATEST
        query = select(JobRunRow).order_by(JobRunRow.started_at.desc(), JobRunRow.id).limit(limit)
        if job is not None:
            query = query.where(or_(JobRunRow.job == job, JobRunRow.job.endswith(f"/{job}", autoescape=True)))
        with self._database.reading() as session:
            if run is not None:
                query = query.where(JobRunRow.run_id == _whole_id(session, run))
            return [_job_run(row) for row in session.scalars(query)]

    def ended_outside_dagster(self, since: datetime, limit: int) -> list[JobRun]:
        """Return runs that are no part of a run of Dagster and have ended, those that ended first in front.

        Args:
            since: Only runs that ended then or later.
            limit: At most so many.

        Raises:
            StateError: The database cannot be read.
        """
        query = (
            select(JobRunRow)
            .where(JobRunRow.dagster_run_id.is_(None), JobRunRow.finished_at >= since)
            .order_by(JobRunRow.finished_at, JobRunRow.id)
            .limit(limit)
        )
        with self._database.reading() as session:
            return [_job_run(row) for row in session.scalars(query)]

    def get(self, run: str) -> JobRun | None:
        """Return one run by its id, or None."""
        with self._database.reading() as session:
            row = session.get(JobRunRow, run)
            return _job_run(row) if row else None


def _whole_id(session: Session, beginning: str) -> str:
    """Return the id of the one run that begins like this.

    Raises:
        StateError: None does, or several do.
    """
    if not beginning:
        raise StateError("the id of a run is empty", hint="`dataos history --json` has the ids of runs")
    begins = JobRunRow.run_id.startswith(beginning, autoescape=True)
    found = session.scalars(select(JobRunRow.run_id).where(begins).distinct().order_by(JobRunRow.run_id)).all()
    if len(found) == 1:
        return found[0]
    if beginning in found:
        return beginning
    if not found:
        raise unknown_run(beginning)
    named = ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
    raise StateError(f"{beginning} means {len(found)} runs: {named}", hint="write more of its id")


def unknown_run(beginning: str) -> StateError:
    """Return the error of who asks for a run that is not recorded."""
    return StateError(f"no run {beginning} is recorded", hint="`dataos history --json` has the ids of runs")


def _job_run(row: JobRunRow) -> JobRun:
    return JobRun(
        id=row.id,
        run_id=row.run_id,
        dagster_run_id=row.dagster_run_id,
        job=row.job,
        workspace=row.workspace,
        workflow=row.workflow,
        principal=row.principal,
        engine=row.engine,
        engine_reasons=tuple(row.engine_reasons),
        inputs=tuple(row.inputs),
        outputs=tuple(_output(output) for output in row.outputs),
        rows=row.rows,
        status=_status(row),
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _output(stored: dict[str, Any]) -> OutputRecord:
    written = stored.get("columns", ())
    columns = tuple(ColumnRecord(**column | {"tags": tuple(column.get("tags", ()))}) for column in written)
    return OutputRecord(**stored | {"columns": columns})


def _status(row: JobRunRow) -> JobRunStatus:
    """Return the stored status, or `dead` for a run of this machine whose process is gone.

    Of other machines nothing is known from here: their runs stay as they are recorded.
    """
    if row.status == "running" and is_gone(row.host, row.pid, row.process_started):
        return "dead"
    status: JobRunStatus = row.status  # type: ignore[assignment]  # only this module writes the column
    return status
