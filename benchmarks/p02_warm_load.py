"""P2: CPU seconds to load 3,000 manifests again after one of them changed, against one `dg` component per manifest.

Ours has a cache of validated documents, filled by a load before; the peer has none.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import conclude, last_json, parse_arguments, run, say
from projects import write_peer_project, write_project

LOAD = Path(__file__).with_name("load.py")


def load(side: str, folder: Path) -> float:
    """Return the CPU seconds of one load."""
    return last_json(run([sys.executable, LOAD, side, folder]).output)["cpu_seconds"]


def change(file: Path, attempt: int) -> None:
    """Change one value of one manifest."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("amount > 0", f"amount > {attempt + 1}"), encoding="utf-8")


def main() -> None:
    """Measure both and print the result."""
    quick = parse_arguments(__doc__).quick
    count, attempts = (300, 1) if quick else (3_000, 3)
    with tempfile.TemporaryDirectory() as name:
        ours_folder = write_project(Path(name) / "ours", count)
        peer_folder = write_peer_project(Path(name) / "peer", count)
        say(f"cold, {count:,} manifests: {load('ours', ours_folder):.2f} CPU s")
        ours = []
        for attempt in range(attempts):
            change(ours_folder / "workflows" / "w00005.yaml", attempt)
            ours.append(load("ours", ours_folder))
            say(f"  ours, one changed: {ours[-1]:.2f} CPU s")
        change(peer_folder / "shop" / "defs" / "workflows" / "w00005" / "defs.yaml", 0)
        peer = load("peer", peer_folder)
        say(f"  peer, one changed: {peer:.2f} CPU s")
    conclude("P2", ours=min(ours), peer=peer, goal=30, better="more")


if __name__ == "__main__":
    main()
