"""Open the state database, bring its schema up to date, and run short transactions on it.

No connection is kept: a run that forks, a code location that idles for a day and a server that restarts have nothing
stale to trip over, and a transaction here is short.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from sqlite3 import OperationalError
from typing import TYPE_CHECKING, Self

from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from dataos_dagster.errors import StateError
from dataos_dagster.redaction import register
from dataos_dagster.state.failures import as_state_error
from dataos_dagster.state.intents import Intents
from dataos_dagster.state.job_runs import JobRuns
from dataos_dagster.state.presence import FILE_NAME
from dataos_dagster.state.profiles import Profiles
from dataos_dagster.state.runs import Runs
from dataos_dagster.state.schema import bring_up_to_date
from dataos_dagster.state.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection as SQLiteConnection
    from sqlite3 import Cursor as SQLiteCursor

    from sqlalchemy import Connection, Engine

    from dataos_dagster.settings import Settings

# How long a writer waits for another one before "database is locked".
BUSY_SECONDS = 30
CONNECT_SECONDS = 10
_RETRY_SECONDS = 0.02


class Database:
    """A place for tables, with transactions that turn the driver's errors into `StateError`.

    Args:
        url: SQLAlchemy URL of SQLite or PostgreSQL.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _engine(url)

    @property
    def name(self) -> str:
        """Return where it is, without a password."""
        return self.url.database or "" if self.url.get_backend_name() == "sqlite" else str(self.url)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes, if any, are thrown away.

        Raises:
            StateError: The database does not answer or cannot be read.
        """
        with self._translating(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is committed at the end, or rolled back when the block raises.

        Raises:
            StateError: The database does not answer or cannot be written.
        """
        writer = self.engine.execution_options(writes=True)
        with self._translating(), Session(writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a connection in a transaction that may change the schema."""
        with self._translating(), self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise as_state_error(error, self.name) from error


@dataclass(frozen=True, slots=True)
class State:
    """The state database of a project: one repository a concern."""

    database: Database
    job_runs: JobRuns
    watermarks: Watermarks
    intents: Intents
    profiles: Profiles
    runs: Runs

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the project's state database, create it when it is not there, and migrate it.

        Raises:
            StateError: It cannot be reached or written, or a newer version of this package has migrated it.
        """
        database = Database(state_url(settings))
        bring_up_to_date(database)
        return cls(
            database, JobRuns(database), Watermarks(database), Intents(database), Profiles(database), Runs(database)
        )


def state_url(settings: Settings) -> URL:
    """Return the URL of the project's state database; the folder of a default one exists afterwards.

    Raises:
        StateError: The URL cannot be read, or names a database that is neither SQLite nor PostgreSQL.
    """
    if settings.state.url is None:
        return URL.create("sqlite", database=str(settings.make_state_folder() / FILE_NAME))
    try:
        url = make_url(settings.state.url.get_secret_value())
    except exc.ArgumentError:
        raise StateError(
            "state.url is not a database URL", hint="write postgresql://user:password@host/database"
        ) from None
    if url.password:
        register(str(url.password))
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        # Commands, the daemon and its runs each have another working folder.
        named = bool(url.database) and url.database != ":memory:" and not str(url.database).startswith("file:")
        return url.set(database=str((settings.project / str(url.database)).resolve())) if named else url
    raise StateError(
        f"state.url names {backend}, which cannot keep the state", hint="use sqlite:///file or postgresql://…"
    )


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    arguments = {"timeout": BUSY_SECONDS} if sqlite else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise StateError(
            f"the driver of PostgreSQL is not installed: {error.name}", hint="pip install 'dataos-dagster[postgres]'"
        ) from error
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: SQLiteConnection, _record: object) -> None:
    # The driver's own handling of transactions would start one late, after the first read.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _use_wal(cursor: SQLiteCursor) -> None:
    """Let readers and the one writer not wait for each other, where the file's disk can do that; the file remembers it.

    Two processes that turn a new file to it at once do not wait for one another as they do elsewhere: SQLite says
    "locked" at once to one of them, which then finds it done.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes fails at once, without waiting, when somebody wrote in between:
    # a writer takes its turn before it reads.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
