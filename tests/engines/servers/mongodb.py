"""A server that speaks MongoDB's protocol, its data in memory: MongoDB's own is in no package registry."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dataos_dagster.engines.connectors import installed, resolve
from dataos_dagster.errors import EngineUnavailable

from .cache import installing
from .java import missing as java_missing
from .packages import InstallationFailed
from .process import HOST, ServerProcess, free_port, port_is_open

# The server serves a fixed port when it is started by itself; the source beside this module takes one.
ARTIFACT = "de.bwaldvogel:mongo-java-server:1.47.0"
_SOURCE = Path(__file__).with_name("MongoServer.java")


def missing() -> str | None:
    """Return why there is no such server here, or None."""
    if reason := java_missing():
        return reason
    if not shutil.which("javac"):
        return "javac is not installed: the server is started from its source"
    return None if installed([ARTIFACT]) else f"{ARTIFACT} is not downloaded"


def install() -> None:
    """Download the server."""
    with installing("mongodb", "downloading mongo-java-server (5 MB)"):
        try:
            resolve([ARTIFACT])
        except EngineUnavailable as error:
            raise InstallationFailed(str(error)) from error


@dataclass(frozen=True)
class MongoDBServer:
    """A running server."""

    process: ServerProcess
    folder: Path
    port: int

    @property
    def node(self) -> str:
        """Return its address, as a depot names it."""
        return f"{HOST}:{self.port}"

    def stop(self) -> None:
        """Stop the server, which forgets its data."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_mongodb() -> MongoDBServer:
    """Start an empty server."""
    folder = Path(tempfile.mkdtemp(prefix="dataos-mongodb-"))
    port = free_port()
    jars = os.pathsep.join(map(str, installed([ARTIFACT]) or ()))
    command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars, str(_SOURCE), str(port)]
    process = ServerProcess.start("mongodb", command, log=folder / "server.log")
    process.wait_until(lambda: port_is_open(port))
    return MongoDBServer(process, folder, port)
