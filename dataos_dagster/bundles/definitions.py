"""A folder of manifests as Dagster definitions."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import dagster as dg

from dataos_dagster.bundles.membership import jobs_here
from dataos_dagster.bundles.quarantine import build_quarantine
from dataos_dagster.dagster_compat import allow_chains_of, quiet_about_beta
from dataos_dagster.depots.catalog import depots_of
from dataos_dagster.depots.definitions import build_check_job, build_depot_resources, resource_key
from dataos_dagster.errors import ManifestError
from dataos_dagster.flare.definitions import describe_checks, describe_output
from dataos_dagster.manifests.console import count_of
from dataos_dagster.manifests.project import load_project
from dataos_dagster.naming import slug
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.definitions import Execution, JobAssets, build_job_assets
from dataos_dagster.workflows.materialization import build_compute
from dataos_dagster.workflows.resource import runner_resource
from dataos_dagster.workflows.schedules import build_schedules
from dataos_dagster.workflows.sensors import build_run_sensor
from dataos_dagster.workflows.supervisor.definitions import build_services
from dataos_dagster.workflows.translator import JobTranslator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph, JobNode

# Stack to what describes the datasets that its jobs write.
DESCRIBE = {"flare": describe_output}
# Stack to what describes the checks that its jobs evaluate.
CHECKS = {"flare": describe_checks}

OnError = Literal["quarantine", "fail"]


def load_definitions(
    path: Path | str,
    *,
    bundle: str | None = None,
    on_error: OnError | None = None,
    translator: type[JobTranslator] = JobTranslator,
) -> dg.Definitions:
    """Return the definitions of a project: its jobs as assets, its depots as resources, its schedules.

    Args:
        path: Folder of the project, with its manifests and perhaps a `dataos.yaml`.
        bundle: Name of a bundle with `isolation: process`, to load its jobs alone; None loads all jobs of no such
            bundle.
        on_error: What a broken manifest does: `quarantine` shows it as a failing check and loads the rest, `fail`
            refuses to load. Default: the project's setting.
        translator: Decides how jobs and datasets look; a subclass of `JobTranslator`.

    Raises:
        ManifestError: `on_error` is `fail` and there are errors; all of them are in the message.
        SettingsError: `dataos.yaml` or a `DATAOS_*` variable is wrong.

    Example:
        .. code-block:: python

            from pathlib import Path

            from dataos_dagster import load_definitions

            defs = load_definitions(Path(__file__).parent)
    """
    settings = load_settings(Path(path))
    label = slug(*(part.lower() for part in (settings.project.name or "project", bundle) if part))
    return build_definitions(settings, LocationOptions(label, bundle=bundle, on_error=on_error, translator=translator))


@dataclass(frozen=True, slots=True)
class LocationOptions:
    """What a code location takes from a project, and how.

    Attributes:
        label: Tells this set of manifests apart from others in the same location, in names.
        manifests: Folders of the manifests; default the project's.
        own: Tells the files whose jobs are loaded, where `manifests` holds those of others too; None takes all.
        bundle: Isolated bundle whose jobs alone are loaded.
        on_error: What a broken manifest does; default the project's setting.
        translator: Decides how jobs and datasets look.
        executor: Executor of the location. Jobs of one run share warm engine sessions only in one process, and each
            step of the multiprocess executor costs about five CPU seconds; None leaves the choice to the location.
        shows_sources: Describe the datasets that no job writes. Not where several sets of manifests meet in one
            location: Dagster refuses two descriptions of one dataset, and draws it without one as well.
    """

    label: str
    manifests: tuple[Path, ...] = ()
    own: Callable[[Path], bool] | None = None
    bundle: str | None = None
    on_error: OnError | None = None
    translator: type[JobTranslator] = JobTranslator
    executor: dg.ExecutorDefinition | None = dg.in_process_executor
    shows_sources: bool = True


def build_definitions(settings: Settings, options: LocationOptions) -> dg.Definitions:
    """Return the definitions of a project whose settings are known.

    Raises:
        ManifestError: `on_error` is `fail` and there are errors.
    """

    def read() -> Project:
        return load_project(options.manifests or settings.project, settings=settings, informs=False)

    def is_own(file: Path) -> bool:
        return options.own is None or options.own(file)

    with _collecting_nothing(), quiet_about_beta():
        project = read()
        errors = tuple(problem for problem in project.errors if is_own(project.root / problem.file))
        if (options.on_error or settings.on_error) == "fail" and errors:
            raise _refusal(project, errors)
        graph = build_graph(project, default_workspace=settings.default_workspace)
        allow_chains_of(graph.longest_chain)
        there = jobs_here(project, graph, settings, options.bundle)
        here = tuple(job_id for job_id in there if is_own(graph.nodes[job_id].job.workflow.document.file))
        catalog = depots_of(project, settings)
        resources = build_depot_resources((depot.name for depot in catalog), settings)
        jobs = _jobs(graph, here, settings, options, catalog)
        nodes = (graph.nodes[job_id] for job_id in here)
        shows = is_own if options.bundle is None else None
        quarantine = build_quarantine(options.label, project, read, nodes, shows)
        services = build_services(options.label, graph, here, project, settings)
        return dg.Definitions(
            assets=[
                *jobs.assets,
                *jobs.streams,
                *jobs.not_run,
                *(jobs.sources if options.shows_sources else ()),
                *quarantine.assets,
            ],
            asset_checks=[*quarantine.checks, *services.checks],
            schedules=build_schedules(project.of_kind("workflow"), graph, here, settings),
            sensors=[
                *quarantine.sensors,
                *services.sensors,
                *([build_run_sensor(options.label, graph, here, settings)] if here else ()),
            ],
            jobs=[build_check_job(f"check_depots__{options.label}", resources)],
            resources={_runner_key(options): runner_resource(project, settings), **resources},
            executor=options.executor,
        )


def _jobs(
    graph: JobGraph, here: tuple[str, ...], settings: Settings, options: LocationOptions, catalog: tuple[Depot, ...]
) -> JobAssets:
    kinds = {depot.name: depot.format if depot.is_lakehouse and depot.format else depot.type for depot in catalog}
    nodes = {slug(*job_id.split("/")): graph.nodes[job_id] for job_id in here}
    compute = build_compute(nodes, _runner_key(options))
    execution = Execution(compute, _resource_keys(_runner_key(options), frozenset(kinds)))
    return build_job_assets(graph, here, options.translator(graph, settings, DESCRIBE, kinds, CHECKS), execution)


def _runner_key(options: LocationOptions) -> str:
    return f"dataos__{options.label}"


def _resource_keys(runner_key: str, depots: frozenset[str]) -> Callable[[JobNode], frozenset[str]]:
    by_depot = {depot: resource_key(depot) for depot in depots}

    def keys(node: JobNode) -> frozenset[str]:
        named = {address.depot for address in (*node.reads, *node.writes)}
        return frozenset({runner_key, *(by_depot[depot] for depot in named & depots)})

    return keys


@contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Keep the garbage collector away from what is being built, and from what was built until the next load.

    Looking for cycles in it while it grows is a third of the time that loading ten thousand manifests takes, and once
    more half a second when Dagster makes its repository of it. Definitions stay as long as their process does, so
    they are set aside; the next load, if there is one in this process, gives those of the last one back first.
    """
    if not gc.isenabled() or (gc.get_freeze_count() and not _frozen_here):
        yield  # whoever has switched it off, or has frozen objects, wants it so
        return
    gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        _frozen_here[:] = [True]
        gc.enable()


# Not empty when what is frozen was frozen by a load.
_frozen_here: list[bool] = []


def _refusal(project: Project, errors: tuple[Diagnostic, ...]) -> ManifestError:
    files = {problem.file for problem in errors}
    listed = "\n".join(f"  {problem}" for problem in errors)
    return ManifestError(
        f"{count_of(len(errors), 'error')} in {count_of(len(files), 'file')} of {project.root}:\n{listed}",
        errors,
        hint="mend them, or set `on_error: quarantine` in dataos.yaml to load the rest",
    )
