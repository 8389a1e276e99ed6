"""Commit a frame to a MySQL table: Spark stages the rows in a table of their own, then they are put in place at once.

Where the table stays, that is one transaction; where it is new, or has other columns, one RENAME, which MySQL does as
one step (MySQL Reference Manual, RENAME TABLE).
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.locks import being_written
from dataos_dagster.depots.mysql.connection import LOST, driver, identifier, message, number_of
from dataos_dagster.depots.requests import Column, ReadRequest, WriteResult
from dataos_dagster.depots.staging import (
    UNTOUCHED,
    fitted,
    made_anew,
    new_table,
    not_written,
    pattern_of,
    perhaps_written,
)
from dataos_dagster.errors import DatasetLocked, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

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

    def write(self, frame: DataFrame) -> WriteResult:
        """Commit the frame; another writer of the table waits meanwhile, readers see the old rows.

        Raises:
            SchemaMismatch: An append does not fit the table.
            DatasetLocked: Another writer, or a session that uses the table, holds it.
            WriteFailed: The engine or the database failed; the table is as before.
        """
        with self.connection.open() as opened, self._failures():
            cursor = opened.cursor()
            self._lock(cursor)
            self._drop_abandoned(cursor)
            cursor.execute(_ENGINE, self.place)
            found = cursor.fetchone()
            frame, recreate = fitted(frame, lambda: self._columns() if found else None, self.request)
            staged = new_table(self.place[1])
            try:
                self._stage(frame, staged)
                rows = self._put(opened, cursor, staged, frame.columns, renamed=recreate or not found)
            finally:
                self._drop(cursor, staged)
        return WriteResult(
            rows=rows,
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields),
            created=not found,
            notes=self._notes(found, recreate=recreate),
        )

    def _notes(self, found: Any, *, recreate: bool) -> tuple[str, ...]:
        target = self.request.target
        notes = [made_anew(self.request)] if recreate else []
        if found and not recreate and str(found[0]).lower() != "innodb":
            notes.append(f"{target} is stored by {found[0]}, which knows no transactions: readers saw it being written")
        return tuple(notes)

    def _columns(self) -> StructType:
        return self.spark.read(ReadRequest(self.request.target, acl="rw"), self.session).schema

    def _stage(self, frame: DataFrame, staged: str) -> None:
        call = self.spark.connector.describe(self.request)
        options = call.merged(self.request.options) | {"dbtable": identifier(self.place[0], staged)}
        with self.session.stopped_on_interrupt():
            frame.write.format("jdbc").mode("append").options(**options).save()

    def _put(self, opened: Any, cursor: Any, staged: str, columns: list[str], *, renamed: bool) -> int | None:
        """Put the staged rows in place; return how many, if the database says it."""
        database, table = self.place
        target, source = identifier(database, table), identifier(database, staged)
        if renamed:
            old = identifier(database, f"{staged}_old")
            cursor.execute(_ENGINE, self.place)
            moved = f"{target} TO {old}, " if cursor.fetchone() else ""
            with self._decisive():
                cursor.execute(f"RENAME TABLE {moved}{source} TO {target}")
            self._drop(cursor, f"{staged}_old")
            return None
        names = ", ".join(identifier(name) for name in columns)
        with self._committed(opened):
            if self.request.mode == "overwrite":
                cursor.execute(f"DELETE FROM {target}")  # noqa: S608 - every name is quoted
            rows: int = cursor.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}")  # noqa: S608 - the same
        return rows

    @contextmanager
    def _committed(self, opened: Any) -> Iterator[None]:
        """Do a block's statements in one transaction: all of them or none."""
        opened.begin()
        try:
            yield
            with self._decisive():
                opened.commit()
        except BaseException:
            with suppress(driver().MySQLError):
                opened.rollback()
            raise

    @contextmanager
    def _decisive(self) -> Iterator[None]:
        """Wrap the statement that puts the rows in place: nobody knows whether they are, when its answer is lost."""
        try:
            yield
        except driver().MySQLError as error:
            if number_of(error) not in LOST:
                raise
            raise perhaps_written(self.request) from error

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
        raise being_written(str(self.request.target), holder, seconds, self.request.location)

    def _drop_abandoned(self, cursor: Any) -> None:
        """Drop what writers of this table that died have staged; the lock is held, so none of them is at work."""
        cursor.execute(_LEFT, (self.place[0], pattern_of(self.place[1])))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE IF EXISTS {identifier(self.place[0], name)}")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Say of a failure what it means for the table."""
        try:
            with self.session.failures(self.request.location):
                yield
        except StatementFailed as error:
            raise not_written(self.request, error.message) from error
        except driver().MySQLError as error:
            if number_of(error) == _WAITED:
                raise DatasetLocked(
                    f"{self.request.target} was not written: another session uses it; waited "
                    f"{self.settings.limits.lock_seconds:g} s",
                    hint=f"{UNTOUCHED}; run the job again when that session is done",
                    location=self.request.location,
                ) from None
            raise not_written(self.request, message(error)) from error
