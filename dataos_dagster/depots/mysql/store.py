"""A MySQL or MariaDB server as the door sees it; the collection of an address is the database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from dataos_dagster.address import Address
from dataos_dagster.depots import staging
from dataos_dagster.depots.connectors.call import dataset_of
from dataos_dagster.depots.connectors.jdbc import depot_connector, standalone_connector
from dataos_dagster.depots.connectors.store import ConnectorStore
from dataos_dagster.depots.contents import nearest, tables_in
from dataos_dagster.depots.jdbc_url import parted_parameters
from dataos_dagster.depots.mysql.connection import MysqlConnection
from dataos_dagster.depots.mysql.encryption import ssl_mode
from dataos_dagster.depots.mysql.statement import StatementWriter
from dataos_dagster.depots.mysql.write import TableWriter
from dataos_dagster.depots.refusals import refuse_iceberg_only
from dataos_dagster.errors import DatasetNotFound, DepotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.requests import JdbcConnection, ReadRequest, Requirements, WriteRequest, WriteResult
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

_PORT = 3306
_SYSTEM = "('information_schema', 'mysql', 'performance_schema', 'sys')"
_TABLES = f"""
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema NOT IN {_SYSTEM} AND table_name NOT LIKE '{staging.ALL}' ORDER BY 1, 2
"""  # noqa: S608 - the words are our own


@dataclass(frozen=True, slots=True)
class MysqlStore:
    """The tables of one server.

    Attributes:
        depot: Name of the depot; of a connection that a job spells out, its server.
        table: Database and table of such a connection; None where addresses name them.
    """

    connection: MysqlConnection
    spark: ConnectorStore
    settings: Settings
    depot: str
    table: tuple[str, str] | None = None

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request: Spark, and the JDBC driver."""
        refuse_iceberg_only(request, "a table of MySQL")
        # A write that fails leaves the old rows here, whatever Spark alone would do.
        return replace(self.spark.requirements(request), notes=())

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a table or view.

        Raises:
            DatasetNotFound: There is no such table; suggests the nearest name.
        """
        if request.target.jdbc is not None:
            return self.spark.read(request, session)  # may be a query
        wanted = dataset_of(request, "database and table")
        names = self._tables()
        if wanted not in names:
            listed = f"`dataos show dataos://{self.depot}` lists what is there"
            raise DatasetNotFound(
                f"{self.connection.name} has no table {'.'.join(wanted)}",
                hint=nearest(".".join(wanted), map(".".join, names), listed),
                location=request.location,
            )
        return self.spark.read(request, session)

    def write(
        self, frame: DataFrame, request: WriteRequest, session: EngineSession, principal: Principal
    ) -> WriteResult:
        """Commit a frame to a table: all of it or nothing, where its storage engine knows transactions."""
        place = self.table or dataset_of(request, "database and table")
        if not all(place):
            raise DepotError(
                f"{request.target} names no database",
                hint="write it into the URL, jdbc:mysql://host:3306/database, or before the table",
                location=request.location,
            )
        writer = StatementWriter if request.statement is not None else TableWriter
        return writer(self.connection, self.spark, place, request, session, principal, self.settings).write(frame)

    @property
    def runs_statements(self) -> bool:
        """Return True."""
        return True

    def check(self) -> str:
        """Return how many tables and databases there are."""
        return tables_in(self._tables(), "database")

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of all tables and views."""
        return tuple(Address(self.depot, database, (table,)) for database, table in self._tables())

    def _tables(self) -> list[tuple[str, str]]:
        with self.connection.open() as opened, self.connection.failures(), opened.cursor() as cursor:
            cursor.execute(_TABLES)
            return [(database, table) for database, table in cursor.fetchall()]


def open_depot(depot: Depot, credentials: Mapping[str, SecretStr], settings: Settings) -> MysqlStore:
    """Return the store of a depot."""
    from dataos_dagster.depots.manifest import JdbcConnection as JdbcSection

    section = depot.connection
    assert isinstance(section, JdbcSection)  # noqa: S101 - what its family is chosen by
    parted = parted_parameters(section.plain_params)
    connection = MysqlConnection(
        f"depot {depot.name!r}",
        section.host,
        section.port or _PORT,
        credentials.get("username") or parted.username,
        credentials.get("password") or parted.password,
        ssl_mode(parted.plain),
    )
    store = ConnectorStore(depot_connector(depot, credentials), f"depot {depot.name!r}", "mysql")
    return MysqlStore(connection, store, settings, depot.name)


def is_one_server(url: str) -> bool:
    """Return whether a JDBC URL names a single MySQL or MariaDB server, and no list of them."""
    server = urlsplit(url.removeprefix("jdbc:"))
    try:
        server.port  # noqa: B018 - a list of servers, or a mistake, is no number
    except ValueError:
        return False
    return url.startswith(("jdbc:mysql://", "jdbc:mariadb://")) and "," not in server.netloc


def open_standalone(jdbc: JdbcConnection, settings: Settings) -> MysqlStore:
    """Return the store of a connection that a job spells out."""
    from pydantic import SecretStr

    url = urlsplit(jdbc.url.removeprefix("jdbc:"))
    host, port = url.hostname or "localhost", url.port or _PORT
    user = SecretStr(jdbc.username) if jdbc.username else None
    mode = ssl_mode(dict(parse_qsl(url.query, keep_blank_values=True)))
    connection = MysqlConnection(f"{host}:{port}", host, port, user, jdbc.password, mode)
    database, _, table = jdbc.table.rpartition(".")
    place = (database.strip("`") or unquote(url.path.strip("/")), table.strip("`"))
    spark = ConnectorStore(standalone_connector(jdbc), jdbc.url, "mysql")
    return MysqlStore(connection, spark, settings, connection.name, place)
