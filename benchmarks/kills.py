"""Kill writers in the middle of their work, many times, and write KILLS.md: what was killed, how often, what was found.

`kills.py COUNT` runs the tests of killed processes with COUNT kills of each kind; builds run the same with three.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "KILLS.md"
TEST = "test_a_kill_at_any_moment_leaves_whole_rounds_and_the_next_write_succeeds"
SECONDS_A_KILL = 60


def run_tests(count: int, report: Path) -> int:
    """Run the tests and return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "tests/depots", "-k", TEST, f"--junit-xml={report}", "-q"]
    command += [f"--timeout={max(600, SECONDS_A_KILL * count)}"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"DATAOS_KILLS": str(count)}, check=False).returncode


def table(report: Path, count: int) -> list[str]:
    """Return a line for each kind of writer."""
    lines = ["| writer and victim | kills | whole before or after, and writable again |", "|---|---|---|"]
    for case in ET.parse(report).iter("testcase"):
        kind = case.attrib["name"].partition("[")[2].rstrip("]")
        broken = case.find("failure") is not None or case.find("error") is not None
        lines.append(f"| {kind} | {count} | {'**no**' if broken else 'always'} |")
    return lines


def main() -> int:
    """Run, and write the report."""
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run_tests(count, report)
        if not report.exists():
            return code
        lines = [
            "# Killed writers",
            "",
            f"Written by `make kills` on {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}. Each writer writes round after round",
            "and is killed (SIGKILL) at a random moment: our process, or the engine's under it. After each kill the",
            "dataset must hold whole rounds only, and the next write must succeed.",
            "",
            *table(report, count),
        ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
