"""A PostgreSQL table as a data source of PySpark, which Sail runs: the database hands over batches of Arrow."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import DecimalType, StructType

from dataos_dagster.depots.postgresql.connection import driver, message
from dataos_dagster.depots.postgresql.pushdown import condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyarrow import RecordBatch
    from pyspark.sql.datasource import Filter

NAME = "dataos_postgresql"


class PostgresqlSource(DataSource):  # type: ignore[misc]  # pyspark is untyped
    """One query; the connection stands in a variable of the engine's process, so that no plan holds a password."""

    @classmethod
    def name(cls) -> str:
        """Return the word behind `format`."""
        return NAME

    def schema(self) -> StructType:
        """Return the columns."""
        return StructType.fromJson(json.loads(self.options["columns"]))

    def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Sail hands over Arrow's, Spark its own
        """Return the reader."""
        compared = json.loads(self.options["compared"])
        return PostgresqlReader(self.options["query"], self.options["variable"], self.schema(), compared)


class PostgresqlReader(DataSourceReader):  # type: ignore[misc]  # pyspark is untyped
    """Runs the query in one task.

    Args:
        query: `SELECT … FROM …`, to which conditions may be added.
        variable: Of the process, with the connection.
        schema: Columns of the query.
        compared: Columns by which the database may filter, and their types there.
    """

    def __init__(self, query: str, variable: str, schema: StructType, compared: Mapping[str, str]) -> None:
        self._query = query
        self._variable = variable
        self._schema = schema
        self._compared = compared
        self._conditions: list[str] = []

    def pushFilters(self, filters: list[Filter]) -> Iterator[Filter]:  # noqa: N802 - the name that PySpark calls
        """Let the database apply what it can, and yield every filter: Sail applies each of them again."""
        for each in filters:
            found = condition(each, self._compared)
            if found is not None:
                self._conditions.append(found)
            yield each

    @property
    def sql(self) -> str:
        """Return what the database is asked."""
        return f"{self._query} WHERE {' AND '.join(self._conditions)}" if self._conditions else self._query

    def partitions(self) -> list[InputPartition]:
        """Return the one task."""
        return [InputPartition(0)]

    def read(self, partition: InputPartition) -> Iterator[RecordBatch]:  # noqa: ARG002 - there is one
        """Yield the rows.

        Raises:
            ConnectionError: The database does not answer, or refuses the query.
        """
        dbapi = driver()
        try:
            with dbapi.connect(os.environ[self._variable]) as connection, connection.cursor() as cursor:
                cursor.execute(self.sql)
                for batch in cursor.fetch_record_batch():
                    yield typed(batch, self._schema)
        except dbapi.Error as error:
            raise ConnectionError(message(error)) from None


def typed(batch: RecordBatch, schema: StructType) -> RecordBatch:
    """Return a batch with the types that Spark has for them; the driver hands over numerics as texts."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import to_arrow_type

    arrays: list[Any] = []
    for column, field in zip(batch.columns, schema.fields, strict=True):
        wanted = to_arrow_type(field.dataType)
        plain = column.storage if isinstance(column, pa.ExtensionArray) else column
        if isinstance(field.dataType, DecimalType):
            plain = plain.cast(pa.string())
        arrays.append(plain.cast(wanted))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)
