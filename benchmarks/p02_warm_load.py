"""P2: CPU seconds to load 3,000 manifests again after one of them changed, against one `dg` component per manifest.

Ours has a cache of validated documents, filled by a load before; the peer has none. Both load as often, turn by turn,
each time after another change, and the least of each counts.
"""

from __future__ import annotations

import re
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
    changed, places = re.subn(r"amount > \d+", f"amount > {attempt + 1}", file.read_text(encoding="utf-8"))
    assert places == 1
    file.write_text(changed, encoding="utf-8")


def main() -> None:
    """Measure both and print the result."""
    quick = parse_arguments(__doc__).quick
    count, attempts = (300, 1) if quick else (3_000, 3)
    with tempfile.TemporaryDirectory() as name:
        ours_folder = write_project(Path(name) / "ours", count)
        peer_folder = write_peer_project(Path(name) / "peer", count)
        say(f"cold, {count:,} manifests: {load('ours', ours_folder):.2f} CPU s")
        ours, peer = [], []
        for attempt in range(attempts):
            change(ours_folder / "workflows" / "w00005.yaml", attempt)
            ours.append(load("ours", ours_folder))
            change(peer_folder / "shop" / "defs" / "workflows" / "w00005" / "defs.yaml", attempt)
            peer.append(load("peer", peer_folder))
            say(f"  one changed: ours {ours[-1]:.2f} CPU s, peer {peer[-1]:.2f} CPU s")
    conclude("P2", ours=min(ours), peer=min(peer), goal=30, better="more")


if __name__ == "__main__":
    main()
