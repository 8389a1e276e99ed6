"""How far incremental inputs have read: the value of each key that a run stores for the next one.

A value is kept under job, input, context and key, because one job may read two inputs through contexts and keys of the
same names. The value before the last change is kept too, so that a window can be read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import or_, select

from dataos_dagster.errors import StateError
from dataos_dagster.state import claims
from dataos_dagster.state.models import WatermarkRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from dataos_dagster.state.database import Database

Origin = Literal["run", "set", "rollback"]

# Only ordinary runs move watermarks. A person's change is no run; its id would name one in the job's row.
_ORDINARY = _NO_RUN = ""


@dataclass(frozen=True, slots=True, order=True)
class WatermarkKey:
    """What a value is kept under.

    Attributes:
        job: `workspace/workflow/job`.
        input: Name of the input.
        context: View name of its whole dataset.
        key: Name of the key.
    """

    job: str
    input: str
    context: str
    key: str

    def __str__(self) -> str:
        return f"{self.job} {self.input}.{self.key}"


@dataclass(frozen=True, slots=True)
class Watermark:
    """A stored value.

    Attributes:
        value: None after a rollback of the first run: the next one evaluates the key's query.
        previous: The value before the last change; None when there was none.
        origin: Who stored it: a run, or a person by `set` or `rollback`.
        run_id: The run that stored it, if one did.
        changed_at: UTC.
    """

    at: WatermarkKey
    value: str | None
    previous: str | None
    origin: Origin
    run_id: str | None
    changed_at: datetime


class Watermarks:
    """Reads and changes the table `watermarks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_job(self, job: str) -> dict[WatermarkKey, str]:
        """Return the stored values of a job's keys; keys without a value are left out."""
        with self._database.reading() as session:
            rows = session.scalars(select(WatermarkRow).where(WatermarkRow.job == job))
            return {_key(row): row.value for row in rows if row.value is not None}

    def find(self, job: str | None = None, input_name: str | None = None) -> list[Watermark]:
        """Return stored values in the order of their keys.

        Args:
            job: Only of this job: `workspace/workflow/job`, or its last parts.
            input_name: Only of inputs of this name.
        """
        with self._database.reading() as session:
            return [_watermark(row) for row in _found(session, job, input_name)]

    def set(self, at: WatermarkKey, value: str) -> Watermark:
        """Store a value on a person's behalf; the next run begins with it.

        Raises:
            StateError: The job is being run: the run would store its own value afterwards.
        """
        with self._database.writing() as session:
            claims.take(session, at.job, _ORDINARY, _NO_RUN)
            return _watermark(_store(session, at, value, "set", None))

    def rollback(self, job: str, input_name: str | None = None) -> list[Watermark]:
        """Put the previous values of a job back, so that the next run reads the last window again.

        Only keys whose last change was that of the newest run are put back: others did not take part in it.

        Args:
            job: `workspace/workflow/job`, or its last parts, which must mean one job.
            input_name: Only keys of this input.

        Raises:
            StateError: Nothing is stored, what is stored has been rolled back already, the name means several jobs, or
                the job is being run.
        """
        with self._database.writing() as session:
            rows = _found(session, job, input_name)
            if not rows:
                raise StateError(f"nothing is stored for {job}", hint="`dataos flare state show` lists what is")
            names = sorted({row.job for row in rows})
            if len(names) > 1:
                raise StateError(f"{job} means {len(names)} jobs: {', '.join(names)}", hint="write its whole name")
            claims.take(session, names[0], _ORDINARY, _NO_RUN)
            # A run that ended in between has stored its values since.
            session.expire_all()
            rows = _found(session, names[0], input_name)
            newest = max(rows, key=lambda row: row.changed_at)
            if newest.origin == "rollback":
                raise StateError(
                    f"{job} was rolled back on {newest.changed_at:%Y-%m-%d %H:%M} UTC, and one previous value is kept",
                    hint="write another value with `dataos flare state set`",
                )
            same = [row for row in rows if (row.origin, row.run_id) == (newest.origin, newest.run_id)]
            chosen = same if newest.origin == "run" else [newest]
            return [_watermark(_store(session, _key(row), row.previous, "rollback", None)) for row in chosen]


def advance(session: Session, values: Iterable[tuple[WatermarkKey, str]], run_id: str) -> None:
    """Store the values of a confirmed run, in the caller's transaction."""
    for at, value in values:
        _store(session, at, value, "run", run_id)


def _found(session: Session, job: str | None, input_name: str | None) -> Sequence[WatermarkRow]:
    columns = (WatermarkRow.job, WatermarkRow.input, WatermarkRow.context, WatermarkRow.key)
    query = select(WatermarkRow).order_by(*columns)
    if job is not None:
        query = query.where(or_(WatermarkRow.job == job, WatermarkRow.job.endswith(f"/{job}", autoescape=True)))
    if input_name is not None:
        query = query.where(WatermarkRow.input == input_name)
    return session.scalars(query).all()


def _store(session: Session, at: WatermarkKey, value: str | None, origin: Origin, run_id: str | None) -> WatermarkRow:
    row = session.get(WatermarkRow, (at.job, at.input, at.context, at.key))
    if row is None:
        row = WatermarkRow(job=at.job, input=at.input, context=at.context, key=at.key, value=None)
        session.add(row)
    row.previous, row.value = row.value, value
    row.origin, row.run_id, row.changed_at = origin, run_id, datetime.now(UTC)
    return row


def _key(row: WatermarkRow) -> WatermarkKey:
    return WatermarkKey(row.job, row.input, row.context, row.key)


def _watermark(row: WatermarkRow) -> Watermark:
    origin: Origin = row.origin  # type: ignore[assignment]  # only this module writes the column
    return Watermark(_key(row), row.value, row.previous, origin, row.run_id, row.changed_at)
