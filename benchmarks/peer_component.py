"""The peer of the load measurements: one `dg` component per manifest, the manifest's body in its `defs.yaml`.

This is what Dagster offers for the same purpose, written as briefly as it can be: the component takes the manifest
as it is, makes one asset of a Flare job and nothing of the other kinds, and checks nothing.
"""

from __future__ import annotations

from typing import Any

import dagster as dg


class ManifestComponent(dg.Component, dg.Model, dg.Resolvable):
    """One manifest."""

    manifest: dict[str, Any]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002 - the interface
        """Return the asset of each job."""
        if self.manifest["type"] != "workflow":
            return dg.Definitions()
        return dg.Definitions(assets=[job_asset(self.manifest, entry) for entry in self.manifest["workflow"]["dag"]])


def job_asset(manifest: dict[str, Any], entry: dict[str, Any]) -> dg.AssetsDefinition:
    """Return the asset that one job writes, with what our own carries: dependencies, group, tags, kinds."""
    job = entry["spec"]["stackSpec"]["job"]
    [output] = job["outputs"]

    @dg.multi_asset(
        name=entry["name"].replace("-", "_"),
        specs=[
            dg.AssetSpec(
                asset_key(output["dataset"]),
                deps=[asset_key(source["dataset"]) for source in job["inputs"]],
                description=output["description"],
                group_name=manifest["name"].replace("-", "_"),
                kinds={"iceberg", "flare"},
                tags={"workflow": manifest["name"]},
                metadata={"title": output["title"]},
            )
        ],
    )
    def run() -> None:
        """Run nothing: only loading is measured."""

    return run


def asset_key(address: str) -> dg.AssetKey:
    """Return the key of a dataset."""
    depot, _, rest = address.removeprefix("dataos://").partition("?")[0].partition(":")
    return dg.AssetKey([depot, *rest.split("/")])
