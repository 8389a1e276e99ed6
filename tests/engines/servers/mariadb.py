"""MariaDB: the server of the operating system's package, with a data directory and a port of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from .cache import installing
from .packages import apt_install
from .process import HOST, ServerFailed, ServerProcess, free_port, port_is_open

# The programs alone: the package `mariadb-server` would start a server of the system's.
DEBIAN_PACKAGE = "mariadb-server-core"
_DATABASE_NUMBERS = count(1)
SCRIPTS = Path("/usr/share/mysql")


def missing() -> str | None:
    """Return why there is no MariaDB server here, or None."""
    if _program() is None or not SCRIPTS.is_dir():
        return "no MariaDB server binary (mariadbd)"
    return None


def install() -> None:
    """Install the operating system's package."""
    with installing("mariadb", f"installing the package {DEBIAN_PACKAGE}"):
        apt_install(DEBIAN_PACKAGE)


@dataclass(frozen=True)
class MariaDBServer:
    """A running server; `user` may do everything and must give the password on every connection."""

    process: ServerProcess
    folder: Path
    port: int
    host: str = HOST
    # A word of its own: the values of secrets, user names among them, are masked in every message.
    user: str = "quartermaster"
    password: str = "correct-horse"

    def execute(self, statement: str, *, database: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement and return its rows, if it has any."""
        import pymysql

        with (
            pymysql.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                database=database,
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    def create_database(self) -> str:
        """Create an empty database that nobody has used, and return its name."""
        name = f"test_{os.getpid()}_{next(_DATABASE_NUMBERS)}"
        self.execute(f"CREATE DATABASE `{name}`")
        return name

    def stop(self) -> None:
        """Stop the server and delete its data."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_mariadb(*further: str) -> MariaDBServer:
    """Start a server with an empty data directory below the temporary folder, and further options."""
    program = _program()
    if program is None:
        raise ServerFailed(missing())
    folder = Path(tempfile.mkdtemp(prefix="dataos-mariadb-"))
    data, port = folder / "data", free_port()
    # MariaDB refuses to run as root unless it is told that this is meant.
    account = ["--user=root"] if os.geteuid() == 0 else []
    _initialise(program, data, account)
    first = folder / "first.sql"
    first.write_text(
        f"CREATE USER '{MariaDBServer.user}'@'%' IDENTIFIED BY '{MariaDBServer.password}';\n"
        f"GRANT ALL ON *.* TO '{MariaDBServer.user}'@'%';\n"
    )
    options = [
        *("--no-defaults", f"--datadir={data}", f"--bind-address={HOST}", f"--port={port}", *account),
        *(f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", f"--init-file={first}"),
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-name-resolve"),
        *further,
    ]
    process = ServerProcess.start("mariadb", [program, *options], log=folder / "server.log")
    server = MariaDBServer(process, folder, port)
    process.wait_until(lambda: port_is_open(port) and _accepts(server))
    return server


def _accepts(server: MariaDBServer) -> bool:
    import pymysql

    try:
        server.execute("SELECT 1")
    except pymysql.OperationalError:
        return False
    return True


def _initialise(program: str, data: Path, account: list[str]) -> None:
    """Make the system tables, as the package's own script does: that one asks for programs of another package."""
    (data / "mysql").mkdir(parents=True)
    parts = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
    script = "USE mysql;\nSET @auth_root_socket = NULL;\n" + "".join(
        (SCRIPTS / part).read_text("utf-8") for part in parts
    )
    command = [program, "--no-defaults", "--bootstrap", f"--datadir={data}", *account]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"mariadbd --bootstrap ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _program() -> str | None:
    # Not on the path of an ordinary user.
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
