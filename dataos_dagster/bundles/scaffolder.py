"""`dg scaffold defs dataos_dagster.DataOSBundleComponent <path>`: a component with a starter in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster.components import scaffold_component
from pydantic import BaseModel, Field

from dataos_dagster.bundles.starter import Starter, files_in, manifest_files, sample, write_new

if TYPE_CHECKING:
    from pathlib import Path


class BundleScaffoldParams(BaseModel):
    """What `dg scaffold defs` can be told."""

    path: str | None = Field(
        default=None, description="Folder of manifests that are there already, relative to the component."
    )


class BundleScaffolder(dg.Scaffolder[BundleScaffoldParams]):
    """Writes `defs.yaml` and, where no folder of manifests is named, starter manifests with their data."""

    @classmethod
    def get_scaffold_params(cls) -> type[BundleScaffoldParams]:
        """Return the model of the parameters."""
        return BundleScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[BundleScaffoldParams]) -> None:
        """Write the component."""
        folder: Path = request.target_path
        path = request.params.path if request.params else None
        scaffold_component(request, {"path": path or "manifests"})
        if path is None:
            data = folder / "data"
            write_new(sample(data))
            write_new(manifest_files(Starter(folder.name, data, files_in(data)), folder / "manifests"))
