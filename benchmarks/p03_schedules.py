"""P3: CPU seconds to load 5,000 assets in 1,000 scheduled workflows, against a Dagster job per workflow.

The peer makes the same assets, and for each workflow the `define_asset_job` and the `ScheduleDefinition` that Dagster's
documentation shows; it reads the YAML with libyaml and checks nothing. Both end when the repository and all of its jobs
are there, as a code server needs them. Ours counts without its cache; second figure: with the cache that the load
before has left, which is how a code server starts again.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import conclude, last_json, parse_arguments, run, say
from projects import write_scheduled_project

LOAD = Path(__file__).with_name("load.py")


def load(side: str, project: Path, state: str) -> float:
    """Return the CPU seconds of one load."""
    cost = last_json(run([sys.executable, LOAD, side, project, "--jobs"]).output)
    say(
        f"  {side}, {state}: {cost['cpu_seconds']:.2f} CPU s, {cost['assets']:.0f} assets, "
        f"{cost['schedules']:.0f} schedules, {cost['peak_megabytes']:.0f} MB"
    )
    return cost["cpu_seconds"]


def cold(project: Path) -> float:
    """Return the CPU seconds of one of our loads without a cache."""
    shutil.rmtree(project / ".dataos", ignore_errors=True)
    return load("ours", project, "cold")


def main() -> None:
    """Measure both and print the result."""
    quick = parse_arguments(__doc__).quick
    workflows, attempts = (100, 1) if quick else (1_000, 3)
    with tempfile.TemporaryDirectory() as name:
        project = write_scheduled_project(Path(name), workflows)
        ours = min(cold(project) for _ in range(attempts))
        warm = min(load("ours", project, "warm") for _ in range(attempts))
        peer = min(load("jobs", project, "a job per workflow") for _ in range(attempts))
    conclude("P3 warm", ours=warm, peer=peer, goal=5, better="more")
    conclude("P3", ours=ours, peer=peer, goal=5, better="more")


if __name__ == "__main__":
    main()
