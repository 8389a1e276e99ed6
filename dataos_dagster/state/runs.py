"""The record of every run outside of Dagster: which jobs it was to do, and whether it got to its end.

How each job ended is in `job_runs`; a job that an interrupted run never began is only here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select, update

from dataos_dagster.state.models import JobRunRow, RunRow
from dataos_dagster.state.workers import is_gone, this_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from dataos_dagster.state.database import Database

# `dead` is never stored: it is how a run that is still marked running looks once its process is gone.
RunStatus = Literal["running", "ended", "interrupted", "dead"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of jobs.

    Attributes:
        jobs: Ids of the jobs that it was to do, in order.
        left: Those of them that have not succeeded: failed, skipped, or never begun.
        begun: Those of them that were begun.
        host: Machine of the process that does it.
        pid: Number of that process.
    """

    run_id: str
    jobs: tuple[str, ...]
    left: tuple[str, ...]
    begun: frozenset[str]
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None
    host: str
    pid: int


class Runs:
    """Reads and writes the table `runs`.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run_id: str, jobs: Sequence[str]) -> None:
        """Record that this process begins a run of jobs.

        Raises:
            StateError: The database cannot be written.
        """
        host, pid, process_started = this_process()
        row = RunRow(
            run_id=run_id,
            jobs=list(jobs),
            status="running",
            started_at=datetime.now(UTC),
            host=host,
            pid=pid,
            process_started=process_started,
        )
        with self._database.writing() as session:
            session.add(row)

    def finish(self, run_id: str, status: Literal["ended", "interrupted"]) -> None:
        """Record that a run has got to its end, however its jobs ended, or was interrupted.

        Raises:
            StateError: The database cannot be written.
        """
        values = {"status": status, "finished_at": datetime.now(UTC)}
        with self._database.writing() as session:
            session.execute(update(RunRow).where(RunRow.run_id == run_id).values(values))

    def last(self) -> Run | None:
        """Return the run that was begun last, or None when there is none.

        Raises:
            StateError: The database cannot be read.
        """
        with self._database.reading() as session:
            row = session.scalars(select(RunRow).order_by(RunRow.started_at.desc(), RunRow.run_id).limit(1)).first()
            return _run(row, session) if row else None


def _run(row: RunRow, session: Session) -> Run:
    query = select(JobRunRow.job, JobRunRow.status).where(JobRunRow.run_id == row.run_id)
    # Of several tries of a job the last one counts.
    rows = session.execute(query.order_by(JobRunRow.started_at, JobRunRow.id)).all()
    ended = {row.job: row.status for row in rows}
    return Run(
        run_id=row.run_id,
        jobs=tuple(row.jobs),
        left=tuple(job for job in row.jobs if ended.get(job) != "succeeded"),
        begun=frozenset(ended),
        status=_status(row),
        started_at=row.started_at,
        finished_at=row.finished_at,
        host=row.host,
        pid=row.pid,
    )


def _status(row: RunRow) -> RunStatus:
    if row.status == "running" and is_gone(row.host, row.pid, row.process_started):
        return "dead"
    status: RunStatus = row.status  # type: ignore[assignment]  # only this module writes the column
    return status
