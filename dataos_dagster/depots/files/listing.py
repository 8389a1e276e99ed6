"""Which files of a dataset count, also while somebody writes to it.

A writer that needs more than one step leaves a note in the folder, with the names of files that do not count. Note and
files cannot be read in one step, so both are read until two rounds find the same: then nothing has changed in between.

In a bucket a writer does not replace its note but leaves a further one, of which the newest counts: S3 replaces an
object in one step, while gateways in front of a file system (Versity 1.8) answer who reads it in between with the
bytes of one and the length of the other.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.errors import DatasetNotFound, DepotError, DepotUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.storage import Place

# Engines skip a name that begins with an underscore.
NOTE_PREFIX = "_dataos_writing."
NOTE_SUFFIX = ".json"
_ROUNDS = 40
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a dataset that count.

    Attributes:
        files: In the order of their paths.
        writing: A write is under way: engines are given the files by name then, because they do not know of notes.
    """

    files: tuple[FileInfo, ...]
    writing: bool


def counting_files(place: Place) -> Listing:
    """Return the files of a dataset that count, all of one moment; none when it is missing.

    Raises:
        DepotUnreachable: The folder changes all the time; a retry can help.
    """
    before: tuple[object, ...] | None = None
    for round_ in range(_ROUNDS):
        files = place.data_files()
        if [info.path for info in files] == [place.path]:
            return Listing(files, writing=False)  # a file of its own, and no folder
        notes = read_notes(place)
        seen = (tuple((info.path, info.size, info.mtime_ns) for info in files), tuple(sorted(notes.items())))
        if seen == before:
            hidden = {name for text in notes.values() for name in hidden_names(text)}
            counting = tuple(info for info in files if relative(place, info) not in hidden)
            return Listing(counting, writing=bool(notes))
        before = seen
        if round_:
            time.sleep(_PAUSE_SECONDS)
    raise DepotUnreachable(f"{place} changes all the time", hint="run the job again when its writers are done")


def read_notes(place: Place) -> Mapping[str, str]:
    """Return the newest note of each writer in a folder, its text by its name.

    Raises:
        DepotUnreachable: Notes come and go all the time; a retry can help.
    """
    for _ in range(_ROUNDS):
        names = _newest(place)
        try:
            return {name: place.join(name).read().decode() for name in names}
        except DatasetNotFound:
            # It was there: it may be again by now, since on a local disk every writer's note has the same name.
            continue
        except DepotError:
            # Of a file that goes while it is read stores say other things too.
            if _newest(place) == names:
                raise
    raise DepotUnreachable(f"{place} changes all the time", hint="run the job again when its writers are done")


def _newest(place: Place) -> list[str]:
    """Return the name of each writer's newest note."""
    newest: dict[str, tuple[int, str]] = {}
    for name in note_names(place):
        writer, number = parse_note_name(name)
        newest[writer] = max(newest.get(writer, (-1, "")), (number, name))
    return [name for _, name in newest.values()]


def note_names(place: Place) -> list[str]:
    """Return the names of all notes in a folder."""
    names = (info.base_name for info in place.entries())
    return [name for name in names if name.startswith(NOTE_PREFIX) and name.endswith(NOTE_SUFFIX)]


def parse_note_name(name: str) -> tuple[str, int]:
    """Return the writer of a note, and which of its notes it is; the later ones have the greater numbers."""
    writer, _, number = name.removeprefix(NOTE_PREFIX).removesuffix(NOTE_SUFFIX).partition(".")
    return writer, int(number) if number.isdecimal() else 0


def hidden_names(text: str) -> tuple[str, ...]:
    """Return the files that a note hides, relative to the folder.

    Raises:
        DepotError: The text is no note.
    """
    try:
        return tuple(json.loads(text)["hidden"])
    except (ValueError, TypeError, KeyError):
        raise DepotError(
            f"a file {NOTE_PREFIX}*{NOTE_SUFFIX} in the dataset is no note of a write", hint="look at it, and remove it"
        ) from None


def relative(place: Place, info: FileInfo) -> str:
    """Return the name of a file relative to the folder of its dataset."""
    name: str = info.path.removeprefix(place.path).strip("/")
    return name
