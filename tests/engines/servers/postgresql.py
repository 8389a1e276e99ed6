"""PostgreSQL: the server of the operating system's package, with a data directory and a port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from .cache import installing
from .packages import apt_install
from .process import HOST, ServerFailed, ServerProcess, as_account, free_port, port_is_open

DEBIAN_PACKAGE = "postgresql"
_DATABASE_NUMBERS = count(1)


def missing() -> str | None:
    """Return why there is no PostgreSQL server here, or None."""
    if _binaries() is None:
        return "no PostgreSQL server binaries (initdb, postgres)"
    return None


def install() -> None:
    """Install the operating system's package."""
    with installing("postgresql", f"installing the package {DEBIAN_PACKAGE}"):
        apt_install(DEBIAN_PACKAGE)


@dataclass(frozen=True)
class PostgreSQLServer:
    """A running server; `user` is its superuser and must give the password (SCRAM) on every connection."""

    process: ServerProcess
    folder: Path
    port: int
    host: str = HOST
    # A word of its own: the values of secrets, user names among them, are masked in every message.
    user: str = "harbourmaster"
    password: str = "correct-horse"

    def url(self, database: str = "postgres", *, driver: str = "postgresql+psycopg") -> str:
        """Return the SQLAlchemy URL of a database; `driver="postgresql"` gives libpq's own form."""
        return f"{driver}://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside of a transaction and return its rows, if it has any."""
        import psycopg

        with psycopg.connect(self.url(database, driver="postgresql"), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str | None = None) -> str:
        """Create an empty database and return its name; without a name, one that nobody has used."""
        chosen = name or f"test_{os.getpid()}_{next(_DATABASE_NUMBERS)}"
        self.execute(f'CREATE DATABASE "{chosen}"')
        return chosen

    def stop(self) -> None:
        """Stop the server at once and delete its data."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_postgresql() -> PostgreSQLServer:
    """Start a server with an empty data directory below the temporary folder.

    PostgreSQL refuses to run as root: there, the package's own account `postgres` runs it.
    """
    binaries = _binaries()
    if binaries is None:
        raise ServerFailed(missing())
    account = "postgres" if os.geteuid() == 0 else None
    # Not below pytest's folder: that one is closed to other accounts.
    folder = Path(tempfile.mkdtemp(prefix="dataos-postgresql-"))
    if account:
        shutil.chown(folder, account, account)
    port = free_port()
    server_log, data = folder / "server.log", folder / "data"
    _initialise(binaries, data, folder / "password", account)
    options = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "50",
        "shared_buffers": "32MB",
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    # SIGQUIT is PostgreSQL's immediate shutdown: the data is thrown away, so there is nothing to flush.
    process = ServerProcess.start("postgresql", command, log=server_log, user=account, stop_signal=signal.SIGQUIT)
    server = PostgreSQLServer(process, folder, port)
    process.wait_until(lambda: port_is_open(port) and _accepts(server))
    return server


def _initialise(binaries: Path, data: Path, password_file: Path, account: str | None) -> None:
    password_file.write_text(PostgreSQLServer.password)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={data}",
        f"--username={PostgreSQLServer.user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    if account:
        shutil.chown(password_file, account, account)
    command = [*as_account(account), *command]
    done = subprocess.run(command, capture_output=True, text=True, cwd=data.parent, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"initdb ended with {done.returncode}:\n{done.stderr}")


def _accepts(server: PostgreSQLServer) -> bool:
    import psycopg

    try:
        server.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _binaries() -> Path | None:
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin_: int(bin_.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((bin_ for bin_ in candidates if (bin_ / "initdb").exists() and (bin_ / "postgres").exists()), None)
