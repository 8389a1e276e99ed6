"""Run a statement for each row of a frame, all in one transaction of PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.postgresql.committing import commit
from dataos_dagster.depots.postgresql.locking import lock_table
from dataos_dagster.depots.postgresql.marks import evidence_of, leave_mark
from dataos_dagster.depots.postgresql.write import TableWriter
from dataos_dagster.depots.requests import Column, WriteResult
from dataos_dagster.depots.statements import POSTGRESQL, check_values, with_json, with_placeholders

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame


@dataclass(frozen=True, slots=True)
class StatementWriter(TableWriter):
    """One run of one statement; its rows pass through this process."""

    def write(self, frame: DataFrame) -> WriteResult:
        """Run the statement for every row; another writer of the table waits meanwhile.

        Raises:
            SchemaMismatch: The frame has another number of columns than the statement has values.
            DatasetLocked: Another writer holds the table.
            WriteFailed: The engine or the database failed; the database is as before.
        """
        statement = with_placeholders(self.request.statement or "", POSTGRESQL, lambda number: f"${number}")
        check_values(frame, statement, self.request)
        name = (self.schema, self.table)
        operation = f" {self.request.operation}" if self.request.operation else ""
        with self.connection.open(f"dataos {self.principal.name}{operation}") as opened, self._failures():
            cursor = opened.cursor()
            lock_table(cursor, self.connection, name, self.request, self.settings.limits.lock_seconds)
            if self.request.settlement is not None:
                self.request.settlement.settle(lambda: evidence_of(cursor, *name), None)
            with self._noted():
                rows = with_json(frame, arrays=False).toArrow()
                if rows.num_rows:
                    cursor.executemany(statement.sql, rows)
                if self.request.mark is not None:
                    leave_mark(cursor, *name, self.request.mark)
                commit(opened, cursor, self.connection, self.request)
        return WriteResult(
            rows=rows.num_rows,
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields),
            created=False,
        )
