"""What the measurements share: CPU and memory of a process with all its descendants, and how a result is said."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

# Whatever this shell says, modules are compiled once and not in each process, as where packages are installed.
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its descendants have used."""

    cpu_seconds: float  # user and system
    seconds: float  # on the clock
    peak_megabytes: float  # of the largest single process
    output: str  # standard output; what engines say on standard error is only shown when they fail


def run(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Usage:
    """Run a command to its end and return what it used, engines that it started included.

    Raises:
        SystemExit: The command failed; its output is shown.
    """
    _adopt_orphans()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **COMPILED, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(cpu, seconds, after.ru_maxrss / 1024, done.stdout)


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU seconds, user and system, that a running process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _adopt_orphans() -> None:
    """Become the parent of descendants that outlive their own, or their CPU time would be nobody's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> None:
    """Wait for the adopted processes: an engine ends a moment after the process that started it."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def last_json(output: str) -> dict[str, float]:
    """Return the JSON object on the last line of what a child printed."""
    found: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    return found


def parse_arguments(description: str | None) -> argparse.Namespace:
    """Return the arguments that every script takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, not does it hold")
    return parser.parse_args()


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(text, flush=True)


def conclude(
    identifier: str, *, ours: float, peer: float, goal: float, better: Literal["more", "less"], holds: bool = True
) -> bool:
    """Print the result as one JSON object, the last line of a script, and return whether it holds.

    Args:
        identifier: Number of the measurement, such as `P1`.
        ours: What we need: CPU seconds, seconds or megabytes, as the script's docstring says.
        peer: What the peer needs, in the same unit; for a plain bound, the bound.
        goal: Bound of the ratio.
        better: `more`: the ratio is peer / ours and must reach the goal. `less`: it is ours / peer and must not
            exceed it.
        holds: False when a further condition of the measurement failed.
    """
    ratio = peer / ours if better == "more" else ours / peer
    reached = ratio >= goal if better == "more" else ratio <= goal
    result = {
        "id": identifier,
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "ratio": round(ratio, 3),
        "goal": f"{'≥' if better == 'more' else '≤'}{goal:g}",
        "holds": reached and holds,
    }
    print(json.dumps(result, ensure_ascii=False), flush=True)
    return reached and holds
