"""Writes that are to happen exactly once, noted before they begin.

An incremental job reads a window of its inputs and writes it to one or several datasets. Its intent holds the window
and each write. A process may die at any moment: the note that a write has begun, together with what the dataset shows,
tells later whether it happened, and the next run of the job repeats the window for the writes that did not. How far the
job has read moves on in the transaction that closes the intent, and in no other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, select, update

from dataos_dagster.errors import StateError
from dataos_dagster.state import claims
from dataos_dagster.state.models import IntentOutputRow, IntentRow
from dataos_dagster.state.watermarks import WatermarkKey, advance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from sqlalchemy.orm import Session

    from dataos_dagster.state.claims import Claim
    from dataos_dagster.state.database import Database

WriteStatus = Literal["planned", "writing", "written"]


@dataclass(frozen=True, slots=True)
class InputWindow:
    """The values that bound what one incremental input reads.

    Attributes:
        values: Key to value; None for a key whose query returned no value, which makes the window empty.
    """

    input: str
    context: str
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class IntendedWrite:
    """One write of an intent.

    Attributes:
        token: Names the write wherever it leaves a mark: snapshot summary, marker row, marker file.
        dataset: What is written, with its branch.
        before: State of the dataset before the write, such as a snapshot's id; None when there was none.
        marked: The commit carries the token, so that its absence says that there was no commit.
        after: State of the dataset that the write made, when the store has one.
        begun: When it began; None while it is only planned, and when it is written.
    """

    token: str
    dataset: str
    status: WriteStatus = "planned"
    before: str | None = None
    marked: bool = False
    after: str | None = None
    begun: datetime | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What a run of a job is about to write.

    Attributes:
        scope: Empty for an ordinary run; otherwise which override of the keys it is, whose run moves no watermark.
        advances: Values to store once every output is written.
    """

    job: str
    scope: str
    run_id: str
    window: tuple[InputWindow, ...] = ()
    advances: tuple[tuple[WatermarkKey, str], ...] = ()
    writes: tuple[IntendedWrite, ...] = ()


