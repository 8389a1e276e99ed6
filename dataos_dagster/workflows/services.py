"""The services of a project: its jobs that run until they are stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.supervisor.service import Service


def services_of(
    graph: JobGraph, project: Project, settings: Settings, here: Iterable[str] | None = None
) -> dict[str, Service]:
    """Return the services of jobs, by job id, in manifest order; those whose manifest has an error are not wanted.

    Args:
        graph: All jobs of the project.
        project: Its depots decide, with the job, whether a service must be started again.
        settings: Of the project.
        here: Only these jobs; None takes all.
    """
    wanted = graph.nodes.keys() if here is None else here
    nodes = (graph.nodes[job_id] for job_id in wanted)
    return {
        node.job.id: node.service.service(node.job, project, settings)
        for node in nodes
        if node.service is not None and not node.blocked and not node.job.spec.dry_run
    }
