"""Commit a frame to a PostgreSQL table: rows are staged first, then put in place in one transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.postgresql.columns import create_statement, declared_type, read_columns, spark_schema
from dataos_dagster.depots.postgresql.committing import commit
from dataos_dagster.depots.postgresql.connection import driver, identifier, literal, message
from dataos_dagster.depots.postgresql.locking import lock_table, timed_out
from dataos_dagster.depots.postgresql.marks import evidence_of, leave_mark
from dataos_dagster.depots.requests import Column, WriteResult
from dataos_dagster.depots.scratch import scratch_folder
from dataos_dagster.depots.settlement import Evidence
from dataos_dagster.depots.staging import UNTOUCHED, fitted, made_anew, new_table, not_written, pattern_of
from dataos_dagster.errors import DatasetLocked, DatasetNotFound, DepotError, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.postgresql.columns import PostgresqlColumn
    from dataos_dagster.depots.postgresql.connection import PostgresqlConnection
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

_USERS = """
SELECT a.pid::text, coalesce(nullif(a.application_name, ''), 'a session of ' || a.usename),
       coalesce(a.client_addr::text, 'local')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = to_regclass({table}) AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.xact_start
"""
_REFERENCED = """
SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = {table}::regclass AND conrelid <> confrelid
"""


def staging_options(given: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return the options of Spark's JDBC writer: those that a manifest gives, where the connection has none of its own.

    Args:
        given: Options of the request, in any case.
        ours: Connection and staging table; they win.
    """
    # `truncate` speaks of the table itself, which is always kept here when it can be.
    kept = {key.lower() for key in ours} | {"truncate", "query"}
    return {key: value for key, value in given.items() if key.lower() not in kept} | dict(ours)


