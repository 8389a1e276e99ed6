"""P3: CPU seconds to load 5,000 assets in 1,000 scheduled workflows, against a Dagster job per workflow.

The peer makes the same assets, and for each workflow the `define_asset_job` and the `ScheduleDefinition` that Dagster's
documentation shows; it reads the YAML with libyaml and checks nothing. Both end when the repository and all of its jobs
are there, as a code server needs them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import conclude, last_json, parse_arguments, run, say
from projects import write_scheduled_project

LOAD = Path(__file__).with_name("load.py")


def main() -> None:
    """Measure both and print the result."""
    workflows = 100 if parse_arguments(__doc__).quick else 1_000
    seconds = {}
    with tempfile.TemporaryDirectory() as name:
        project = write_scheduled_project(Path(name), workflows)
        for side in ("ours", "jobs"):
            cost = last_json(run([sys.executable, LOAD, side, project, "--jobs"]).output)
            seconds[side] = cost["cpu_seconds"]
            say(
                f"  {side}: {cost['cpu_seconds']:.2f} CPU s, {cost['assets']:.0f} assets, "
                f"{cost['schedules']:.0f} schedules, {cost['peak_megabytes']:.0f} MB"
            )
    conclude("P3", ours=seconds["ours"], peer=seconds["jobs"], goal=5, better="more")


if __name__ == "__main__":
    main()
