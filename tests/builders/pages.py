"""Pages of the documentation whose manifests are run: their files, their manifests, and what these are said to write."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
_FILE = re.compile(r"`(?P<name>[^`]+)`:")
_HOLDS = re.compile(r"`(?P<address>dataos://[^`]+)` then holds:")


@dataclass
class PageExample:
    """What stands below `job:` of a manifest, and for each dataset that it writes the rows as text."""

    job: str
    holds: dict[str, str] = field(default_factory=dict)


def read_examples(page: Path) -> tuple[dict[str, str], list[PageExample]]:
    """Return the files of a page by name, and its manifests in order."""
    files: dict[str, str] = {}
    examples: list[PageExample] = []
    for block in _BLOCK.finditer(page.read_text("utf-8")):
        file, holds = _FILE.fullmatch(block["before"]), _HOLDS.fullmatch(block["before"])
        if holds:
            examples[-1].holds[holds["address"]] = block["text"]
        elif file:
            files[file["name"]] = block["text"]
        elif block["language"] == "yaml":
            examples.append(PageExample(block["text"]))
    return files, examples
