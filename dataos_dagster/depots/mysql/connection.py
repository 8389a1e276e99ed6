"""Connect to a MySQL or MariaDB server, and say in a user's words why that failed."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.clients import client
from dataos_dagster.depots.mysql.encryption import client_arguments
from dataos_dagster.errors import CredentialsRefused, DatasetNotFound, DepotError, DepotUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from dataos_dagster.depots.mysql.encryption import SslMode

CONNECT_SECONDS = 10
# Numbers of errors: MySQL, Server Error Message Reference and Client Error Message Reference.
_REFUSED = frozenset({1044, 1045, 1698})
_NO_DATABASE = 1049
_UNREACHABLE = frozenset({2002, 2003, 2006, 2013})
# No answer will come any more: the server shuts down, has ended the session, or is gone; 0 is the client's own.
LOST = frozenset({0, 1053, 1927, 2006, 2013})


@dataclass(frozen=True, slots=True)
class MysqlConnection:
    """A server, and the user to it.

    Attributes:
        name: What it is called in messages.
        ssl_mode: How the connection is encrypted, in the words of the JDBC driver.
    """

    name: str
    host: str
    port: int
    username: SecretStr | None = None
    password: SecretStr | None = None
    ssl_mode: SslMode = "PREFERRED"

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Open a connection in a transaction that is rolled back unless the block commits it.

        Raises:
            DepotUnsupported: The driver is not installed.
            CredentialsRefused: The server refuses user or password.
            DepotError: Its certificate is not trusted, and is to be.
            DepotUnreachable: Nobody answers at the address, or not in time.
        """
        with self.failures():
            connection = driver().connect(
                host=self.host,
                port=self.port,
                user=self.username.get_secret_value() if self.username else None,
                password=self.password.get_secret_value() if self.password else "",
                connect_timeout=CONNECT_SECONDS,
                charset="utf8mb4",
                **client_arguments(self.ssl_mode),
            )
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Translate what the driver raises inside the block."""
        error_class = driver().MySQLError
        try:
            yield
        except error_class as error:
            raise self._failure(error) from None

    def _failure(self, error: Any) -> DepotError:
        number, text = number_of(error), message(error)
        where = f"{self.name} at {self.host}:{self.port}"
        if number in _REFUSED:
            return CredentialsRefused(f"{where} refuses the credentials: {text}", hint="check the depot's secret")
        if number == _NO_DATABASE:
            return DatasetNotFound(f"{where}: {text}", hint="the collection of an address is the database")
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return DepotError(
                f"{where}: its certificate is not trusted: {text}",
                hint="add the authority's certificate to the system's trust store, or name its file in SSL_CERT_FILE",
            )
        if number in _UNREACHABLE:
            return DepotUnreachable(f"{where} does not answer: {text}", hint="check host and port, and that it runs")
        return DepotError(f"{where}: {text}")


def driver() -> Any:
    """Return the client for Python.

    Raises:
        DepotUnsupported: It is not installed.
    """
    return client("pymysql", "MySQL", "mysql")


def number_of(error: BaseException) -> int:
    """Return the number of an error; 0 when it has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def message(error: BaseException) -> str:
    """Return what the server said."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return re.sub(r"\s+", " ", text)[:500]


def identifier(*names: str) -> str:
    """Return a name in SQL, its parts in backticks."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
