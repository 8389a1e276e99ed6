"""The Dagster resource that runs jobs: one bench a run, closed when the run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from dataos_dagster.naming import folder_slug
from dataos_dagster.workflows.bench import JobBench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings


def bench_key(settings: Settings) -> str:
    """Return the resource's key: with the project's folder in it, so that two projects fit into one location."""
    return f"dataos__{folder_slug(settings.project)}"


def bench_resource(project: Project, settings: Settings) -> dg.ResourceDefinition:
    """Return the resource that runs the jobs of a project.

    With the in-process executor Dagster makes it once a run, so that all jobs of the run share warm sessions. It has
    no configuration: what Dagster shows of a resource holds no secret this way.
    """

    def open_bench(_context: dg.InitResourceContext) -> Iterator[JobBench]:
        with JobBench(project, settings) as bench:
            yield bench

    return dg.ResourceDefinition(open_bench, description=f"Runs the jobs of {settings.project.name}.")
