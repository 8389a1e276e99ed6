"""The peer of the schedule measurement: a Dagster job and its schedule for each workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import yaml
from peer_component import asset_key, job_asset

if TYPE_CHECKING:
    from pathlib import Path


def load_workflows(folder: Path) -> dg.Definitions:
    """Return assets, jobs and schedules of all workflows below a folder."""
    assets: list[dg.AssetsDefinition] = []
    schedules: list[dg.ScheduleDefinition] = []
    for file in sorted(folder.rglob("*.yaml")):
        manifest = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        entries = manifest["workflow"]["dag"]
        assets += [job_asset(manifest, entry) for entry in entries]
        keys = [
            asset_key(output["dataset"]) for entry in entries for output in entry["spec"]["stackSpec"]["job"]["outputs"]
        ]
        name = manifest["name"].replace("-", "_")
        job = dg.define_asset_job(name, selection=dg.AssetSelection.assets(*keys))
        schedule = manifest["workflow"]["schedule"]
        schedules.append(
            dg.ScheduleDefinition(
                name=f"{name}_schedule",
                job=job,
                cron_schedule=schedule["cron"],
                execution_timezone=schedule["timezone"],
            )
        )
    return dg.Definitions(assets=assets, schedules=schedules)
