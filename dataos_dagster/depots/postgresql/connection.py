"""Connect to a PostgreSQL database, and say in a user's words why that failed."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from dataos_dagster.depots.clients import client
from dataos_dagster.depots.jdbc_url import parted_parameters
from dataos_dagster.depots.postgresql.parameters import libpq_parameters
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import CredentialsRefused, DepotError, DepotUnreachable, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.manifest import JdbcConnection as JdbcSection
    from dataos_dagster.depots.requests import JdbcConnection

DRIVER_CLASS = "org.postgresql.Driver"
JDBC_PACKAGE = coordinate_of("postgresql")
DEFAULT_PORT = 5432
CONNECT_SECONDS = 10
_REFUSED = ("password authentication failed", "no password supplied", "role ", "permission denied for database")
_SQLSTATE_REFUSED = ("28P01", "28000")


@dataclass(frozen=True, slots=True)
class PostgresqlConnection:
    """A database on a server, and the user to it.

    Attributes:
        name: What it is called in messages: the depot, or the host and database.
        parameters: Parameters of the connection under the JDBC driver's names, such as `sslmode`; nothing secret.
        secret_parameters: Those that are secret, such as `sslpassword`.
    """

    name: str
    host: str
    port: int
    database: str
    username: SecretStr | None = None
    password: SecretStr | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    secret_parameters: Mapping[str, SecretStr] = field(default_factory=dict)

    @classmethod
    def of_depot(cls, name: str, section: JdbcSection, credentials: Mapping[str, SecretStr]) -> PostgresqlConnection:
        """Return the connection of a depot.

        Raises:
            DepotError: The depot names no database.
        """
        if not section.database:
            raise DepotError(f"depot {name!r} names no database", hint="add `database:` to its connection")
        parted = parted_parameters(section.plain_params)
        return cls(
            f"depot {name!r}",
            section.host,
            section.port or DEFAULT_PORT,
            section.database,
            credentials.get("username") or parted.username,
            credentials.get("password") or parted.password,
            parted.plain,
            parted.secrets,
        )

    @classmethod
    def of_url(cls, jdbc: JdbcConnection) -> PostgresqlConnection:
        """Return the connection behind a JDBC URL.

        Raises:
            DepotUnsupported: The URL is one of another database.
        """
        from pydantic import SecretStr

        if not jdbc.url.startswith("jdbc:postgresql:"):
            raise DepotUnsupported(
                f"{jdbc.url.partition('?')[0]} is not read or written yet", hint="jdbc:postgresql: URLs are"
            )
        url = urlsplit(jdbc.url.removeprefix("jdbc:"))
        try:
            host, port = url.hostname or "localhost", url.port or DEFAULT_PORT
        except ValueError:
            raise DepotUnsupported(
                "the port in the JDBC URL is no number", hint="write jdbc:postgresql://host:5432/database"
            ) from None
        return cls(
            f"{host}:{port}{url.path}",
            host,
            port,
            url.path.strip("/"),
            SecretStr(jdbc.username) if jdbc.username else None,
            jdbc.password,
            dict(parse_qsl(url.query, keep_blank_values=True)),
            jdbc.secret_parameters,
        )

    @property
    def jdbc_url(self) -> str:
        """Return the JDBC URL, without credentials."""
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        return f"jdbc:postgresql://{self.host}:{self.port}/{quote(self.database)}{query}"

    @property
    def variable(self) -> str:
        """Return the name of the variable by which an engine's process is given the connection."""
        identity = f"{self.host}:{self.port}/{self.database}/{_plain(self.username)}"
        return f"DATAOS_POSTGRESQL_{hashlib.sha256(identity.encode()).hexdigest()[:16].upper()}"

    @property
    def uri(self) -> SecretStr:
        """Return the connection string of libpq, credentials included.

        Raises:
            DepotUnsupported: A parameter means something that libpq cannot do.
        """
        from pydantic import SecretStr

        secrets = {key: value.get_secret_value() for key, value in self.secret_parameters.items()}
        given = libpq_parameters({**self.parameters, **secrets})
        query = urlencode({"connect_timeout": str(CONNECT_SECONDS), **given}, quote_via=quote)
        user = quote(_plain(self.username), safe="")
        password = quote(_plain(self.password), safe="")
        account = f"{user}{':' + password if password else ''}@" if user else ""
        return SecretStr(f"postgresql://{account}{self.host}:{self.port}/{quote(self.database, safe='')}?{query}")

    def spark_options(self) -> dict[str, str]:
        """Return the options of Spark's JDBC source and sink. Holds the password: never log it."""
        found = {"url": self.jdbc_url, "driver": DRIVER_CLASS}
        if self.username:
            found["user"] = self.username.get_secret_value()
        if self.password:
            found["password"] = self.password.get_secret_value()
        return found | {key: value.get_secret_value() for key, value in self.secret_parameters.items()}

    @contextmanager
    def open(self, application: str = "dataos") -> Iterator[Any]:
        """Open a connection of ADBC, in a transaction that is rolled back unless the block commits it.

        Raises:
            DepotUnsupported: The driver is not installed.
            CredentialsRefused: The server refuses user or password.
            DepotUnreachable: Nobody answers at the address, or not in time.
        """
        dbapi = driver()
        with self.failures():
            connection = dbapi.connect(self.uri.get_secret_value(), autocommit=False)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET application_name = {literal(application[:63])}")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Translate what the driver raises inside the block."""
        error_class = driver().Error
        try:
            yield
        except error_class as error:
            raise self._failure(error) from None

    def _failure(self, error: Any) -> DepotError:
        text = message(error)
        where = f"{self.name} at {self.host}:{self.port}"
        if getattr(error, "sqlstate", None) in _SQLSTATE_REFUSED or (
            "FATAL" in text and any(sign in text for sign in _REFUSED)
        ):
            return CredentialsRefused(f"{where} refuses the credentials: {text}", hint="check the depot's secret")
        if "does not exist" in text and "database" in text:
            return DepotError(f"{where}: {text}", hint="check `database` of the depot")
        if any(sign in text for sign in ("connection to server", "could not translate host", "timeout", "terminat")):
            return DepotUnreachable(f"{where} does not answer: {text}", hint="check host and port, and that it runs")
        return DepotError(f"{where}: {text}")


def driver() -> Any:
    """Return ADBC's driver.

    Raises:
        DepotUnsupported: It is not installed.
    """
    return client("adbc_driver_postgresql.dbapi", "PostgreSQL", "postgres")


def message(error: BaseException) -> str:
    """Return what the server said, without the driver's own words around it."""
    text = str(error)
    found = re.search(r"(?:ERROR|FATAL|PANIC):.*", text, re.DOTALL) or re.search(
        r"connection to server.*|could not.*", text, re.DOTALL
    )
    plain = (found[0] if found else text).partition(". SQLSTATE")[0]
    return " ".join(plain.split())[:500]


def identifier(*names: str) -> str:
    """Return a name in SQL, its parts in double quotes."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a text in SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
