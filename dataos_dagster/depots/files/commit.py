"""Put a dataset of files in place on a local disk: all of it or nothing, whoever dies meanwhile.

The engine writes into a folder beside the dataset. An overwrite swaps the two folders in one call of the kernel; an
append moves the files in. Where more than one step is needed, a note in the folder hides the files that do not count
until the last step is done: readers keep to it, and the next writer undoes what it tells of.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import uuid
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.listing import NOTE_PREFIX, NOTE_SUFFIX, hidden_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTE = f"{NOTE_PREFIX}local{NOTE_SUFFIX}"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_RENAME_SWAP = 2


def staging_folder(dataset: Path) -> Path:
    """Return a folder beside a dataset that nobody else uses, and that engines skip."""
    return dataset.parent / f".{dataset.name}.{uuid.uuid4().hex}.writing"


def remove_abandoned(dataset: Path) -> None:
    """Remove what writers that died have left beside a dataset. Only for the holder of its lock."""
    for path in dataset.parent.glob(f".{_glob(dataset.name)}.*.writing"):
        shutil.rmtree(path, ignore_errors=True)


def replace_folder(staged: Path, dataset: Path) -> None:
    """Put a staged folder in a dataset's place; what was there is gone afterwards.

    Raises:
        OSError: It could not be done; the dataset is as it was.
    """
    if not dataset.exists():
        staged.rename(dataset)
        return
    if _exchange(staged, dataset):
        _remove(staged)
        return
    # No exchange on this file system: for an instant there is nothing under the name, and the old rows beside it.
    old = staged.with_name(f"{staged.name}.old")
    dataset.rename(old)
    try:
        staged.rename(dataset)
    except OSError:
        old.rename(dataset)
        raise
    _remove(old)


def move_into(staged: Path, dataset: Path) -> None:
    """Add the files of a staged folder to a dataset.

    Raises:
        OSError: It could not be done; the dataset is as it was.
    """
    if not dataset.exists():
        staged.rename(dataset)
        return
    adding = list(_files(staged))
    _write_note(dataset, [path.relative_to(staged).as_posix() for path in adding])
    try:
        for path in adding:
            target = dataset / path.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    except OSError:
        settle_local(dataset)
        raise
    (dataset / NOTE).unlink()
    shutil.rmtree(staged, ignore_errors=True)


def settle_local(dataset: Path) -> None:
    """Undo what a writer that died had begun: the old rows come back, and the files that its note names go."""
    for old in sorted(dataset.parent.glob(f".{_glob(dataset.name)}.*.writing.old")):
        if dataset.exists():
            _remove(old)
        else:
            old.rename(dataset)
    note = dataset / NOTE
    if not note.exists():
        return
    for name in hidden_names(note.read_text("utf-8")):
        (dataset / name).unlink(missing_ok=True)
    note.unlink()


def _write_note(dataset: Path, files: list[str]) -> None:
    temporary = dataset / f"{NOTE}.tmp"
    temporary.write_text(json.dumps({"hidden": files}), "utf-8")
    temporary.replace(dataset / NOTE)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; return False where the system cannot (Linux and macOS can, on most disks)."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(*names, _RENAME_SWAP)
        else:
            failed = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    except AttributeError:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}:
        return False
    raise OSError(code, os.strerror(code), str(second))


def _glob(name: str) -> str:
    import glob

    return glob.escape(name)
