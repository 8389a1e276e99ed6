"""Which project a path on the command line belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.settings import SETTINGS_FILE, STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path


def project_folder(path: Path) -> Path:
    """Return the folder of the project that a file or folder belongs to.

    That is the nearest folder from there upwards that has a `dataos.yaml` or a `.dataos`; without either, the folder
    itself, or the one that the file is in.
    """
    start = path.resolve()
    start = start if start.is_dir() else start.parent
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file() or (folder / STATE_FOLDER).is_dir():
            return folder
    return start
