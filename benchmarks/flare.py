"""Run a project's Flare jobs as a user does, with `dataos run`, and say what it cost."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Usage, run

DATAOS = Path(sys.executable).with_name("dataos")


@dataclass(frozen=True, slots=True)
class FlareRun:
    """One call of `dataos run`."""

    usage: Usage  # of the command and its engine
    jobs: tuple[dict[str, Any], ...]  # as `--json` reports them

    @property
    def job_seconds(self) -> float:
        """Return the seconds of all jobs, without the start of Python and of the engine."""
        return sum(float(job["engine_seconds"]) for job in self.jobs)

    @property
    def rows(self) -> dict[str, int]:
        """Return the rows written by each job."""
        return {job["job"].rpartition("/")[2]: sum(output["rows"] for output in job["outputs"]) for job in self.jobs}


def run_project(folder: Path, engine: str) -> FlareRun:
    """Run every job of a project on one engine.

    Raises:
        SystemExit: A job failed.
    """
    usage = run([DATAOS, "run", folder, "--engine", engine, "--json"])
    return FlareRun(usage, tuple(json.loads(usage.output)["jobs"]))
