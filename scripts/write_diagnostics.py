"""Write docs/diagnostics.md from the catalogue of diagnostics; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.manifests.codes import TOPICS

if TYPE_CHECKING:
    from dataos_dagster.manifests.codes import CodeEntry

DOCUMENT = Path(__file__).parents[1] / "docs/diagnostics.md"

_HEAD = """\
# Diagnostics

Everything that `dataos check` can report, by topic. `dataos explain CODE` prints the same text. This page is written
from the catalogue in the code: `python scripts/write_diagnostics.py`.
"""


def render() -> str:
    """Return the page."""
    parts = [_HEAD]
    for topic, entries in TOPICS.items():
        parts.append(f"## {topic}\n")
        parts += [_entry(entry) for entry in entries]
    return "\n".join(parts)


def _entry(entry: CodeEntry) -> str:
    parts = [f"### `{entry.code}`\n\n**{entry.title}.** {entry.explanation}\n"]
    parts.append(f"Wrong:\n\n````yaml\n{entry.wrong}\n````\n")
    parts.append(f"Right:\n\n````yaml\n{entry.right}\n````\n")
    return "\n".join(parts)


def main() -> int:
    """Write the page, or tell whether it is as it should be."""
    if "--check" in sys.argv[1:]:
        return 0 if DOCUMENT.read_text(encoding="utf-8") == render() else 1
    DOCUMENT.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
