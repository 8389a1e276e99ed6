"""All manifests of a project, typed, with their references resolved."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.cache import DocumentCache
from dataos_dagster.manifests.diagnostics import Diagnostic, Severity
from dataos_dagster.manifests.discovery import discover, display_name, project_root
from dataos_dagster.manifests.draft import find_file
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.loading import Loaded, Loading
from dataos_dagster.manifests.reader import read_file
from dataos_dagster.manifests.references import References, absolute, named_files
from dataos_dagster.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataos_dagster.manifests.resource import Resource

CACHE_FOLDER = "cache"


@dataclass(frozen=True, slots=True)
class Project:
    """What the manifests of a folder say.

    Attributes:
        root: The project's folder.
        read: Every file that was read, sorted, and how many documents it holds.
        resources: In manifest order: path of the file, document; those inside a bundle follow it.
        diagnostics: Everything there is to say, by file, line and column.
        naming: File to those that its manifests name by path.
    """

    root: Path
    read: Mapping[Path, int]
    resources: tuple[Resource[Any], ...]
    diagnostics: tuple[Diagnostic, ...]
    naming: Mapping[Path, tuple[Path, ...]] = field(default_factory=dict)
    # Kind, then name; made once, because every reference is looked up.
    _index: dict[str, dict[str, list[Resource[Any]]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, dict[str, list[Resource[Any]]]] = {}
        for resource in self.resources:
            index.setdefault(resource.kind, {}).setdefault(resource.name, []).append(resource)
        object.__setattr__(self, "_index", index)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file that was read, sorted."""
        return tuple(self.read)

    @property
    def documents(self) -> int:
        """Return how many documents the files hold."""
        return sum(self.read.values())

    def part(self, paths: Sequence[Path], settings: Settings) -> Project:
        """Return what some files and folders hold, and the files that they name, with what the whole says of them.

        A depot may stand in another file, and a job wait for one of another folder: alone they would be unknown.
        """
        waiting = [file for file, _ in discover(paths, self.root, settings)]
        reached: set[Path] = set()
        while waiting:
            file = waiting.pop()
            if file not in reached:
                reached.add(file)
                waiting += self.naming.get(file, ())
        read = {file: count for file, count in self.read.items() if file in reached}
        names = {display_name(file, self.root) for file in read}
        return replace(
            self,
            read=read,
            resources=tuple(each for each in self.resources if each.document.file in read),
            diagnostics=tuple(found for found in self.diagnostics if found.file in names),
        )

    def of_kind(self, kind: str) -> tuple[Resource[Any], ...]:
        """Return the resources of a kind, in manifest order."""
        return tuple(resource for resource in self.resources if resource.kind == kind)

    def find(self, kind: str, name: str, workspace: str | None = None) -> Resource[Any] | None:
        """Return the first resource of a kind and name; of any workspace when none is given.

        A resource that names no workspace is in the default one, which callers name as None.
        """
        named = self._index.get(kind, {}).get(name, ())
        return next((resource for resource in named if workspace in {None, resource.workspace}), None)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics that are errors."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)


def load_project(
    paths: Path | Sequence[Path],
    *,
    settings: Settings | None = None,
    environment: Mapping[str, str] | None = None,
    allow_placeholders: bool = False,
    fill_placeholders: bool = False,
    use_cache: bool = True,
    informs: bool = True,
) -> Project:
    """Return the project of a folder, or of some files and folders; never raises for what a manifest says.

    Args:
        paths: Folders, which are searched, or files, which are read whatever their names.
        settings: Of the project; default what its folder says.
        environment: What `$NAME` and `${NAME}` stand for; default the environment of the process.
        allow_placeholders: Check templates: what they leave open, and names that lead nowhere, are warnings.
        fill_placeholders: Put a word in the place of each placeholder, so that the jobs of templates can be planned.
        use_cache: Keep what was read in the project's state folder, and use what is there.
        informs: Tell what needs no action as well, such as keys without effect; of large projects that is most of
            what there is to tell, and Dagster shows none of it.

    Raises:
        SettingsError: `dataos.yaml` or a `DATAOS_*` variable is wrong.
    """
    given = [Path(paths)] if isinstance(paths, Path | str) else [Path(path) for path in paths]
    settings = settings or load_settings(project_root(given))
    loading = Loading(
        os.environ if environment is None else environment,
        allow_placeholders=allow_placeholders,
        fill_placeholders=fill_placeholders,
        informs=informs,
    )
    with _no_collection():
        return _load(given, settings, loading, use_cache=use_cache)


