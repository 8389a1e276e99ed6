"""Which project a path on the command line belongs to."""

from __future__ import annotations

from pathlib import Path

from dataos_dagster.settings import SETTINGS_FILE, STATE_FOLDER


def project_folder(path: Path) -> Path:
    """Return the folder of the project that a file or folder belongs to.

    That is the nearest folder from there upwards that has a `dataos.yaml`, or the working folder when it has a
    `.dataos`; else the folder itself, or the one that the file is in. A `.dataos` further up says nothing: one in the
    home folder would make a single project of everything below it.
    """
    start = path.resolve()
    start = start if start.is_dir() else start.parent
    here = Path.cwd()
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file() or (folder == here and is_project(folder)):
            return folder
    return start


def is_project(folder: Path) -> bool:
    """Return whether a folder is a project for sure: it has settings, or the state of one."""
    return (folder / SETTINGS_FILE).is_file() or (folder / STATE_FOLDER).is_dir()
