"""Commit a frame to a MySQL table: Spark stages the rows in a table of their own, then they are put in place at once.

Where the table stays, that is one transaction; where it is new, or has other columns, one RENAME, which MySQL does as
one step (MySQL Reference Manual, RENAME TABLE).
"""

from __future__ import annotations

import hashlib
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import check_new, fit
from dataos_dagster.depots.mysql.connection import LOST, driver, identifier, message, number_of
from dataos_dagster.depots.requests import Column, ReadRequest, WriteResult
from dataos_dagster.errors import DatasetLocked, SchemaMismatch, StatementFailed, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.connectors.store import ConnectorStore
    from dataos_dagster.depots.mysql.connection import MysqlConnection
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

_WAITED = 1205
_ENGINE = "SELECT engine FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
_LEFT = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_name LIKE %s"
_HOLDER = "SELECT id, user, host FROM information_schema.processlist WHERE id = IS_USED_LOCK(%s)"


@dataclass(frozen=True, slots=True)
class TableWriter:
    """One write of one frame.

    Attributes:
        place: Database and table.
    """

    connection: MysqlConnection
    spark: ConnectorStore
    place: tuple[str, str]
    request: WriteRequest
    session: EngineSession
    principal: Principal
    settings: Settings

    @property
    def _prefix(self) -> str:
        return f"dataos_staging_{hashlib.sha256(self.place[1].encode()).hexdigest()[:12]}_"

    def write(self, frame: DataFrame) -> WriteResult:
        """Commit the frame; another writer of the table waits meanwhile, readers see the old rows.

        Raises:
            SchemaMismatch: An append does not fit the table.
            DatasetLocked: Another writer, or a session that uses the table, holds it.
            WriteFailed: The engine or the database failed; the table is as before.
        """
        check_new(frame, self.request.target, location=self.request.location)
        with self.connection.open() as opened, self._failures():
            cursor = opened.cursor()
            self._lock(cursor)
            self._drop_abandoned(cursor)
            cursor.execute(_ENGINE, self.place)
            found = cursor.fetchone()
            frame, recreate = self._fitted(frame) if found else (frame, False)
            staging = f"{self._prefix}{uuid.uuid4().hex[:12]}"
            try:
                self._stage(frame, staging)
                rows = self._put(opened, cursor, staging, frame.columns, renamed=recreate or not found)
            finally:
                self._drop(cursor, staging)
        return WriteResult(
            rows=rows,
            bytes=None,
            snapshot_id=None,
            files=None,
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields),
            created=not found,
            notes=self._notes(found, recreate=recreate),
        )

    def _notes(self, found: Any, *, recreate: bool) -> tuple[str, ...]:
        target = self.request.target
        notes = [f"{target} was made anew, because its columns were others"] if recreate else []
        if found and not recreate and str(found[0]).lower() != "innodb":
            notes.append(f"{target} is stored by {found[0]}, which knows no transactions: readers saw it being written")
        return tuple(notes)

    def _fitted(self, frame: DataFrame) -> tuple[DataFrame, bool]:
        """Return the frame as the table takes it, and whether the table must be made anew."""
        there = self.spark.read(ReadRequest(self.request.target, acl="rw"), self.session)
        try:
            return fit(frame, there.schema, self.request.target, location=self.request.location), False
        except SchemaMismatch:
            # Spark's JDBC writer drops and makes the table anew on every overwrite; here only where it has to.
            if self.request.mode == "append":
                raise
            return frame, True

    def _stage(self, frame: DataFrame, staging: str) -> None:
        call = self.spark.connector.describe(self.request)
        database = self.place[0]
        options = call.merged(self.request.options) | {"dbtable": identifier(database, staging)}
        with self.session.stopped_on_interrupt():
            frame.write.format("jdbc").mode("append").options(**options).save()

    def _put(self, opened: Any, cursor: Any, staging: str, columns: list[str], *, renamed: bool) -> int | None:
        """Put the staged rows in place; return how many, if the database says it."""
        database, table = self.place
        target, staged = identifier(database, table), identifier(database, staging)
        if renamed:
            old = identifier(database, f"{staging}_old")
            cursor.execute(_ENGINE, self.place)
            moved = f"{target} TO {old}, " if cursor.fetchone() else ""
            with self._decisive():
                cursor.execute(f"RENAME TABLE {moved}{staged} TO {target}")
            self._drop(cursor, f"{staging}_old")
            return None
        names = ", ".join(identifier(name) for name in columns)
        opened.begin()
        try:
            if self.request.mode == "overwrite":
                cursor.execute(f"DELETE FROM {target}")  # noqa: S608 - every name is quoted
            rows: int = cursor.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staged}")  # noqa: S608 - the same
            with self._decisive():
                opened.commit()
        except BaseException:
            with suppress(driver().MySQLError):
                opened.rollback()
            raise
        return rows

    @contextmanager
    def _decisive(self) -> Iterator[None]:
        """Wrap the statement that puts the rows in place: when its answer is lost, nobody knows whether they are there.

        The driver's words stay out of the message: they read like a failure that is safe to try again.
        """
        try:
            yield
        except driver().MySQLError as error:
            if number_of(error) not in LOST:
                raise
            raise WriteFailed(
                f"{self.request.target}: whether its rows were committed is not known, because the server went away "
                "meanwhile",
                hint="look at the table before the job runs again: an append would add the rows a second time",
                location=self.request.location,
            ) from error

    def _drop(self, cursor: Any, table: str) -> None:
        """Drop what is not needed any more; where that fails, the next writer of the table does it."""
        with suppress(driver().MySQLError):
            cursor.execute(f"DROP TABLE IF EXISTS {identifier(self.place[0], table)}")

    def _lock(self, cursor: Any) -> None:
        """Take the table's lock until the connection ends; later waits for its rows or the table are bounded too."""
        name = f"dataos.{hashlib.sha256('.'.join(self.place).encode()).hexdigest()[:40]}"
        seconds = self.settings.limits.lock_seconds
        for variable in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
            cursor.execute(f"SET SESSION {variable} = {max(int(seconds), 1)}")
        cursor.execute("SELECT GET_LOCK(%s, %s)", (name, seconds))
        if cursor.fetchone()[0] == 1:
            return
        cursor.execute(_HOLDER, (name,))
        found = cursor.fetchone()
        holder = f"connection {found[0]} of {found[1]} from {found[2]}" if found else "another writer"
        raise DatasetLocked(
            f"{self.request.target} is being written by {holder}; waited {seconds:g} s",
            hint="run the job again when that writer is done; limits.lock_seconds in dataos.yaml waits longer",
            location=self.request.location,
        )

    def _drop_abandoned(self, cursor: Any) -> None:
        """Drop what writers of this table that died have staged; the lock is held, so none of them is at work."""
        cursor.execute(_LEFT, (self.place[0], self._prefix.replace("_", "\\_") + "%"))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE IF EXISTS {identifier(self.place[0], name)}")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Say of a failure what it means for the table."""
        target, location = self.request.target, self.request.location
        same = "the table is as it was before"
        try:
            with self.session.failures(location):
                yield
        except StatementFailed as error:
            raise WriteFailed(f"{target} was not written: {error.message}", hint=same, location=location) from error
        except driver().MySQLError as error:
            if number_of(error) == _WAITED:
                raise DatasetLocked(
                    f"{target} was not written: another session uses it; waited "
                    f"{self.settings.limits.lock_seconds:g} s",
                    hint=f"{same}; run the job again when that session is done",
                    location=location,
                ) from None
            raise WriteFailed(f"{target} was not written: {message(error)}", hint=same, location=location) from error
