"""Databases through Spark's JDBC source and the database's own driver: URL, driver and names of each.

Sources: Spark SQL guide, JDBC To Other Databases; each driver's documentation of its connection URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dataos_dagster.depots.connectors.call import Connector, ConnectorCall, dataset_of
from dataos_dagster.depots.jdbc_url import parted_parameters
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.manifest import JdbcConnection as JdbcSection
    from dataos_dagster.depots.requests import JdbcConnection, ReadRequest, WriteRequest

_OVERWRITE = "Spark empties the table before it writes: when the write fails its rows are gone"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between databases.

    Attributes:
        driver: Class of its driver.
        connector: Short name of the driver's connector; None when we know none.
        quotes: What a name stands between.
        style: How parameters stand in its URL.
        port: Port where it listens unless told otherwise.
    """

    driver: str | None
    connector: str | None
    quotes: tuple[str, str] = ('"', '"')
    style: Literal["query", "semicolon"] = "query"
    port: int | None = None

    def name(self, *parts: str) -> str:
        """Return a name in SQL, its parts quoted."""
        opening, closing = self.quotes
        return ".".join(f"{opening}{part.replace(closing, closing * 2)}{closing}" for part in parts if part)

    def with_parameters(self, url: str, parameters: Mapping[str, str]) -> str:
        """Return a URL with its parameters.

        Raises:
            DepotError: The driver has no way to write a value.
        """
        from urllib.parse import urlencode

        if not parameters:
            return url
        if self.style == "semicolon":
            return url + "".join(f";{key}={self._in_url(key, value)}" for key, value in parameters.items())
        return f"{url}?{urlencode(parameters)}"

    def _in_url(self, key: str, value: str) -> str:
        """Return a value in a URL whose parameters end at a semicolon, which would else begin another parameter."""
        if not any(sign in value for sign in ";{}"):
            return value
        if self.connector != "sqlserver":
            raise DepotError(
                f"the value of the parameter {key} has one of ; {{ }}, which this driver cannot be given",
                hint="write it without them",
            )
        return "{" + value.replace("}", "}}") + "}"


# Beginning of the word behind `jdbc:` to the dialect.
DIALECTS: Mapping[str, Dialect] = {
    "mysql": Dialect("com.mysql.cj.jdbc.Driver", "mysql", ("`", "`"), port=3306),
    "mariadb": Dialect("com.mysql.cj.jdbc.Driver", "mysql", ("`", "`"), port=3306),
    "sqlserver": Dialect(
        "com.microsoft.sqlserver.jdbc.SQLServerDriver", "sqlserver", ("[", "]"), "semicolon", port=1433
    ),
    "oracle": Dialect("oracle.jdbc.driver.OracleDriver", "oracle", port=1521),
    "redshift": Dialect("com.amazon.redshift.jdbc42.Driver", "redshift-jdbc", port=5439),
    "databricks": Dialect("com.databricks.client.jdbc.Driver", "databricks", ("`", "`"), "semicolon", port=443),
    "trino": Dialect("io.trino.jdbc.TrinoDriver", "trino", port=8080),
}
_UNKNOWN = Dialect(None, None)


def dialect_of(subprotocol: str) -> Dialect:
    """Return the dialect behind the word of a JDBC URL, such as `oracle:thin`; an open one for words nobody knows."""
    word = subprotocol.lower().removeprefix("jdbc:")
    return next((found for start, found in DIALECTS.items() if word.startswith(start)), _UNKNOWN)


