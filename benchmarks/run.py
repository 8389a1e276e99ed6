"""Run every measurement and write RESULTS.md, with the machine it was measured on."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from measure import parse_arguments, say

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
PACKAGES = ("dataos-dagster", "dagster", "pyspark", "pysail", "pyiceberg", "pydantic")


def measure(script: Path, *, quick: bool) -> tuple[list[dict[str, Any]], str | None]:
    """Run one script and return its results, and what went wrong when it failed."""
    say(f"{script.stem}")
    command = [sys.executable, str(script), *(["--quick"] if quick else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        results = []
        last = ""
        for line in child.stdout or ():
            sys.stdout.write(line)
            last = line
            if line.startswith('{"id"'):
                results.append(json.loads(line))
        code = child.wait()
    return results, None if code == 0 and results else f"failed with exit code {code}: {last.strip()}"


def machine() -> list[str]:
    """Return what there is to know about the machine and the versions."""
    names = platform.freedesktop_os_release() if sys.platform == "linux" else {}
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return [
        f"- {processor}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"- {names.get('PRETTY_NAME', platform.platform())}, Python {platform.python_version()}",
        f"- {versions}",
        f"- load average of the last 15 minutes: {os.getloadavg()[2]:.1f} (ours and the peer alone: about 1)",
    ]


def describe(script: Path) -> str:
    """Return a script's own description: its docstring's first paragraph."""
    text = script.read_text(encoding="utf-8")
    return " ".join(text.split('"""')[1].split("\n\n")[0].split())


def report(results: list[dict[str, Any]], failures: dict[str, str], scripts: list[Path], *, quick: bool) -> str:
    """Return RESULTS.md."""
    rows = [
        f"| {r['id']} | {r['ours']:g} | {r['peer']:g} | {r['ratio']:.2f} | {r['goal']} "
        f"| {'yes' if r['holds'] else '**no**'} |"
        for r in results
    ]
    lines = [
        "# Results of the measurements",
        "",
        f"Written by `make bench` on {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}"
        + (" with `--quick`: sizes too small for the goals to mean anything." if quick else "."),
        "",
        *machine(),
        "",
        "| | ours | peer | ratio | goal | holds |",
        "|---|---|---|---|---|---|",
        *rows,
        *(f"| {name} | | | | | **{problem}** |" for name, problem in failures.items()),
        "",
        "A goal of `≥` is how many times less we need; one of `≤` is the most that we may need of what the peer needs.",
        "P1 and P4 have two goals each, and the second line of each says whether both hold.",
        "Each script runs alone, `python benchmarks/p01_cold_load.py [--quick]`, and says what it counts:",
        "",
        *(f"- `{script.name}`: {describe(script)}" for script in scripts),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure all, write the report, and fail when something does not hold."""
    quick = parse_arguments(__doc__).quick
    scripts = [*sorted(FOLDER.glob("p[0-9]*.py")), FOLDER / "memory.py", FOLDER / "sail_start.py"]
    results: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for script in scripts:
        found, problem = measure(script, quick=quick)
        results += found
        if problem:
            failures[script.stem] = problem
    RESULTS.write_text(report(results, failures, scripts, quick=quick), encoding="utf-8")
    say(f"wrote {RESULTS.relative_to(FOLDER.parent)}")
    if failures or not (quick or all(result["holds"] for result in results)):
        sys.exit(1)


if __name__ == "__main__":
    main()
