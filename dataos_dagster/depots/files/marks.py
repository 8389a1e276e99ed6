"""The mark of a write among the files that it adds: an empty file that comes with them, or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.listing import hidden_names, read_notes
from dataos_dagster.depots.streams import stream_of_mark

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.depots.storage import Place

# Engines skip a name that begins with an underscore.
_PREFIX = "_dataos_write."
# Nobody asks for a mark after its run was settled, which the next run of the job does.
_KEPT_SECONDS = 90 * 24 * 3600
_NANOSECONDS = 1_000_000_000


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


def outdated_marks(place: Place, mark: str | None) -> tuple[str, ...]:
    """Return the names of marks that nobody asks for any more. Only for the holder of the dataset's lock.

    Args:
        place: The dataset.
        mark: That of the write at hand: when it is a micro-batch, those of its stream's earlier ones have served.
    """
    stream, oldest = stream_of_mark(mark), time.time() - _KEPT_SECONDS
    served = mark_name(stream) if stream else None
    return tuple(
        info.base_name
        for info in place.entries()
        if is_mark(info.base_name)
        and ((served and info.base_name.startswith(served)) or info.mtime_ns < oldest * _NANOSECONDS)
    )
