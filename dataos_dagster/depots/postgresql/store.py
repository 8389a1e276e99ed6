"""A PostgreSQL database as the door sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.depots import staging
from dataos_dagster.depots.contents import nearest, tables_in
from dataos_dagster.depots.postgresql.columns import read_columns, read_query_columns, select, spark_schema
from dataos_dagster.depots.postgresql.connection import (
    JDBC_PACKAGE,
    PostgresqlConnection,
    driver,
    identifier,
    literal,
    message,
)
from dataos_dagster.depots.postgresql.locking import lock_table
from dataos_dagster.depots.postgresql.marks import TABLE as MARKS
from dataos_dagster.depots.postgresql.marks import evidence_of
from dataos_dagster.depots.postgresql.pushdown import compared_types
from dataos_dagster.depots.postgresql.statement import StatementWriter
from dataos_dagster.depots.postgresql.write import TableWriter
from dataos_dagster.depots.refusals import refuse_iceberg_only
from dataos_dagster.depots.requests import ReadRequest, Requirements, WriteRequest
from dataos_dagster.errors import DatasetNotFound, DepotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.postgresql.columns import PostgresqlColumn
    from dataos_dagster.depots.requests import JdbcConnection, WriteResult
    from dataos_dagster.depots.settlement import Evidence
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

DEFAULT_SCHEMA = "public"
# Options that make Spark's reader faster, and change nothing of what is read.
_TUNING = ("partitioncolumn", "lowerbound", "upperbound", "numpartitions", "fetchsize", "sessioninitstatement")
_TABLES = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
  AND c.relname <> {literal(MARKS)} AND c.relname NOT LIKE {literal(staging.ALL)}
  AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY 1, 2
"""  # noqa: S608 - the words are our own


