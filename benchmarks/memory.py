"""Memory: peak megabytes of the process that loads 10,000 manifests into a Dagster repository; the bound is 600."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import conclude, last_json, parse_arguments, run, say
from projects import write_project

LOAD = Path(__file__).with_name("load.py")
BOUND = 600.0


def main() -> None:
    """Measure a cold and a warm load and print the worse."""
    count = 1_000 if parse_arguments(__doc__).quick else 10_000
    with tempfile.TemporaryDirectory() as name:
        project = write_project(Path(name), count)
        peaks = []
        for state in ("cold", "warm"):
            cost = last_json(run([sys.executable, LOAD, "ours", project]).output)
            peaks.append(cost["peak_megabytes"])
            say(f"  {state}, {count:,} manifests: {peaks[-1]:.0f} MB, {cost['cpu_seconds']:.2f} CPU s")
    conclude("memory", ours=max(peaks), peer=BOUND, goal=1, better="less")


if __name__ == "__main__":
    main()