class Intents:
    """Reads and writes the tables `intents` and `intent_outputs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, job: str, scope: str, run_id: str) -> Intent | None:
        """Take a job for this process, and return what an earlier run has left unfinished.

        Raises:
            StateError: Another process that is alive runs it: two runs would read the same window.
        """
        with self._database.writing() as session:
            row = claims.take(session, job, scope, run_id)
            left = _intent(session, row) if row.status == "open" else None
            claims.hold(row, run_id)
            return left

    def plan(self, intent: Intent, datasets: Sequence[str]) -> Intent:
        """Note a window and the datasets that it goes to, before anything is written; return it with its writes.

        Raises:
            StateError: This process does not hold the job for the intent's run.
        """
        writes = tuple(IntendedWrite(uuid.uuid4().hex, dataset) for dataset in datasets)
        with self._database.writing() as session:
            row = session.get_one(IntentRow, (intent.job, intent.scope), with_for_update=True)
            claims.require_held(row, intent.run_id)
            row.status = "open"
            row.window = [
                {"input": part.input, "context": part.context, "values": dict(part.values)} for part in intent.window
            ]
            row.advances = [_advance_json(at, value) for at, value in intent.advances]
            row.changed_at = datetime.now(UTC)
            _forget_writes(session, intent.job, intent.scope)
            for position, write in enumerate(writes):
                session.add(_write_row(intent, position, write))
        return replace(intent, writes=writes)

    def begin(self, token: str, *, before: str | None, marked: bool) -> None:
        """Note that a write begins now, under the dataset's lock.

        Args:
            token: Of the write.
            before: State of the dataset.
            marked: The commit will carry the token.

        Raises:
            StateError: Nobody has planned the write, or this process does not hold its job any more.
        """
        with self._database.writing() as session:
            write = session.get(IntentOutputRow, token)
            if write is not None:
                claims.require_held(session.get_one(IntentRow, (write.job, write.scope), with_for_update=True))
            _change(session, token, status="writing", before=before, marked=marked, after=None)

    def settle(self, token: str, *, written: bool, after: str | None = None) -> None:
        """Note what became of a write that had begun."""
        with self._database.writing() as session:
            _change(session, token, status="written" if written else "planned", after=after)

    def pending_on(self, dataset: str) -> tuple[IntendedWrite, ...]:
        """Return writes of a dataset that were begun, and of which nobody has noted the end."""
        query = select(IntentOutputRow).where(IntentOutputRow.dataset == dataset, IntentOutputRow.status == "writing")
        with self._database.reading() as session:
            return tuple(_write(row) for row in session.scalars(query))

    def find(self, job: str, scope: str = "") -> Intent | None:
        """Return the open intent of a job, or None when its latest run is finished."""
        with self._database.reading() as session:
            row = session.get(IntentRow, (job, scope))
            return _intent(session, row) if row is not None and row.status == "open" else None

    def unfinished(self, job: str | None = None) -> tuple[Intent, ...]:
        """Return the open intents of a job (its whole name, or its last parts), or of all jobs."""
        query = select(IntentRow).where(IntentRow.status == "open").order_by(IntentRow.job, IntentRow.scope)
        if job is not None:
            query = query.where(claims.named(job))
        with self._database.reading() as session:
            return tuple(_intent(session, row) for row in session.scalars(query).all())

    def confirm(self, intent: Intent) -> None:
        """Close an intent whose writes have all happened, and move the job's watermarks on, in one transaction.

        Raises:
            StateError: A write is not known to have happened, or this process does not hold the job for its run.
        """
        with self._database.writing() as session:
            row = session.get_one(IntentRow, (intent.job, intent.scope), with_for_update=True)
            claims.require_held(row, intent.run_id)
            unwritten = [
                write.dataset for write in _writes(session, intent.job, intent.scope) if write.status != "written"
            ]
            if unwritten:
                raise StateError(f"{intent.job}: not known to be written: {', '.join(unwritten)}")
            advance(session, intent.advances, intent.run_id)
            _close(row, "confirmed")

    def abandon(self, job: str, scope: str = "") -> None:
        """Drop what a run has left unfinished: nothing of it was written, or a person says where to go on.

        Raises:
            StateError: A process that is alive runs the job.
        """
        with self._database.writing() as session:
            row = session.get(IntentRow, (job, scope), with_for_update=True)
            if row is None:
                return
            claims.refuse_living(row)
            _forget_writes(session, job, scope)
            if row.status == "open":
                _close(row, "abandoned")

    def release(self, job: str, scope: str, run_id: str) -> None:
        """Let go of a job whose run has failed; what it left is settled by the next run.

        A job that this process does not hold for that run is left alone: it is another's by now.
        """
        with self._database.writing() as session:
            row = session.get(IntentRow, (job, scope), with_for_update=True)
            if row is not None and claims.holds(row, run_id):
                claims.free(row)

    def let_go(self, job: str) -> tuple[Claim, ...]:
        """Free a job from processes of other machines, on behalf of a person who knows that they are gone.

        Args:
            job: `workspace/workflow/job`, or its last parts.

        Returns:
            Who held it: one process for the ordinary run, and one for each run with given keys.

        Raises:
            StateError: No process holds it, the name means several jobs, or a living process of this machine holds it.
        """
        with self._database.writing() as session:
            rows = claims.claimed(session, job)
            names = sorted({row.job for row in rows})
            if not names:
                raise StateError(f"no process holds a job {job}", hint="a job that nobody holds runs without this")
            if len(names) > 1:
                known = ", ".join(names)
                raise StateError(
                    f"{job} means {len(names)} jobs that a process holds: {known}", hint="write its whole name"
                )
            gone = [row for row in rows if not claims.is_here(row)]
            if not gone:
                claims.refuse_living(rows[0])
            found = tuple(claims.claim_of(row) for row in gone)
            for row in gone:
                claims.free(row)
            return found


def scope_of(overrides: Mapping[str, str]) -> str:
    """Return the scope of a run whose keys are given: the same values, the same scope; none, the ordinary one."""
    if not overrides:
        return ""
    import hashlib

    text = "\n".join(f"{key}={value}" for key, value in sorted(overrides.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _close(row: IntentRow, status: str) -> None:
    row.status, row.changed_at = status, datetime.now(UTC)
    claims.free(row)


def _change(session: Session, token: str, **values: Any) -> None:
    values["changed_at"] = datetime.now(UTC)
    query = update(IntentOutputRow).where(IntentOutputRow.token == token).values(values)
    if not session.execute(query.returning(IntentOutputRow.token)).all():
        raise StateError(f"no write {token} is noted", hint="was the state database replaced meanwhile?")


def _forget_writes(session: Session, job: str, scope: str) -> None:
    session.execute(delete(IntentOutputRow).where(IntentOutputRow.job == job, IntentOutputRow.scope == scope))


def _writes(session: Session, job: str, scope: str) -> Iterable[IntentOutputRow]:
    query = select(IntentOutputRow).where(IntentOutputRow.job == job, IntentOutputRow.scope == scope)
    return session.scalars(query.order_by(IntentOutputRow.position))


def _intent(session: Session, row: IntentRow) -> Intent:
    return Intent(
        row.job,
        row.scope,
        row.run_id,
        tuple(InputWindow(part["input"], part["context"], part["values"]) for part in row.window),
        tuple((WatermarkKey(row.job, at["input"], at["context"], at["key"]), at["value"]) for at in row.advances),
        tuple(_write(write) for write in _writes(session, row.job, row.scope)),
    )


def _advance_json(at: WatermarkKey, value: str) -> dict[str, str]:
    return {"input": at.input, "context": at.context, "key": at.key, "value": value}


def _write(row: IntentOutputRow) -> IntendedWrite:
    status: WriteStatus = row.status  # type: ignore[assignment]  # only this module writes the column
    begun = row.changed_at if status == "writing" else None
    return IntendedWrite(row.token, row.dataset, status, row.before, row.marked, row.after, begun)


def _write_row(intent: Intent, position: int, write: IntendedWrite) -> IntentOutputRow:
    return IntentOutputRow(
        token=write.token,
        job=intent.job,
        scope=intent.scope,
        position=position,
        dataset=write.dataset,
        status=write.status,
        marked=False,
        changed_at=datetime.now(UTC),
    )