def _load(given: Sequence[Path], settings: Settings, loading: Loading, *, use_cache: bool) -> Project:
    cache = DocumentCache(settings.state_folder / CACHE_FOLDER, settings.limits) if use_cache else None
    loading.readings = cache
    with cache or nullcontext():
        reading = _Reading(settings, loading, cache)
        for file, is_named in discover(given, settings.project, settings):
            reading.read(file, is_named=is_named)
        reading.follow()
    checks = References(
        reading.in_manifest_order(),
        settings,
        loading.environment,
        broken=loading.broken,
        allow_placeholders=loading.allow_placeholders,
    )
    diagnostics = [*reading.diagnostics, *loading.diagnostics, *checks.diagnostics()]
    return Project(
        settings.project,
        dict(sorted(reading.documents.items())),
        tuple(loaded.resource for loaded in checks.kept),
        tuple(sorted(diagnostics, key=lambda found: (found.file, found.line, found.column))),
        reading.naming,
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold back the collection of garbage: a project is many small values, all of which stay, and none in circles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(slots=True)
class _Reading:
    """Files that are being read: `documents` says how many each of them holds, `naming` which others it names."""

    settings: Settings
    loading: Loading
    cache: DocumentCache | None
    documents: dict[Path, int] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    naming: dict[Path, tuple[Path, ...]] = field(default_factory=dict)

    def read(self, file: Path, *, is_named: bool) -> None:
        """Read one file and load its documents."""
        name = display_name(file, self.settings.project)
        documents, diagnostics = read_file(file, name=name, limits=self.settings.limits, cache=self.cache)
        self.documents[file] = len(documents)
        self.diagnostics += diagnostics
        for document in documents:
            self.loading.load(document, is_named=is_named)

    def follow(self) -> None:
        """Read the files that manifests name by path and that are not read yet, until there are none."""
        done = 0
        while done < len(self.loading.loaded):
            new = self.loading.loaded[done:]
            done = len(self.loading.loaded)
            for loaded in new:
                named = tuple(named_files([loaded]))
                if named:
                    naming = loaded.resource.document.file
                    self.naming[naming] = (*self.naming.get(naming, ()), *named)
                for file in named:
                    if file not in self.documents:
                        self.read(file, is_named=True)

    def in_manifest_order(self) -> list[Loaded]:
        """Return what was loaded by path and document; what stands inside a bundle stays behind it."""
        position = {file: index for index, file in enumerate(sorted(self.documents, key=lambda file: file.parts))}
        return sorted(
            _placed(self.loading.loaded),
            key=lambda loaded: (position[loaded.resource.document.file], loaded.resource.document.index),
        )


def _placed(loaded: Sequence[Loaded]) -> Sequence[Loaded]:
    """Return what was loaded with the workspaces that bundles give to the files of their nodes."""
    workspaces: dict[Path, str] = {}
    for item in loaded:
        for reference in item.files:
            file = find_file(reference.file, item.resource.document.file) if reference.workspace else None
            if file is not None and reference.workspace is not None:
                workspaces.setdefault(absolute(file), reference.workspace)
    if not workspaces:
        return loaded
    return [_in_workspace(item, workspaces.get(item.resource.document.file)) for item in loaded]


def _in_workspace(loaded: Loaded, workspace: str | None) -> Loaded:
    resource = loaded.resource
    if workspace is None or resource.workspace is not None or KINDS[resource.kind].scope == "instance":
        return loaded
    return replace(loaded, resource=replace(resource, workspace=workspace))
