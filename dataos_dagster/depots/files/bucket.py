"""Put a dataset of files in place in a bucket: all of it or nothing, whoever dies or writes meanwhile.

Nothing can be swapped or locked there. So a writer leaves a note that no other writer has, beside which it looks for
the notes of others: stores list an object as soon as it is written, so of two writers at least one sees the other, and
draws back. New files are made outside of the dataset, and copied in by the store while the note hides them; for an
overwrite the note then hides the old ones, which are deleted last. Only files that a note names are ever deleted.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dataos_dagster.depots.claims import Claim, in_the_way
from dataos_dagster.depots.files.listing import (
    NOTE_PREFIX,
    NOTE_SUFFIX,
    hidden_names,
    note_names,
    parse_note_name,
    read_notes,
    relative,
)
from dataos_dagster.depots.files.marks import mark_name, outdated_marks
from dataos_dagster.errors import DatasetLocked, DatasetNotFound, DepotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.settings import Settings


@dataclass(slots=True)
class BucketWrite:
    """A write to a dataset in a bucket, and its note.

    Attributes:
        number: Of its newest note; an object is never written twice.
        left: Why files that do not count any more are still there, once it is done; the next writer removes them.
    """

    place: Place
    claim: Claim
    number: int = 0
    left: DepotError | None = None

    @property
    def name(self) -> str:
        """Return the name of its newest note."""
        return f"{NOTE_PREFIX}{self.claim.id}.{self.number}{NOTE_SUFFIX}"

    @property
    def staging(self) -> Place:
        """Return a folder for its new files, outside of the dataset."""
        outside = self.place.parent if "/" in self.place.path else self.place
        return outside.join(f".{self.place.name}.{self.claim.id}.writing")

    def hide(self, names: Iterable[str]) -> None:
        """Say which files do not count from now on, and are deleted when the write ends, however it does."""
        self.number += 1
        self.place.join(self.name).write(json.dumps({**asdict(self.claim), "hidden": sorted(names)}).encode())
        # The newest note counts, and the end of the write removes all: an older one that stays is no reason to fail
        # what this one has just made happen.
        with suppress(DepotError):
            self._remove_notes(self._notes()[:-1])

    def add(self, replaced: Iterable[FileInfo] = (), *, mark: str | None = None) -> tuple[FileInfo, ...]:
        """Copy the staged files into the dataset and let them count, instead of those that they replace; return them.

        Args:
            replaced: Files that do not count any more.
            mark: Put into the dataset with the files.

        When this returns the write is done. Until the last step only the files count that were there before.
        """
        prefix = f"part-{self.claim.id[:12]}-"
        names = {info.path: _named(relative(self.staging, info), prefix) for info in self.staging.data_files()}
        outdated = outdated_marks(self.place, mark) if mark else ()
        self.hide((*names.values(), *([mark_name(mark)] if mark else [])))
        filesystem = self.place.filesystem
        if mark:
            self.place.join(mark_name(mark)).write(b"")
        for path, name in names.items():
            target = self.place.join(name)
            with target.failures():
                filesystem.copy_file(path, target.path)
        added = {self.place.join(name).path for name in names.values()}
        files = tuple(info for info in self.place.data_files() if info.path in added)
        self.hide((*(relative(self.place, info) for info in replaced), *outdated))
        return files

    def end(self) -> None:
        """Delete the staged files, those that the note hides, and the note: undoes a write, or finishes one."""
        filesystem, notes = self.place.filesystem, self._notes()
        if not notes:
            raise DatasetNotFound(f"{self.place.join(self.name)} does not exist: which files count is not known")
        with self.place.failures():
            for name in hidden_names(self.place.join(notes[-1]).read().decode()):
                hidden = self.place.join(name)
                if hidden.kind() == "file":
                    filesystem.delete_file(hidden.path)
            if self.staging.kind() == "folder":
                filesystem.delete_dir(self.staging.path)
        self._remove_notes(notes)

    def _notes(self) -> list[str]:
        """Return the names of its notes, the newest last: a writer that died may have left two."""
        mine = ((parse_note_name(name), name) for name in note_names(self.place))
        return [name for (writer, _), name in sorted(mine) if writer == self.claim.id]

    def _remove_notes(self, names: Iterable[str]) -> None:
        with self.place.failures():
            for name in names:
                self.place.filesystem.delete_file(self.place.join(name).path)


@contextmanager
def claimed(place: Place, claim: Claim, settings: Settings, request: WriteRequest) -> Iterator[BucketWrite]:
    """Be the only writer of a dataset in a bucket for the block's time; what the block has not finished is undone.

    What dead writers of this project have left is ended first: the caller holds the project's own lock.

    Raises:
        DatasetLocked: A writer of another project is at work for longer than the settings wait.
    """
    write = BucketWrite(place, claim)
    if other := in_the_way(lambda: _in_the_way(write, settings), settings.limits.lock_seconds):
        raise DatasetLocked(
            f"{request.target} is being written by {other.claim}; waited {settings.limits.lock_seconds:g} s",
            hint="run the job again when that writer is done; if it is dead, run its job there, "
            f"or delete the files that {place.join(other.name)} names below `hidden`, and then itself",
            location=request.location,
        )
    try:
        yield write
    except BaseException as error:
        try:
            write.end()
        except DepotError as left:
            error.add_note(f"what was begun stays hidden, and the next writer removes it: {left}")
        raise
    try:
        write.end()
    except DepotError as left:  # the rows are in: an error would have them written once more
        write.left = left


def _in_the_way(write: BucketWrite, settings: Settings) -> BucketWrite | None:
    """Leave the note, unless others have one: return one of those, or None when the note stands alone."""
    if found := _foreign(write, settings):
        return found
    write.hide(())
    found = _foreign(write, settings)
    if found is not None:
        write.end()
    return found


def _foreign(write: BucketWrite, settings: Settings) -> BucketWrite | None:
    for name, text in read_notes(write.place).items():
        claim, (_, number) = Claim.parse(text), parse_note_name(name)
        if claim is None or claim.id == write.claim.id:
            continue
        found = BucketWrite(write.place, claim, number)
        if not claim.is_of(settings):
            return found
        found.end()
    return None


def _named(name: str, prefix: str) -> str:
    """Return the name of a new file, which no file of another write has."""
    path = PurePosixPath(name)
    return str(path.with_name(prefix + path.name.removeprefix("part-")))
