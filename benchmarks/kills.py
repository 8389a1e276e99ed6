"""Kill writers and jobs in the middle of their work, many times, and write KILLS.md: how often, and what was found.

`kills.py COUNT [-k EXPRESSION]` runs the tests of killed processes with COUNT kills of each kind; builds run a
sample. With an expression only those tests are run, and the other lines of the report stay: all of it takes an hour.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "KILLS.md"
WRITERS = "test_a_kill_at_any_moment_leaves_whole_rounds_and_the_next_write_succeeds"
JOBS = "test_kills_at_any_moment_lose_no_row_and_double_none"
SECONDS_A_KILL = 60
WRITERS_HEAD = ("| writer and victim | kills | whole before or after, and writable again |", "|---|---|---|")
JOBS_HEAD = ("| engine, mode and outputs | kills | windows | rows lost | rows doubled |", "|---|---|---|---|---|")


def run_tests(folder: str, test: str, count: int, expression: str | None, results: Path) -> int:
    """Run the tests of one kind and return pytest's exit code; 5 where the expression selects none."""
    selected = f"{test} and ({expression})" if expression else test
    command = [sys.executable, "-m", "pytest", folder, "-k", selected, f"--junit-xml={results}.xml", "-q"]
    command += [f"--timeout={max(600, SECONDS_A_KILL * count)}"]
    variables = os.environ | {"DATAOS_KILLS": str(count), "DATAOS_KILLS_RESULTS": f"{results}.jsonl"}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def writers_found(results: Path, count: int) -> dict[str, str]:
    """Return a line of the report for each kind of writer."""
    report, found = Path(f"{results}.xml"), {}
    for case in ET.parse(report).iter("testcase") if report.exists() else ():
        kind = case.attrib["name"].partition("[")[2].rstrip("]")
        if kind:
            broken = case.find("failure") is not None or case.find("error") is not None
            found[kind] = f"| {kind} | {count} | {'**no**' if broken else 'always'} |"
    return found


def jobs_found(results: Path) -> dict[str, str]:
    """Return a line of the report for each kind of job; kills of the same kind in one file are added up."""
    figures: dict[str, list[int]] = {}
    report = Path(f"{results}.jsonl")
    for line in report.read_text("utf-8").splitlines() if report.exists() else ():
        found = json.loads(line)
        values = [int(found[name]) for name in ("kills", "windows", "lost", "doubled")]
        before = figures.get(found["scenario"], [0] * len(values))
        figures[found["scenario"]] = [one + other for one, other in zip(before, values, strict=True)]
    return {scenario: f"| {scenario} | {' | '.join(map(str, values))} |" for scenario, values in figures.items()}


def lines_below(head: tuple[str, str], text: str) -> dict[str, str]:
    """Return the lines of a table of an earlier report, by their first column."""
    rows: dict[str, str] = {}
    inside = False
    for line in text.splitlines():
        if line == head[0]:
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and line != head[1]:
            rows[line.split("|")[1].strip()] = line
    return rows


def report(writers: Mapping[str, str], jobs: Mapping[str, str]) -> str:
    """Return the page."""
    kills = sum(int(line.split("|")[2]) for line in jobs.values())
    lost, doubled = (sum(int(line.split("|")[column]) for line in jobs.values()) for column in (4, 5))
    lines = [
        "# Killed writers and jobs",
        "",
        f"Written by `make kills` on {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}.",
        "",
        "## Incremental jobs",
        "",
        "An incremental job runs window after window and is killed (SIGKILL): our process, or the engine's under it,",
        "by the clock, at a new data file, or at a new commit. It is run again after each kill, and in the end each of",
        "its tables is compared with that of a twin that nobody killed.",
        "",
        f"**{kills} kills, {lost} rows lost, {doubled} rows doubled.**",
        "",
        *JOBS_HEAD,
        *(jobs[name] for name in sorted(jobs)),
    ]
    if writers:
        lines += writers_section(writers)
    return "\n".join(lines) + "\n"


def writers_section(writers: Mapping[str, str]) -> list[str]:
    """Return the part of the page about single writes."""
    return [
        "",
        "## Writers",
        "",
        "A writer writes round after round and is killed at a random moment. After each kill the dataset must hold",
        "whole rounds only, and the next write must succeed.",
        "",
        *WRITERS_HEAD,
        *(writers[name] for name in sorted(writers)),
    ]


def main() -> int:
    """Run, write the report, and print what it says of jobs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="kills of each kind")
    parser.add_argument("-k", dest="expression", help="only these tests, as pytest's -k selects them")
    parser.add_argument("--results", type=Path, help="figures of jobs that were killed before, to be put in the report")
    chosen = parser.parse_args()
    before = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    writers, jobs = lines_below(WRITERS_HEAD, before), lines_below(JOBS_HEAD, before)
    codes = [0]
    if chosen.results is not None:
        jobs |= jobs_found(chosen.results.with_suffix(""))
    else:
        with tempfile.TemporaryDirectory() as name:
            first, second = Path(name) / "writers", Path(name) / "jobs"
            codes = [
                run_tests("tests/depots", WRITERS, chosen.count, chosen.expression, first),
                run_tests("tests/flare/incremental", JOBS, chosen.count, chosen.expression, second),
            ]
            writers |= writers_found(first, chosen.count)
            jobs |= jobs_found(second)
    RESULTS.write_text(report(writers, jobs), encoding="utf-8")
    print(next(line for line in report(writers, jobs).splitlines() if line.startswith("**")).strip("*"))
    nothing_selected = 5
    return max(0 if code == nothing_selected and chosen.expression else code for code in codes)


if __name__ == "__main__":
    sys.exit(main())
