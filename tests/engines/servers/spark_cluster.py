"""A standalone cluster of Apache Spark: one master and one worker of the installed pyspark, on loopback."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark

from .process import HOST, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOME = Path(pyspark.__file__).parent
_MASTER = re.compile(r"Starting Spark master at (spark://\S+)")
_REGISTERED = re.compile(r"Successfully registered with master")


@dataclass(frozen=True)
class SparkCluster:
    """A running cluster: where its master is, and what its worker says."""

    url: str
    master: ServerProcess
    worker: ServerProcess

    def executors(self) -> int:
        """Return how many executors the worker has started so far."""
        return len(re.findall(r"Asked to launch executor", self.worker.log.read_text(errors="replace")))

    def heaps(self) -> set[str]:
        """Return the sizes with which the worker has started executors, such as `512M`."""
        return set(re.findall(r'Launch command: .*"-Xmx(\w+)"', self.worker.log.read_text(errors="replace")))

    def stop(self) -> None:
        """End the worker, then the master."""
        self.worker.stop()
        self.master.stop()


def start_cluster(folder: Path) -> SparkCluster:
    """Start a master, and a worker with one core and 1 GB."""
    env = {"SPARK_HOME": str(_HOME), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST}
    place = ["--host", HOST, "--port", "0", "--webui-port", "0"]
    master = _start("org.apache.spark.deploy.master.Master", place, folder / "master.log", env, _MASTER)
    found = _MASTER.search(master.log.read_text(errors="replace"))
    assert found is not None
    work = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work"), found[1]]
    try:
        worker = _start(
            "org.apache.spark.deploy.worker.Worker", [*place, *work], folder / "worker.log", env, _REGISTERED
        )
    except BaseException:
        master.stop()
        raise
    return SparkCluster(found[1], master, worker)


def _start(
    program: str, arguments: list[str], log: Path, env: Mapping[str, str], ready: re.Pattern[str]
) -> ServerProcess:
    command = [str(_HOME / "bin" / "spark-class"), program, *arguments]
    server = ServerProcess.start(program.rpartition(".")[2], command, log=log, env=env)
    server.wait_until(lambda: ready.search(log.read_text(errors="replace")) is not None)
    return server