def depot_connector(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a depot.

    Raises:
        DepotError: The depot lacks what the URL is made of.
    """
    from dataos_dagster.depots.manifest import JdbcConnection as JdbcSection

    section = depot.connection
    assert isinstance(section, JdbcSection)  # noqa: S101 - what its family is chosen by
    dialect = dialect_of(section.subprotocol)
    port = section.port or dialect.port
    parted = parted_parameters(section.plain_params)
    user = credentials.get("username") or parted.username or _default_user(depot)
    password = credentials.get("password") or parted.password
    logins = {"user": user, "password": password}
    secrets = {key: value for key, value in logins.items() if value} | dict(parted.secrets)

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        url, table = _place(depot, section, dialect, parted.plain, request)
        return _call(url, dialect, table, secrets, request)

    endpoint = f"{section.host}:{port}" if port else section.host
    return Connector(_connectors(dialect), (endpoint,), describe)


def standalone_connector(jdbc: JdbcConnection) -> Connector:
    """Return the connector of a connection that a job spells out."""
    from pydantic import SecretStr

    dialect = dialect_of(jdbc.url.removeprefix("jdbc:"))
    user = SecretStr(jdbc.username) if jdbc.username else None
    logins = {"user": user, "password": jdbc.password}
    secrets = {key: value for key, value in logins.items() if value} | dict(jdbc.secret_parameters)

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        found = _call(jdbc.url, dialect, jdbc.table, secrets, request)
        return found if jdbc.driver is None else _with_driver(found, jdbc.driver)

    return Connector(_connectors(dialect), (), describe)


def _connectors(dialect: Dialect) -> tuple[str, ...]:
    return (dialect.connector,) if dialect.connector else ()


def _call(
    url: str, dialect: Dialect, table: str, secrets: Mapping[str, SecretStr], request: ReadRequest | WriteRequest
) -> ConnectorCall:
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

    notes = []
    if isinstance(request, ReadRequest) and request.query is not None:
        # Every database takes an alias without AS, and Spark's options of parallel reads go with a table only.
        table = f"({request.query.sql}\n) dataset"  # it may end with a comment, which ends with its line
    if isinstance(request, WriteRequest) and request.mode == "overwrite":
        notes.append(f"{request.target}: {_OVERWRITE}")
    defaults = {"driver": dialect.driver} if dialect.driver else {}
    # The table keeps its columns and indexes; Spark's own default drops it.
    defaults |= {"truncate": "true"} if notes else {}
    call = ConnectorCall("jdbc", {"url": url, "dbtable": table}, secrets, defaults, ("query",), tuple(notes))
    given = {key.lower() for key in request.options}
    if dialect.driver is None and "driver" not in given:
        raise DepotError(
            f"{request.target}: nothing says which JDBC driver {url.split(':')[1]} needs",
            hint="write `driver`, the class of the driver, and name its jar in engines.spark.packages of dataos.yaml",
            location=request.location,
        )
    return call


def _with_driver(call: ConnectorCall, driver: str) -> ConnectorCall:
    return ConnectorCall(
        call.format, call.options, call.secrets, {**call.defaults, "driver": driver}, call.ignored, call.notes
    )


def _place(
    depot: Depot,
    section: JdbcSection,
    dialect: Dialect,
    parameters: Mapping[str, str],
    request: ReadRequest | WriteRequest,
) -> tuple[str, str]:
    """Return URL and table of a dataset."""
    word = section.subprotocol.lower().removeprefix("jdbc:")
    host = f"{section.host}:{section.port or dialect.port}" if section.port or dialect.port else section.host
    if word.startswith(("mysql", "mariadb")):
        # The collection is the database: there is no level above.
        database, table = dataset_of(request, "database and table")
        url = f"jdbc:mysql://{host}/{section.database or database}"
        return dialect.with_parameters(url, parameters), dialect.name(database, table)
    schema, table = dataset_of(request, "schema and table")
    if word.startswith("sqlserver"):
        named = {"databaseName": section.database} if section.database else {}
        return dialect.with_parameters(f"jdbc:sqlserver://{host}", {**named, **parameters}), dialect.name(schema, table)
    if word.startswith("oracle"):
        service = getattr(section, "service", None) or section.database
        if not service:
            raise DepotError(f"depot {depot.name!r} names no service", hint="add `service:`", location=depot.location)
        return dialect.with_parameters(f"jdbc:oracle:thin:@//{host}/{service}", parameters), dialect.name(schema, table)
    url = f"jdbc:{word}://{host}/{section.database or ''}".rstrip("/")
    return dialect.with_parameters(url, parameters), dialect.name(schema, table)


def _default_user(depot: Depot) -> SecretStr | None:
    """Return `token` for Databricks, whose password is an access token of whoever made it."""
    from pydantic import SecretStr

    return SecretStr("token") if depot.type == "databricks" else None
