"""The Dagster resource that runs jobs: one runner a run, closed when the run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from dataos_dagster.workflows.execution import JobRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings


def runner_resource(project: Project, settings: Settings) -> dg.ResourceDefinition:
    """Return the resource that runs the jobs of a project.

    With the in-process executor Dagster makes it once a run, so that all jobs of the run share warm sessions. It has
    no configuration: what Dagster shows of a resource holds no secret this way.
    """

    def open_runner(_context: dg.InitResourceContext) -> Iterator[JobRunner]:
        with JobRunner(project, settings) as runner:
            yield runner

    return dg.ResourceDefinition(open_runner, description=f"Runs the jobs of {settings.project.name}.")
