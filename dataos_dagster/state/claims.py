"""Who is at work on an incremental job: one process at a time, known by machine, number and start.

Every change of what a job stores is made by the process that holds the job, or under the lock of its row while nobody
does: what another process has read before would otherwise be written over.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite

from dataos_dagster.errors import StateError
from dataos_dagster.state.models import IntentRow
from dataos_dagster.state.run_ids import short_id
from dataos_dagster.state.workers import is_gone, this_process

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a process has taken.

    Attributes:
        scope: Empty for an ordinary run; otherwise which override of the keys it is.
        run_id: The run that the process does.
    """

    job: str
    scope: str
    run_id: str
    host: str
    pid: int


def take(session: Session, job: str, scope: str, run_id: str) -> IntentRow:
    """Return the row of a job, locked until the caller's transaction ends, and free or this process's own.

    Raises:
        StateError: Another process that is alive, or of which nothing is known, holds the job.
    """
    _make_room(session, job, scope, run_id)
    row = session.get_one(IntentRow, (job, scope), with_for_update=True)
    refuse_living(row)
    return row


def hold(row: IntentRow, run_id: str) -> None:
    """Note that this process works on the job from now on."""
    row.host, row.pid, row.process_started = this_process()
    row.run_id, row.changed_at = run_id, datetime.now(UTC)


def holds(row: IntentRow, run_id: str | None = None) -> bool:
    """Return whether this process holds the job, for a run if one is given."""
    return (row.host, row.pid, row.process_started) == this_process() and run_id in {None, row.run_id}


def require_held(row: IntentRow, run_id: str | None = None) -> None:
    """Refuse to go on with a job that was let go meanwhile, and that another process may have taken.

    Raises:
        StateError: This process does not hold it any more.
    """
    if not holds(row, run_id):
        raise StateError(
            f"{row.job}: this run does not hold the job any more; somebody has let go of it, or given its window up",
            hint="run the job again: it finds out what is written",
        )


def free(row: IntentRow) -> None:
    """Note that nobody works on the job."""
    row.host = row.pid = row.process_started = None


def refuse_living(row: IntentRow) -> None:
    """Refuse to touch a job that another process works on.

    Raises:
        StateError: One is alive, or is of another machine, of which nothing is known.
    """
    if row.pid is None or holds(row) or _is_gone(row):
        return
    elsewhere = row.host != socket.gethostname()
    raise StateError(
        f"{row.job} is being run by process {row.pid} on {row.host}, run {short_id(row.run_id)}",
        hint=f"if {row.host} is gone: dataos flare state release {row.job}" if elsewhere else "wait until it has ended",
    )


def claimed(session: Session, job: str) -> list[IntentRow]:
    """Return the rows of a job (its whole name, or its last parts) that a process holds, whatever their status."""
    query = select(IntentRow).where(IntentRow.pid.is_not(None), named(job)).order_by(IntentRow.job, IntentRow.scope)
    return list(session.scalars(query.with_for_update()))


def is_here(row: IntentRow) -> bool:
    """Return whether the holder of a job is a living process of this machine, this one or another."""
    return row.pid is not None and row.host == socket.gethostname() and not _is_gone(row)


def claim_of(row: IntentRow) -> Claim:
    """Return who holds a job that is held."""
    assert row.host is not None  # noqa: S101 - host and process are written together
    assert row.pid is not None  # noqa: S101
    return Claim(row.job, row.scope, row.run_id, row.host, row.pid)


def named(job: str) -> ColumnElement[bool]:
    """Return the condition that a row is of a job, which is given by its whole name or its last parts."""
    return or_(IntentRow.job == job, IntentRow.job.endswith(f"/{job}", autoescape=True))


def _is_gone(row: IntentRow) -> bool:
    return is_gone(row.host, row.pid, row.process_started)


def _make_room(session: Session, job: str, scope: str, run_id: str) -> None:
    """Have a row for the job, whoever makes it: two processes may come at once."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"job": job, "scope": scope, "run_id": run_id, "status": "confirmed", "window": [], "advances": []}
    insert = dialect.insert(IntentRow).values(**values, changed_at=datetime.now(UTC))
    session.execute(insert.on_conflict_do_nothing())
