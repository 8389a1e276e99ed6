"""Run the jobs of a project again and again until somebody kills this process: `kill_a_job.py PROJECT ENGINE [RUNS]`.

Prints `engine PID` whenever another engine has been started, `running` when a run begins, and `done` or `failed …` when
it has ended.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import EngineSettings, Settings, SparkSettings
from dataos_dagster.workflows.execution import JobRunner
from dataos_dagster.workflows.graph import build_graph
from dataos_dagster.workflows.results import Silence

if TYPE_CHECKING:
    from dataos_dagster.engines.session import Sessions


class Voice(Silence):
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
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def settings_of(folder: Path) -> Settings:
    """Return the settings of a project whose Spark is as small as a test machine."""
    spark = SparkSettings(master="local[2]", conf={"spark.sql.shuffle.partitions": "2"})
    return Settings(project=folder, engines=EngineSettings(spark=spark))


def main(project: str, engine: str, runs: str = "1000000") -> None:
    """Run until the end."""
    settings = settings_of(Path(project))
    loaded = load_project(settings.project, settings=settings)
    with JobRunner(loaded, settings, engine=engine) as runner:
        voice = Voice(runner.sessions)
        [node] = build_graph(loaded).nodes.values()
        for _ in range(int(runs)):
            say("running")
            try:
                runner.run(node, uuid.uuid4().hex, voice)
            except Exception as error:  # noqa: BLE001 - it is told, and the next run goes on
                say(f"failed {type(error).__name__}: {error}".replace("\n", " "))
            else:
                say("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
