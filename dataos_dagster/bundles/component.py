"""A folder of manifests as a component of a `dg` project: a thin shell over `load_definitions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from dataos_dagster.bundles.definitions import LocationOptions, build_definitions
from dataos_dagster.bundles.scaffolder import BundleScaffolder
from dataos_dagster.dagster_compat import components_of
from dataos_dagster.errors import SettingsError
from dataos_dagster.manifests.discovery import display_name
from dataos_dagster.naming import slug
from dataos_dagster.settings import SETTINGS_FILE, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dg.scaffold_with(BundleScaffolder)
class DataOSBundleComponent(dg.Component, dg.Model, dg.Resolvable):
    """DataOS manifests below a folder: workflows, depots, secrets and bundles.

    Settings are those of the nearest `dataos.yaml`, in the component's folder or one above it; where there is none, the
    `dg` project is the DataOS project, so that all components of it share one lakehouse and one state database. A code
    location holds one DataOS project: each has a lakehouse of its own, and Dagster knows one resource of a name.
    """

    path: str = Field(default=".", description="Folder of the manifests, relative to the component.")
    bundle: str | None = Field(default=None, description="Load the jobs of this bundle alone (isolation: process).")
    on_error: Literal["quarantine", "fail"] | None = Field(
        default=None, description="What a broken manifest does; default: the project's setting."
    )
    in_process: bool = Field(
        default=True,
        description="Run the steps of a run in one process, on warm engine sessions. Say false when another part of "
        "the code location sets an executor: a location has one.",
    )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of the manifests.

        Raises:
            SettingsError: Components of this code location belong to different DataOS projects.
        """
        root = Path(context.project_root)
        folder = (context.path / self.path).resolve()
        settings = project_settings(folder, root)
        # Components of one project are read together, so that all agree on who owns a dataset and find each other's
        # depots; each then loads the jobs of its own files.
        others = ((place / other.path).resolve() for place, other in components_of(context, DataOSBundleComponent))
        together = {folder, *others}
        _refuse_second_project({other: project_settings(other, root).project for other in sorted(together)}, root)
        options = LocationOptions(
            label=component_label(folder, root),
            manifests=tuple(sorted(together)),
            own=lambda file: nearest_folder(file, together) == folder,
            bundle=self.bundle,
            on_error=self.on_error,
            executor=dg.in_process_executor if self.in_process else None,
            shows_sources=False,
        )
        return build_definitions(settings, options)


def _refuse_second_project(projects: Mapping[Path, Path], root: Path) -> None:
    """Raise where folders of manifests belong to several projects; `root` is the folder of the `dg` project."""
    files = sorted({display_name(project / SETTINGS_FILE, root) for project in projects.values()})
    if len(files) > 1:
        raise SettingsError(
            f"the components of one code location belong to {len(files)} DataOS projects: {', '.join(files)}",
            hint=f"keep one {SETTINGS_FILE}, in {root}, which all of them share; or give a project a code location",
        )


def nearest_folder(file: Path, folders: Collection[Path]) -> Path | None:
    """Return which of some folders a file belongs to: the deepest of those that it stands in."""
    return next((parent for parent in file.resolve().parents if parent in folders), None)


def project_settings(folder: Path, project_root: Path) -> Settings:
    """Return the settings of the nearest folder with a `dataos.yaml`, up to the project's root."""
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).exists() or candidate == project_root:
            return load_settings(candidate)
    return load_settings(project_root)


def component_label(folder: Path, project_root: Path) -> str:
    """Return what tells components of one location apart: the way from the project to the folder."""
    inside = folder.relative_to(project_root) if folder.is_relative_to(project_root) else folder
    return slug(*(part.lower() for part in inside.parts if part != "/")) or "project"
