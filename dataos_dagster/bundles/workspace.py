"""Dagster's files of a project: `workspace.yaml`, `dagster.yaml`, and one Python file for each code location.

All bundles of a project share one location, except those with `bundles.<name>.isolation: process` in its `dataos.yaml`.
A folder with a sub-folder `definitions` is a collection: each folder in there is a project with its own location.

Files written here begin with a mark. Files without it belong to the user and are never changed, and entries of
`workspace.yaml` that name other files stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import yaml

from dataos_dagster.bundles.membership import isolated_bundles
from dataos_dagster.errors import SettingsError
from dataos_dagster.manifests.project import load_project
from dataos_dagster.naming import slug
from dataos_dagster.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "# Written by `dataos workspace sync`"
COLLECTION = "definitions"

WORKSPACE_FILE = "workspace.yaml"
INSTANCE_FILE = "dagster.yaml"

_CODE = """\
{mark}: it is written again when bundles change.
from pathlib import Path

from dataos_dagster import load_definitions

defs = load_definitions({arguments})
"""

# Everything local stays below .dataos, so that history survives a restart of `dagster dev` without DAGSTER_HOME.
INSTANCE = f"""\
{MARK}: it is yours to edit, and not written again.
storage:
  sqlite:
    base_dir: .dataos/dagster
local_artifact_storage:
  module: dagster.core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: .dataos/dagster
compute_logs:
  module: dagster.core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: .dataos/dagster/logs
# Runs that break down around their jobs are launched again where a manifest's `retry` asks for it.
run_retries:
  enabled: true
  max_retries: 0
  retry_on_asset_or_op_failure: false
telemetry:
  enabled: false
# No dialog in front of the first page.
nux:
  enabled: false
"""

Action = Literal["create", "update", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not as it should be.

    Attributes:
        text: What belongs into it; None for a file that goes.
    """

    action: Action
    file: Path
    text: str | None


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """One code location.

    Attributes:
        name: As Dagster shows it.
        file: Its Python file.
        arguments: What that file gives to `load_definitions`.
    """

    name: str
    file: Path
    arguments: str


def plan_workspace(folder: Path) -> tuple[Change, ...]:
    """Return the changes that bring Dagster's files of a folder up to date; none when they are.

    Raises:
        SettingsError: A `dataos.yaml` is wrong, or an existing `workspace.yaml` cannot be read.
    """
    folder = folder.resolve()
    locations = tuple(code_locations(folder))
    return tuple(_changes(folder, locations))


def apply_changes(changes: tuple[Change, ...]) -> None:
    """Write and remove files.

    Raises:
        SettingsError: One cannot be written.
    """
    for change in changes:
        if change.text is None:
            change.file.unlink(missing_ok=True)
        else:
            write_file(change.file, change.text)


def write_file(file: Path, text: str) -> None:
    """Write a file of a project, and the folders above it.

    Raises:
        SettingsError: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {(error.strerror or 'input/output error').lower()}",
            hint="check what stands in its place, the owner of the folder, and the disk",
        ) from None


def code_locations(folder: Path) -> Iterator[CodeLocation]:
    """Yield the locations of a project, or of the projects of a collection, the shared one of each first."""
    collection = folder / COLLECTION
    if collection.is_dir():
        for project in sorted(path for path in collection.iterdir() if _is_project(path)):
            yield from _of_project(project, collection / f"{slug(project.name)}.py", f'"{project.name}"')
    else:
        yield from _of_project(folder, folder / "definitions.py", None)


def _is_project(path: Path) -> bool:
    hidden = path.name.startswith((".", "_"))
    return path.is_dir() and not hidden and any(path.rglob("*.y*ml"))


def _of_project(project: Path, file: Path, sub_folder: str | None) -> Iterator[CodeLocation]:
    here = f"Path(__file__).parent / {sub_folder}" if sub_folder else "Path(__file__).parent"
    yield CodeLocation(project.name, file, here)
    settings = load_settings(project)
    if any(bundle.isolation == "process" for bundle in settings.bundles.values()):
        for bundle in isolated_bundles(load_project(project, settings=settings), settings):
            own = file.with_name(f"{file.stem}_{slug(bundle)}.py")
            yield CodeLocation(f"{project.name}-{bundle}", own, f'{here}, bundle="{bundle}"')


def _changes(folder: Path, locations: tuple[CodeLocation, ...]) -> Iterator[Change]:
    for location in locations:
        yield from _compare(location.file, _CODE.format(mark=MARK, arguments=location.arguments))
    yield from _compare(folder / WORKSPACE_FILE, _workspace(folder, locations), whole=True)
    if not (folder / INSTANCE_FILE).exists():
        yield Change("create", folder / INSTANCE_FILE, INSTANCE)
    wanted = {location.file for location in locations}
    for file in (*folder.glob("definitions*.py"), *(folder / COLLECTION).glob("*.py")):
        if file not in wanted and _is_ours(file):
            yield Change("remove", file, None)


def _compare(file: Path, text: str, *, whole: bool = False) -> Iterator[Change]:
    """Yield what a file needs; a file of the user's is left alone, unless its other entries are kept (`whole`)."""
    if not file.exists():
        yield Change("create", file, text)
    elif file.read_text(encoding="utf-8") != text and (whole or _is_ours(file)):
        yield Change("update", file, text)


def _is_ours(file: Path) -> bool:
    with file.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline().startswith(MARK)


def _workspace(folder: Path, locations: tuple[CodeLocation, ...]) -> str:
    file = folder / WORKSPACE_FILE
    ours = [_entry(location.name, location.file.relative_to(folder).as_posix()) for location in locations]
    others = [entry for entry in _entries(file) if not _names_our_file(entry, folder)]
    mine = {entry["python_file"]["relative_path"] for entry in ours}
    kept = [entry for entry in others if _path_of(entry) not in mine]
    listed = yaml.safe_dump({"load_from": [*ours, *kept]}, sort_keys=False)
    return f"{MARK}; entries for other files stay as they are.\n{listed}"


def _entry(name: str, path: str) -> dict[str, Any]:
    return {"python_file": {"relative_path": path, "location_name": name}}


def _entries(file: Path) -> list[Any]:
    if not file.exists():
        return []
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}", hint="mend it or move it away") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text", hint="mend it or move it away") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not YAML: {error}", hint="mend it or move it away") from None
    entries = found.get("load_from") if isinstance(found, dict) else None
    if entries is None and found is None:
        return []
    if isinstance(entries, dict):
        return [{key: value} for key, value in entries.items()]
    if not isinstance(entries, list):
        raise SettingsError(f"{file} has no list `load_from`", hint="mend it or move it away")
    return entries


def _path_of(entry: Any) -> str | None:
    target = entry.get("python_file") if isinstance(entry, dict) else None
    path = target.get("relative_path") if isinstance(target, dict) else target
    return path if isinstance(path, str) else None


def _names_our_file(entry: Any, folder: Path) -> bool:
    path = _path_of(entry)
    return path is not None and (folder / path).is_file() and _is_ours(folder / path)
