"""Folders on this machine in which rows wait until they are sent on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.settings import Settings


@contextmanager
def scratch_folder(settings: Settings, dataset: str) -> Iterator[Path]:
    """Yield an empty folder for the rows of one write, and remove it afterwards.

    Only for the holder of the dataset's lock: what a writer of it that was killed has left is removed first.

    Args:
        settings: Of the project; the folder is below its state folder.
        dataset: What is written, as the lock knows it.
    """
    folder = settings.make_state_folder() / "staging"
    folder.mkdir(exist_ok=True)
    prefix = f"{hashlib.sha256(dataset.encode()).hexdigest()[:16]}-"
    for left in folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as path:
        yield Path(path)
