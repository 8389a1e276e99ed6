"""Which files of a folder are manifests, and which folder is the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataos_dagster.settings import Settings

SUFFIXES = (".yaml", ".yml")
# YAML of other programs, by name.
NOT_MANIFESTS = frozenset(
    {
        SETTINGS_FILE,
        "dagster.yaml",
        "workspace.yaml",
        "defs.yaml",
        "docker-compose.yaml",
        "docker-compose.yml",
        "compose.yaml",
        "mkdocs.yml",
        "mkdocs.yaml",
    }
)
# Folders of other programs; those that begin with a dot are left out anyway.
NOT_SEARCHED = frozenset(
    {"__pycache__", "node_modules", "spark-warehouse", "metastore_db", "venv", "dist", "build_env"}
)


def project_root(given: Sequence[Path]) -> Path:
    """Return the project's folder: the nearest one with a `dataos.yaml` above what is given, else that itself.

    For files without such a folder above them it is the working directory when they are inside it, and otherwise the
    folder of the first one.
    """
    first = Path(given[0] if given else ".").resolve()
    folder = first if first.is_dir() else first.parent
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return candidate
    if folder != first and first.is_relative_to(Path.cwd()):
        return Path.cwd()
    return folder


def discover(given: Sequence[Path], root: Path, settings: Settings) -> list[tuple[Path, bool]]:
    """Return each file once, sorted by path, and whether it was named rather than found in a folder.

    A folder that cannot be searched is among them: reading it says so.
    """
    found: dict[Path, bool] = {}
    for item in given:
        path = Path(item).resolve()
        folders = [root / part for part in settings.manifests] if path == root else [path]
        for folder in folders:
            if folder.is_dir():
                for file in _search(folder):
                    found.setdefault(file, False)
            else:
                found[folder] = True
    return sorted(found.items(), key=lambda entry: entry[0].parts)


def display_name(file: Path, root: Path) -> str:
    """Return a file's path as it is displayed: relative to the project when the file is inside."""
    # By text: a project has thousands of files, and paths take their time to compare.
    prefix = f"{root}{os.sep}"
    text = str(file)
    return text.removeprefix(prefix).replace(os.sep, "/") if text.startswith(prefix) else text


def _search(folder: Path) -> Iterator[Path]:
    closed: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=lambda error: closed.append(Path(str(error.filename)))):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_SEARCHED]
        for name in files:
            if name.endswith(SUFFIXES) and not name.startswith(".") and name not in NOT_MANIFESTS:
                yield Path(os.path.normpath(place)) / name
    yield from closed