@dataclass(frozen=True, slots=True)
class PostgresqlStore:
    """The tables of one database.

    Attributes:
        depot: Name of the depot; None for a standalone connection.
    """

    connection: PostgresqlConnection
    settings: Settings
    depot: str | None = None

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs: the connection for Sail, the JDBC driver for Spark."""
        if isinstance(request, WriteRequest) or request.query is None:
            self.table(request)
        refuse_iceberg_only(request, "a table of PostgreSQL")
        packages = (JDBC_PACKAGE,)
        if isinstance(request, WriteRequest):
            return Requirements(packages=packages)
        return Requirements(packages=packages, environment={"sail": {self.connection.variable: self.connection.uri}})

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a table, or of what a query returns.

        Raises:
            DatasetNotFound: There is no such table; suggests the nearest name.
            DepotError: The database refuses the query.
        """
        if request.query is not None:
            relation = f"({request.query.sql}\n) dataset"  # it may end with a comment, which ends with its line
            columns = self._query_columns(request.query.sql, request)
        else:
            schema, table = self.table(request)
            relation, columns = identifier(schema, table), self._columns(schema, table, request)
        query = select(columns, relation)
        with session.failures(request.location):
            if session.engine == "sail":
                return self._read_arrow(query, columns, session)
            frame = self._read_jdbc(query, request, session)
            frame.schema  # noqa: B018 - asks the engine, so that a driver that is missing is this read's error
            return frame

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a table, in one transaction."""
        schema, table = self.table(request)
        writer = StatementWriter if request.statement is not None else TableWriter
        return writer(self.connection, schema, table, request, session, principal, self.settings).write(frame)

    @property
    def runs_statements(self) -> bool:
        """Return True."""
        return True

    def evidence(self, request: WriteRequest) -> Evidence:
        """Return the marks of the writes of a table."""
        with self.connection.open() as opened, self.connection.failures(), opened.cursor() as cursor:
            return evidence_of(cursor, *self.table(request))

    def settle(self, request: WriteRequest, principal: Principal) -> None:
        """Take a table's lock and settle what writers that died had begun."""
        name, settlement = self.table(request), request.settlement
        if settlement is None:
            return
        application = f"dataos {principal.name} {request.operation or ''}".strip()
        with self.connection.open(application) as opened, self.connection.failures(), opened.cursor() as cursor:
            lock_table(cursor, self.connection, name, request, self.settings.limits.lock_seconds)
            settlement.settle(lambda: evidence_of(cursor, *name), None)

    def check(self) -> str:
        """Return how many tables and schemas there are."""
        return tables_in(self._tables(), "schema")

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of all tables and views."""
        return tuple(Address(self.depot or "", schema, (table,)) for schema, table in self._tables())

    def table(self, request: ReadRequest | WriteRequest) -> tuple[str, str]:
        """Return schema and table of a request.

        Raises:
            DepotError: It names a whole database or schema.
        """
        target = request.target
        if target.jdbc is not None:
            schema, dot, table = target.jdbc.table.replace('"', "").rpartition(".")
            return (schema if dot else DEFAULT_SCHEMA), table
        address = target.address
        if address is None or len(address.path) != 1:
            raise DepotError(
                f"{target} names no table",
                hint="write depot, schema and table: dataos://depot:public/orders",
                location=request.location,
            )
        return address.collection or DEFAULT_SCHEMA, address.path[0]

    def _columns(self, schema: str, table: str, request: ReadRequest) -> tuple[PostgresqlColumn, ...]:
        with self.connection.open() as opened, self.connection.failures(), opened.cursor() as cursor:
            columns = read_columns(cursor, schema, table)
        if not columns:
            names = map(".".join, self._tables())
            raise DatasetNotFound(
                f"{self.connection.name} has no table {schema}.{table}",
                hint=nearest(f"{schema}.{table}", names, "names are compared with their case"),
                location=request.location,
            )
        return _wanted(columns, request)

    def _query_columns(self, query: str, request: ReadRequest) -> tuple[PostgresqlColumn, ...]:
        with self.connection.open() as opened, self.connection.failures(), opened.cursor() as cursor:
            try:
                return _wanted(read_query_columns(cursor, query), request)
            except driver().Error as error:
                raise DepotError(
                    f"{self.connection.name} refuses the query: {message(error)}",
                    hint="try it there; what the query reads must be in that database",
                    location=request.location,
                ) from None

    def _read_arrow(self, query: str, columns: tuple[PostgresqlColumn, ...], session: EngineSession) -> DataFrame:
        from dataos_dagster.depots.postgresql.source import NAME, PostgresqlSource

        session.spark.dataSource.register(PostgresqlSource)
        reader = session.spark.read.format(NAME).option("query", query)
        reader = reader.options(columns=spark_schema(columns).json(), variable=self.connection.variable)
        return reader.option("compared", json.dumps(compared_types(columns))).load()

    def _read_jdbc(self, query: str, request: ReadRequest, session: EngineSession) -> DataFrame:
        options = {key: value for key, value in request.options.items() if key.lower() in _TUNING}
        reader = session.spark.read.format("jdbc").options(**options, **self.connection.spark_options())
        return reader.option("dbtable", f"({query}) dataset").load()

    def _tables(self) -> list[tuple[str, str]]:
        with self.connection.open() as opened, self.connection.failures(), opened.cursor() as cursor:
            cursor.execute(_TABLES)
            return [(schema, table) for schema, table in cursor.fetchall()]


def _wanted(columns: tuple[PostgresqlColumn, ...], request: ReadRequest) -> tuple[PostgresqlColumn, ...]:
    """Return the columns that a request asks for."""
    if request.columns is None:
        return columns
    wanted = {name.lower() for name in request.columns}
    return tuple(column for column in columns if column.name.lower() in wanted)


def open_depot(depot: Depot, credentials: Mapping[str, SecretStr], settings: Settings) -> PostgresqlStore:
    """Return the store of a depot."""
    from dataos_dagster.depots.manifest import JdbcConnection as JdbcSection

    assert isinstance(depot.connection, JdbcSection)  # noqa: S101 - what its family is chosen by
    return PostgresqlStore(
        PostgresqlConnection.of_depot(depot.name, depot.connection, credentials), settings, depot.name
    )


def open_standalone(jdbc: JdbcConnection, settings: Settings) -> PostgresqlStore:
    """Return the store of a standalone connection."""
    return PostgresqlStore(PostgresqlConnection.of_url(jdbc), settings)
