"""P1: CPU seconds from a folder of 3,000 manifests to a Dagster repository, against one `dg` component per manifest.

Ours reads, validates and cross-checks the manifests; the peer takes them as they are, body and all in `defs.yaml`. The
mix of kinds is that of `projects.py`. Both load as often, turn by turn, and the least of each counts: other work on the
machine only ever adds CPU time. Second figure: our CPU per manifest at 10,000 against that at 1,000.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import conclude, last_json, parse_arguments, run, say
from projects import write_peer_project, write_project

LOAD = Path(__file__).with_name("load.py")


def cold(side: str, folder: Path) -> float:
    """Return the CPU seconds of one load without any cache."""
    shutil.rmtree(folder / ".dataos", ignore_errors=True)
    cost = last_json(run([sys.executable, LOAD, side, folder]).output)
    say(f"  {side}: {cost['cpu_seconds']:.2f} CPU s, {cost['assets']:.0f} assets, {cost['peak_megabytes']:.0f} MB")
    return cost["cpu_seconds"]


def main() -> None:
    """Measure both and print the result."""
    quick = parse_arguments(__doc__).quick
    count, few, many = (300, 100, 1_000) if quick else (3_000, 1_000, 10_000)
    attempts = 1 if quick else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"{few:,} and {many:,} manifests")
        least = {
            size: min(cold("ours", project) for _ in range(attempts)) / size
            for size in (few, many)
            for project in [write_project(folder / str(size), size)]
        }
        say(f"{count:,} manifests")
        project, peer_project = write_project(folder / "ours", count), write_peer_project(folder / "peer", count)
        turns = [(cold("ours", project), cold("peer", peer_project)) for _ in range(attempts)]
        ours, peer = map(min, zip(*turns, strict=True))
    linear = conclude("P1 linear", ours=least[many] * 1e3, peer=least[few] * 1e3, goal=1.2, better="less")
    conclude("P1", ours=ours, peer=peer, goal=20, better="more", holds=linear)


if __name__ == "__main__":
    main()
