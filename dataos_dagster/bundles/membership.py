"""Which jobs belong to which bundle, and so to which code location.

A bundle names resources by file or holds them inline. Bundles share one location unless the project's settings give one
a process of its own (`bundles.<name>.isolation: process`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dataos_dagster.bundles.manifest import BundleSection
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph


def isolated_bundles(project: Project, settings: Settings) -> tuple[str, ...]:
    """Return the names of the bundles that have a location of their own, in manifest order."""
    names = dict.fromkeys(bundle.name for bundle in project.of_kind("bundle"))
    return tuple(name for name in names if name in settings.bundles and settings.bundles[name].isolation == "process")


def jobs_here(project: Project, graph: JobGraph, settings: Settings, bundle: str | None) -> tuple[str, ...]:
    """Return the ids of the jobs that a location runs, in manifest order.

    Args:
        project: The project.
        graph: All its jobs.
        settings: Which bundles are isolated.
        bundle: The isolated bundle whose location it is; None for the location that all others share.
    """
    isolated = isolated_bundles(project, settings)
    if not isolated and bundle is None:
        return tuple(graph.nodes)
    home = _homes(project, graph, isolated if bundle is None else (*isolated, bundle))
    return tuple(job_id for job_id in graph.nodes if home.get(job_id) == bundle)


def _homes(project: Project, graph: JobGraph, bundles: tuple[str, ...]) -> dict[str, str]:
    """Return the isolated bundle of each job; of several bundles that name a workflow the first has it."""
    homes: dict[str, str] = {}
    workflows = project.of_kind("workflow")
    for bundle in project.of_kind("bundle"):
        if bundle.name not in bundles:
            continue
        files = set(_files(bundle, project.root))
        for workflow in workflows:
            inline = workflow.document is bundle.document and workflow.root[:2] == ("bundle", "resources")
            if inline or workflow.document.file.resolve() in files:
                for job_id in graph.members[workflow.identifier]:
                    homes.setdefault(job_id, bundle.name)
    return homes


def _files(bundle: Resource[BundleSection], root: Path) -> Iterator[Path]:
    # A relative path counts from the bundle's manifest, then from the project.
    for node in bundle.section.resources:
        if node.file:
            candidates = [(folder / node.file).resolve() for folder in (bundle.document.file.parent, root)]
            yield next((file for file in candidates if file.exists()), candidates[0])
