"""Run a statement for each row of a frame, all in one transaction of MySQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.mysql.connection import driver
from dataos_dagster.depots.mysql.write import TableWriter
from dataos_dagster.depots.requests import Column, WriteResult
from dataos_dagster.depots.statements import MYSQL, check_values, with_json, with_placeholders

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.statements import Numbered


@dataclass(frozen=True, slots=True)
class StatementWriter(TableWriter):
    """One run of one statement; its rows pass through this process."""

    def write(self, frame: DataFrame) -> WriteResult:
        """Run the statement for every row; another writer of the table waits meanwhile.

        Tables of a storage engine without transactions keep the rows up to one that fails.

        Raises:
            SchemaMismatch: The frame has another number of columns than the statement has values.
            DatasetLocked: Another writer, or a session that uses the table, holds it.
            WriteFailed: The engine or the database failed; the table is as before.
        """
        # The driver takes %s for a value, and so every other percent sign twice.
        statement = with_placeholders((self.request.statement or "").replace("%", "%%"), MYSQL, lambda _: "%s")
        check_values(frame, statement, self.request)
        with self.connection.open() as opened, self._failures():
            cursor = opened.cursor()
            self._lock(cursor)
            table = with_json(frame, arrays=True).toArrow()
            columns = [column.to_pylist() for column in table.columns]
            opened.select_db(self.place[0])
            with self._committed(opened):
                _run(cursor, statement, list(zip(*columns, strict=True)))
        return WriteResult(
            rows=table.num_rows,
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields),
            created=False,
        )


def _run(cursor: Any, statement: Numbered, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement for each row; many rows of an INSERT at once, where all its values stand in its row.

    PyMySQL makes one INSERT of many, and gives values to the list behind VALUES only (Cursor.executemany).
    """
    found = driver().cursors.RE_INSERT_VALUES.match(statement.sql)
    if found and found[2].count("%s") == statement.values:
        cursor.executemany(statement.sql, rows)
        return
    for row in rows:
        cursor.execute(statement.sql, row)
