"""Kill writers and jobs in the middle of their work, many times, and write KILLS.md: how often, and what was found.

`kills.py [COUNT] [-k TEXT] [--seconds N] [--anew]` goes on until each writer and each job on Sail was killed COUNT
times, and each job on Spark, whose start takes longer than all else, a third as often. It works in slices of a few
kills and adds each to the page, so it can be ended at any moment and goes on where it was; two may run at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kills_page
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
JOBS = kills_page.Section(
    heading="Incremental jobs",
    words="""An incremental job runs window after window and is killed (SIGKILL): our process, or the engine's under it,
by the clock, at a new data file, or at a new commit. It is run again after each kill, and in the end each of
its tables is compared with that of a twin that nobody killed.""",
    name="engine, mode and outputs",
    columns=(
        "kills", "of our process", "of the engine", "by the clock", "at a new data file", "at a new commit",
        "windows", "rows lost", "rows doubled",
    ),
    summary=("kills", "rows lost", "rows doubled"),
)  # fmt: skip
WRITERS = kills_page.Section(
    heading="Writers",
    words="""A writer writes round after round on Sail and is killed at a random moment. After each kill the dataset
must hold whole rounds only, and the next write must succeed.""",
    name="dataset, mode and victim",
    columns=("kills", "torn or refused"),
    summary=("kills", "torn or refused"),
)
JOB_TEST = "tests/flare/incremental/test_kills.py::test_kills_at_any_moment_lose_no_row_and_double_none"
WRITER_TEST = "tests/depots/test_bad_luck.py::test_a_kill_at_any_moment_leaves_whole_rounds_and_the_next_write_succeeds"
# Multiples of six: each of two victims at each of three moments.
SLICE, SPARK_SLICE = 12, 6
SECONDS_A_SLICE = 600
MODES = ("append", "merge", "overwrite")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the page.

    Attributes:
        name: Of the line.
        test: The test that kills, with its parameters.
        section: Where it stands.
        share: How often it is killed, in parts of the count that was asked for.
        at_once: How often it is killed in one go.
    """

    name: str
    test: str
    section: kills_page.Section
    share: float = 1.0
    at_once: int = SLICE

    @property
    def kills(self) -> int:
        """Return how often it was killed so far."""
        return kills_page.read(self.section).get(self.name, {}).get("kills", 0)

    def slice(self) -> bool:
        """Kill a few times and add what was found to the page; return whether nothing was lost, doubled or torn."""
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.jsonl"
            variables = {
                "DATAOS_KILLS": str(self.at_once),
                "DATAOS_KILLS_RESULTS": str(results),
                "DATAOS_SEED": f"{time.time_ns()}",
            }
            command = [sys.executable, "-m", "pytest", self.test, "-q", f"--timeout={SECONDS_A_SLICE}"]
            code = subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False).returncode
            found = [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []
        failed = code == pytest.ExitCode.TESTS_FAILED
        if failed and not found and self.section is WRITERS:
            found = [{"torn or refused": 1}]
        for counts in found:
            kills_page.add(self.section, self.name, counts)
        # A test that was skipped, because an engine is missing, has killed nothing.
        return code == pytest.ExitCode.OK and bool(found)


def scenarios() -> Iterator[Scenario]:
    """Return all lines of the page that this script fills."""
    for engine, share, at_once in (("sail", 1.0, SLICE), ("spark", 1 / 3, SPARK_SLICE)):
        for mode in MODES:
            for outputs in (1, 2):
                name = f"{engine}, {mode}, {outputs} output{'s' if outputs > 1 else ''}"
                yield Scenario(name, f"{JOB_TEST}[{engine}-{mode}-{outputs}]", JOBS, share, at_once)
    for dataset in ("iceberg", "parquet"):
        for mode in ("append", "overwrite"):
            for victim in ("ours", "engine"):
                name = f"{dataset}, {mode}, {'our process' if victim == 'ours' else 'the engine'}"
                yield Scenario(name, f"{WRITER_TEST}[{victim}-{dataset}-{mode}]", WRITERS)


def main() -> int:
    """Kill until there is enough, the time is over or something is wrong; print what the page says by then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=36, help="kills of each writer and of each job on Sail")
    parser.add_argument("-k", dest="text", default="", help="only lines of the page whose name begins with this")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no slice after so long")
    parser.add_argument("--anew", action="store_true", help="forget what was counted before")
    chosen = parser.parse_args()
    if chosen.anew:
        for section in (JOBS, WRITERS):
            kills_page.forget(section)
    wanted = [one for one in scenarios() if one.name.startswith(chosen.text)]
    began, sound = time.monotonic(), True
    while sound and time.monotonic() - began < chosen.seconds:
        # The one that lacks most is next, so that a run that is ended early has killed everything.
        behind = min(wanted, key=lambda one: one.kills / one.share, default=None)
        if behind is None or behind.kills >= chosen.count * behind.share:
            break
        sound = behind.slice()
    for section in (JOBS, WRITERS):
        print(f"{section.heading}: {kills_page.said(section)}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