@dataclass(frozen=True, slots=True)
class TableWriter:
    """One write of one frame."""

    connection: PostgresqlConnection
    schema: str
    table: str
    request: WriteRequest
    session: EngineSession
    principal: Principal
    settings: Settings

    @property
    def _name(self) -> str:
        return identifier(self.schema, self.table)

    def write(self, frame: DataFrame) -> WriteResult:
        """Commit the frame; another writer of the table waits meanwhile.

        Readers see the old rows until the staged ones are put in place. An overwrite empties or drops the table: from
        then on readers wait for the commit, and a transaction that took its snapshot before (REPEATABLE READ) finds a
        table that was emptied by TRUNCATE without rows.

        Raises:
            SchemaMismatch: An append does not fit the table, or PostgreSQL has no type for a column.
            DatasetLocked: Another writer, or for an overwrite a long reader, holds the table.
            WriteFailed: The engine or the database failed; the table is as before.
        """
        operation = f" {self.request.operation}" if self.request.operation else ""
        with self.connection.open(f"dataos {self.principal.name}{operation}") as opened, self._failures():
            cursor = opened.cursor()
            name = (self.schema, self.table)
            lock_table(cursor, self.connection, name, self.request, self.settings.limits.lock_seconds)
            if self.request.settlement is not None:
                self.request.settlement.settle(lambda: evidence_of(cursor, *name), None)
            present = read_columns(cursor, self.schema, self.table)
            frame, recreate = fitted(frame, lambda: spark_schema(present) if present else None, self.request)
            with self._noted():
                if self.session.engine == "sail":
                    rows = self._write_arrow(frame, cursor, present, recreate=recreate)
                else:
                    rows = self._write_jdbc(frame, opened, cursor, present, recreate=recreate)
                if self.request.mark is not None:
                    leave_mark(cursor, *name, self.request.mark)
                # Before the commit: behind it nothing may fail, or the rows would be written again.
                after = read_columns(cursor, self.schema, self.table)
                commit(opened, cursor, self.connection, self.request)
        return WriteResult(
            rows=rows,
            schema=tuple(Column(c.name, c.spark_type.simpleString(), not c.not_null, c.comment or None) for c in after),
            created=not present,
            notes=(made_anew(self.request),) if recreate else (),
            total_rows=rows if self.request.mode == "overwrite" or not present else None,
        )

    def _noted(self) -> AbstractContextManager[None]:
        """Keep account of a write that is to happen exactly once.

        After a failure nothing is looked at here: whether a commit that was interrupted has happened is known for sure
        to whoever gets the lock after it.
        """
        if self.request.settlement is None:
            return nullcontext()
        return self.request.settlement.write(Evidence, self.session, marked=True, looks_after_failure=False)

    def _write_arrow(
        self, frame: DataFrame, cursor: Any, present: tuple[PostgresqlColumn, ...], *, recreate: bool
    ) -> int:
        """Stage through parquet and a temporary table: memory stays bounded, and all is one transaction."""
        from pyarrow import dataset

        staging = new_table(self.table)
        create_statement(self._name, frame.schema)  # refuses types before anything is computed
        with scratch_folder(self.settings, f"{self.connection.jdbc_url} {self._name}") as path:
            with self.session.stopped_on_interrupt():
                frame.write.mode("overwrite").parquet(f"{path}/rows")
            if Path(path, "rows").exists():
                rows = dataset.dataset(f"{path}/rows", format="parquet")
                cursor.adbc_ingest(staging, rows.scanner().to_reader(), mode="create", temporary=True)
            else:  # Sail writes nothing for a frame without rows
                cursor.execute(create_statement(identifier(staging), frame.schema).replace("TABLE", "TEMP TABLE", 1))
        return self._put(cursor, identifier(staging), frame.schema, present, recreate=recreate)

    def _write_jdbc(
        self, frame: DataFrame, opened: Any, cursor: Any, present: tuple[PostgresqlColumn, ...], *, recreate: bool
    ) -> int:
        """Stage in a table of its own, because Spark's tasks each have a connection and a transaction."""
        staging = identifier(self.schema, new_table(self.table))
        with self.connection.open() as other, other.cursor() as side:
            self._drop_abandoned(side)
            side.execute(create_statement(staging, frame.schema, unlogged=True))
            other.commit()
        try:
            self._stage(frame, staging)
            rows = self._put(cursor, staging, frame.schema, present, recreate=recreate)
            cursor.execute(f"DROP TABLE {staging}")
        except BaseException:
            # What cannot be cleared up now is cleared up by the next writer; the failure itself is the news.
            with suppress(DepotError, driver().Error):
                opened.rollback()
                with self.connection.open() as other, other.cursor() as side:
                    side.execute(f"DROP TABLE IF EXISTS {staging}")
                    other.commit()
            raise
        return rows

    def _stage(self, frame: DataFrame, staging: str) -> None:
        ours = self.connection.spark_options() | {"dbtable": staging}
        options = staging_options(self.request.options, ours)
        # Tasks that go on would hold the staging table, and whoever drops it would wait for them.
        with self.session.stopped_on_interrupt():
            frame.write.format("jdbc").mode("append").options(**options).save()

    def _put(
        self,
        cursor: Any,
        staging: str,
        schema: StructType,
        present: tuple[PostgresqlColumn, ...],
        *,
        recreate: bool,
    ) -> int:
        """Put the staged rows in place; return how many."""
        if recreate:
            cursor.execute(f"DROP TABLE {self._name}")
        elif present and self.request.mode == "overwrite":
            cursor.execute(_REFERENCED.format(table=literal(self._name)))
            # A table that others refer to cannot be truncated.
            emptied = "DELETE FROM" if cursor.fetchone()[0] else "TRUNCATE"
            cursor.execute(f"{emptied} {self._name}")
        if recreate or not present:
            cursor.execute(create_statement(self._name, schema))
        types = {column.name: column.declared for column in present} if present and not recreate else {}
        names = ", ".join(identifier(field.name) for field in schema.fields)
        values = ", ".join(
            f"{identifier(f.name)}::{types.get(f.name) or declared_type(f.dataType)}" for f in schema.fields
        )
        # Every name is quoted, every type comes from the database or from our own table.
        inserted = f"INSERT INTO {self._name} ({names}) SELECT {values} FROM {staging} RETURNING 1"  # noqa: S608
        cursor.execute(f"WITH inserted AS ({inserted}) SELECT count(*) FROM inserted")  # noqa: S608
        return int(cursor.fetchone()[0])

    def _user(self) -> str:
        """Return who has the table open: an overwrite waits for readers too."""
        with self.connection.open() as other, other.cursor() as cursor:
            cursor.execute(_USERS.format(table=literal(self._name)))
            found = cursor.fetchone()
        return f"{found[1]} (backend {found[0]}, from {found[2]})" if found else "another session"

    def _drop_abandoned(self, cursor: Any) -> None:
        """Drop what writers of this table that died have staged; the lock is held, so none of them is at work."""
        pattern = literal(pattern_of(self.table))
        cursor.execute(
            f"SELECT tablename FROM pg_tables WHERE schemaname = {literal(self.schema)} AND tablename LIKE {pattern}"  # noqa: S608 - both are quoted
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE IF EXISTS {identifier(self.schema, name)}")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Say of a failure what it means for the table."""
        target, location = self.request.target, self.request.location
        try:
            with self.session.failures(location):
                yield
        except StatementFailed as error:
            raise not_written(self.request, error.message) from error
        except driver().Error as error:
            text = message(error)
            if timed_out(error):
                raise DatasetLocked(
                    f"{target} was not written: it is in use by {self._user()}; waited "
                    f"{self.settings.limits.lock_seconds:g} s",
                    hint=f"{UNTOUCHED}; run the job again when that session is done; "
                    "limits.lock_seconds in dataos.yaml waits longer",
                    location=location,
                ) from None
            if "schema" in text and "does not exist" in text:
                raise DatasetNotFound(
                    f"{target}: {text}", hint=f"create the schema: CREATE SCHEMA {self.schema}", location=location
                ) from None
            raise not_written(self.request, text) from error
