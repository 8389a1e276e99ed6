"""`dataos run`: run jobs without a Dagster instance."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.projects import project_folder
from dataos_dagster.errors import AddressError, DataOSError, SelectionError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.results import Reporter

FAILED, USAGE = 1, 2

app = typer.Typer()


class Engine(StrEnum):
    """Words for `--engine`."""

    AUTO = "auto"
    SAIL = "sail"
    SPARK = "spark"
    CONNECT = "connect"


@app.command()
def run(
    path: Annotated[Path, typer.Argument(help="The project's folder, or one manifest file of it.")] = Path(),
    select: Annotated[
        list[str] | None,
        typer.Option(help="workflow, workflow/job or an address; + in front or behind adds what is up- or downstream."),
    ] = None,
    engine: Annotated[Engine | None, typer.Option(help="Engine of all jobs; default: the project's settings.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, and touch no data.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a job is read and not yet run.")] = False,
) -> None:
    """Run jobs without a Dagster instance, in dependency order.

    A failing job does not stop those that do not depend on it. Exit status: 0, 1 when a job failed, 2 for wrong usage.
    """
    try:
        selection = _select(path, select or [])
        if plan:
            status = _show_plans(selection, engine, as_json=as_json)
        else:
            status = _run(selection, engine, as_json=as_json, strict=strict)
    except (SelectionError, AddressError, SettingsError) as error:
        _usage(error, as_json=as_json)
    except DataOSError as error:
        _fail(error, as_json=as_json)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Selection:
    """The jobs that a command line means, in running order."""

    project: Project
    settings: Settings
    graph: JobGraph
    job_ids: tuple[str, ...]
    # Whether somebody chose: broken manifests outside of a choice are no reason to fail.
    chosen: bool


def _select(path: Path, expressions: list[str]) -> _Selection:
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.graph import build_graph
    from dataos_dagster.workflows.selection import select

    if not path.exists():
        raise SelectionError(f"there is no {path}", hint="give the project's folder, or a manifest file")
    folder = project_folder(path)
    settings = load_settings(folder)
    project = load_project(folder, settings=settings)
    graph = build_graph(project, default_workspace=settings.default_workspace)
    job_ids = select(graph, expressions)
    inside = path.resolve()
    if inside != folder.resolve():
        job_ids = tuple(job_id for job_id in job_ids if _stands_in(graph, job_id, inside))
    return _Selection(project, settings, graph, job_ids, bool(expressions) or inside != folder.resolve())


def _stands_in(graph: JobGraph, job_id: str, place: Path) -> bool:
    file = graph.nodes[job_id].job.workflow.document.file.resolve()
    return file == place or file.is_relative_to(place)


@contextmanager
def _context(selection: _Selection, engine: Engine | None, reporter: Reporter, *, record: bool) -> Iterator[RunContext]:
    """Open what a run needs; engines start when the first job asks for one and end here."""
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.door import Door
    from dataos_dagster.engines.availability import availability
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.identity import principal_of
    from dataos_dagster.state.database import State
    from dataos_dagster.workflows.context import RunContext

    settings = selection.settings
    with Sessions(settings) as sessions:
        yield RunContext(
            door=Door(DepotCatalog.from_project(selection.project, settings)),
            sessions=sessions,
            availability=availability(settings.engines),
            settings=settings,
            principal=principal_of(None, None, settings.identity),
            run_id=uuid.uuid4().hex,
            state=State.open(settings) if record else None,
            engine=engine.value if engine else None,
            reporter=reporter,
        )


def _run(selection: _Selection, engine: Engine | None, *, as_json: bool, strict: bool) -> int:
    from dataos_dagster.cli.run_display import Display, print_broken_manifests, print_summary, summary_json
    from dataos_dagster.workflows.results import Silence
    from dataos_dagster.workflows.runner import run_jobs

    display = None if as_json else Display(selection.job_ids)
    with _context(selection, engine, display or Silence(), record=True) as context:
        if display is None:
            summary = run_jobs(selection.graph, selection.job_ids, context)
        else:
            with display:
                summary = run_jobs(selection.graph, selection.job_ids, context)
    if as_json:
        typer.echo(json.dumps(summary_json(summary), ensure_ascii=False))
    else:
        print_summary(summary, selection.graph)
        print_broken_manifests(selection.project)
    broken = selection.project.errors and not selection.chosen
    return FAILED if summary.failed or broken or (strict and summary.not_run) else 0


def _show_plans(selection: _Selection, engine: Engine | None, *, as_json: bool) -> int:
    from dataos_dagster.cli.run_display import error_json, print_error
    from dataos_dagster.workflows.plans import plan_jobs
    from dataos_dagster.workflows.results import Silence

    with _context(selection, engine, Silence(), record=False) as context:
        plans = plan_jobs(selection.graph, selection.job_ids, context)
    if as_json:
        values: list[dict[str, Any]] = [
            {"job": job_id, "error": error_json(found)} if isinstance(found, DataOSError) else found.as_json()
            for job_id, found in plans.items()
        ]
        typer.echo(json.dumps({"plans": values}, ensure_ascii=False))
    else:
        for job_id, found in plans.items():
            if isinstance(found, DataOSError):
                print_error(job_id, found, selection.graph)
            else:
                typer.echo(found.as_text() + "\n")
    failed = [found for found in plans.values() if isinstance(found, DataOSError)]
    return FAILED if any(not _is_not_run(error) for error in failed) else 0


def _is_not_run(error: DataOSError) -> bool:
    from dataos_dagster.errors import NotYetRun

    return isinstance(error, NotYetRun)


def _usage(error: DataOSError, *, as_json: bool) -> None:
    _say(error, as_json=as_json)
    raise typer.Exit(USAGE)


def _fail(error: DataOSError, *, as_json: bool) -> None:
    _say(error, as_json=as_json)
    raise typer.Exit(FAILED)


def _say(error: DataOSError, *, as_json: bool) -> None:
    from dataos_dagster.cli.run_display import error_json

    if as_json:
        typer.echo(json.dumps({"error": error_json(error)}, ensure_ascii=False))
    else:
        typer.echo(f"error: {error}", err=True)
