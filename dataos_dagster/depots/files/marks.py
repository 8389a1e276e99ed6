"""The mark of a write among the files that it adds: an empty file that comes with them, or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.listing import hidden_names, read_notes

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.depots.storage import Place

# Engines skip a name that begins with an underscore.
_PREFIX = "_dataos_write."
# Nobody asks for a mark after its run was settled, which the next run of the job does.
_KEPT_SECONDS = 90 * 24 * 3600


def mark_name(mark: str) -> str:
    """Return the name of the file of a mark."""
    return f"{_PREFIX}{mark.replace('/', '_')}"


def is_mark(name: str) -> bool:
    """Return whether a file is the mark of a write."""
    return name.startswith(_PREFIX)


def marks_in(place: Place) -> frozenset[str]:
    """Return the marks of the writes that are in a dataset; of one that is under way there is none."""
    hidden = {name for text in read_notes(place).values() for name in hidden_names(text)}
    names = {info.base_name for info in place.entries()}
    return frozenset(name.removeprefix(_PREFIX) for name in names - hidden if is_mark(name))


def leave_mark(staged: Path, mark: str) -> None:
    """Put a mark among the staged files of a write."""
    (staged / mark_name(mark)).touch()


def forget_old_marks(dataset: Path) -> None:
    """Remove marks that nobody asks for any more. Only for the holder of the dataset's lock."""
    for file in dataset.glob(f"{_PREFIX}*"):
        if time.time() - file.stat().st_mtime > _KEPT_SECONDS:
            file.unlink(missing_ok=True)
