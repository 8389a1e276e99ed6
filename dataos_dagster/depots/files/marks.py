"""The mark of a write among the files that it adds: an empty file that comes with them, or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.listing import hidden_names, read_notes
from dataos_dagster.depots.settlement import MARKS_FORGOTTEN, MARKS_KEPT, Evidence
from dataos_dagster.depots.streams import stream_of_mark

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.depots.storage import Place

# Engines skip a name that begins with an underscore.
_PREFIX = "_dataos_write."
_NANOSECONDS = 1_000_000_000


def mark_name(mark: str) -> str:
    """Return the name of the file of a mark."""
    return f"{_PREFIX}{mark.replace('/', '_')}"


def is_mark(name: str) -> bool:
    """Return whether a file is the mark of a write."""
    return name.startswith(_PREFIX)


def evidence_in(place: Place) -> Evidence:
    """Return what a dataset shows of its writes; of one that is under way nothing."""
    hidden = {name for text in read_notes(place).values() for name in hidden_names(text)}
    names = {info.base_name for info in place.entries()}
    marks = frozenset(name.removeprefix(_PREFIX) for name in names - hidden if is_mark(name))
    return Evidence(marks=marks, kept=MARKS_KEPT)


def leave_mark(staged: Path, mark: str) -> None:
    """Put a mark among the staged files of a write."""
    (staged / mark_name(mark)).touch()


def outdated_marks(place: Place, mark: str | None) -> tuple[str, ...]:
    """Return the names of marks that are not kept. Only for the holder of the dataset's lock.

    The last batch of a stream is asked for whenever the stream goes on, and there is one of each: it stays.

    Args:
        place: The dataset.
        mark: That of the write at hand: when it is a micro-batch, those of its stream's earlier ones have served.
    """
    stream, oldest = stream_of_mark(mark), (time.time() - MARKS_FORGOTTEN.total_seconds()) * _NANOSECONDS
    marks = {info.base_name.removeprefix(_PREFIX): info for info in place.entries() if is_mark(info.base_name)}
    return tuple(
        info.base_name
        for found, info in marks.items()
        if (stream and found.startswith(stream)) or (stream_of_mark(found) is None and info.mtime_ns < oldest)
    )
