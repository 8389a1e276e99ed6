"""Run the jobs of a project again and again, in processes that somebody kills: `kill_a_job.py PROJECT ENGINE`.

Each line of standard input is a number of runs: a new process does them. This one has imported everything by then and
forks, so that a start costs no imports. Prints `worker PID` for each, which prints `engine PID` whenever another engine
has been started, `running` when a run begins, `done` or `failed …` when it has ended, and `ended` in the end.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import EngineSettings, Settings, SparkSettings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.execution import JobRunner
from dataos_dagster.workflows.results import Reporter

if TYPE_CHECKING:
    from dataos_dagster.engines.session import Sessions

# What a run imports on its way.
HEAVY = (
    "pandas",
    "pyarrow.dataset",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.dataframe",
    "pyspark.sql.connect.functions",
    "pyspark.sql.connect.client",
    "pyspark.sql.connect.plan",
    "sqlglot.optimizer.qualify",
    "sqlglot.optimizer.scope",
    "sqlalchemy.dialects.sqlite",
    "dataos_dagster.depots.door",
    "dataos_dagster.depots.lakehouse.store",
    "dataos_dagster.engines.sail",
    "dataos_dagster.engines.spark",
    "dataos_dagster.flare.job",
    "dataos_dagster.flare.plan",
    "dataos_dagster.flare.stack",
    "dataos_dagster.state.database",
)


class Voice(Reporter):
    """Says which engine is at work."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._told: set[int] = set()

    def step_started(self, job_id: str, label: str) -> None:
        """Say it before the first step of a run."""
        for server in self._sessions._servers:
            child = server.endpoint.child
            if child is not None and child.process.pid not in self._told:
                self._told.add(child.process.pid)
                say(f"engine {child.process.pid}")


def say(text: str) -> None:
    """Print one line, whole or not at all."""
    os.write(1, f"{text[:500]}\n".encode())


def settings_of(folder: Path) -> Settings:
    """Return the settings of a project whose Spark is as small as a test machine."""
    spark = SparkSettings(master="local[2]", conf={"spark.sql.shuffle.partitions": "2"})
    return Settings(project=folder, engines=EngineSettings(spark=spark))


def work(project: str, engine: str, runs: int) -> None:
    """Do so many runs."""
    settings = settings_of(Path(project))
    loaded = load_project(settings.project, settings=settings)
    with JobRunner(loaded, settings, engine=engine) as runner:
        voice = Voice(runner.sessions)
        [node] = build_graph(loaded).nodes.values()
        for _ in range(runs):
            say("running")
            try:
                runner.run(node, uuid.uuid4().hex, voice)
            except Exception as error:  # noqa: BLE001 - it is told, and the next run goes on
                say(f"failed {type(error).__name__}: {error}".replace("\n", " "))
            else:
                say("done")


def main(project: str, engine: str) -> None:
    """Start a process for each line."""
    for module in HEAVY:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                work(project, engine, int(line))
            finally:
                say("ended")
                os._exit(0)
        say(f"worker {pid}")


if __name__ == "__main__":
    main(*sys.argv[1:])
