"""`dataos run`: run jobs without a Dagster instance."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataos_dagster.cli.failures import FAILED, INTERRUPTED, reported
from dataos_dagster.cli.options import Engine  # noqa: TC001 - typer evaluates the annotations
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.execution import JobRunner
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.runner import RunSummary

app = typer.Typer()


@app.command()
def run(
    path: Annotated[Path, typer.Argument(help="The project's folder, or one manifest file of it.")] = Path(),
    select: Annotated[
        list[str] | None,
        typer.Option(help="workflow, workflow/job or an address; + in front or behind adds what is up- or downstream."),
    ] = None,
    from_failure: Annotated[
        bool,
        typer.Option("--from-failure", help="Only what the last run has left: failed, skipped and never begun jobs."),
    ] = False,
    engine: Annotated[Engine | None, typer.Option(help="Engine of all jobs; default: the project's settings.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, and touch no data.")] = False,
    stand_ins: Annotated[
        bool,
        typer.Option("--stand-ins", help="With --plan: something stands in for unknown depots and placeholders."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many independent jobs run at the same time.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Value of a key of an incremental input, for this run only."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a job is read and not yet run.")] = False,
) -> None:
    """Run jobs without a Dagster instance, in dependency order.

    A failing job does not stop those that do not depend on it. Exit status: 0, 1 when a job failed, 2 for wrong usage,
    130 when it was interrupted.
    """
    with reported(as_json=as_json):
        if stand_ins and not plan:
            raise SelectionError("nothing can be run on stand-ins", hint="add --plan")
        selection = _select(path, select or [], from_failure=from_failure, stand_ins=stand_ins)
        if plan:
            status = _show_plans(selection, engine, stand_ins=stand_ins, as_json=as_json)
        else:
            at_once = jobs or selection.settings.run.jobs_at_once
            given = selection.given(key or [])
            status = _run(selection, engine, at_once, given, as_json=as_json, strict=strict)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Selection:
    """The jobs that a command line means, in running order.

    Attributes:
        broken: Whether manifests of the chosen place have errors; where jobs were named, those of others are no reason
            to fail.
        left_over: Jobs that the last run has left as well, and that the command line leaves for another time.
    """

    project: Project
    settings: Settings
    graph: JobGraph
    job_ids: tuple[str, ...]
    broken: bool
    left_over: tuple[str, ...] = ()

    def given(self, assignments: list[str]) -> dict[str, str]:
        """Return the values of keys that a command line gives to the jobs.

        Raises:
            SelectionError: No job has such a key.
        """
        if not assignments:
            return {}
        from dataos_dagster.workflows.given_keys import parse_given

        return parse_given(assignments, (self.graph.nodes[job_id] for job_id in self.job_ids))

    def runner(self, engine: Engine | None, catalog: DepotCatalog | None = None) -> JobRunner:
        """Return what runs the jobs; engines start when the first job asks for one."""
        from dataos_dagster.workflows.execution import JobRunner

        return JobRunner(self.project, self.settings, engine=engine.value if engine else None, catalog=catalog)


def _select(path: Path, expressions: list[str], *, from_failure: bool = False, stand_ins: bool = False) -> _Selection:
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.selection import select

    if not path.exists():
        raise SelectionError(f"there is no {path}", hint="give the project's folder, or a manifest file")
    folder = project_folder(path)
    settings = load_settings(folder)
    project = load_project(folder, settings=settings, allow_placeholders=stand_ins, fill_placeholders=stand_ins)
    if not project.resources and not project.errors:
        raise SelectionError(
            f"no manifests found in {folder}", hint="`dataos init --here` makes it a project with a first one"
        )
    graph = build_graph(project, default_workspace=settings.default_workspace)
    job_ids = select(graph, expressions)
    inside = path.resolve()
    broken = any(_is_inside(project.root / found.file, inside) for found in project.errors)
    if inside != folder.resolve():
        job_ids = tuple(
            job_id for job_id in job_ids if _is_inside(graph.nodes[job_id].job.workflow.document.file, inside)
        )
    left_over: tuple[str, ...] = ()
    if from_failure:
        left = _left_to_do(settings)
        job_ids = _still_to_do(left, job_ids, graph)
        left_over = tuple(sorted((left & set(graph.nodes)) - set(job_ids)))
    is_named = from_failure or bool(expressions)
    return _Selection(project, settings, graph, job_ids, broken=broken and not is_named, left_over=left_over)


def _still_to_do(left: frozenset[str], job_ids: tuple[str, ...], graph: JobGraph) -> tuple[str, ...]:
    """Return the chosen jobs that the last run has left, in running order.

    Raises:
        SelectionError: There are none; says whether the project lost them, or another choice would have them.
    """
    chosen = tuple(job_id for job_id in job_ids if job_id in left)
    if chosen:
        return chosen
    gone = sorted(left - set(graph.nodes))
    if len(gone) == len(left):
        raise SelectionError(
            f"what the last run has left is no longer in the project: {', '.join(gone)}",
            hint="`dataos run` runs the jobs that are in it",
        )
    raise SelectionError(
        f"what the last run has left is not among these jobs: {', '.join(sorted(left - set(gone)))}",
        hint="leave out --select and the path",
    )


def _left_to_do(settings: Settings) -> frozenset[str]:
    """Return the jobs that the last run was to do and has not done.

    Raises:
        SelectionError: There is no last run, nothing is left of it, or it is still at work.
    """
    from dataos_dagster.state.database import State
    from dataos_dagster.state.run_ids import short_id

    last = State.open(settings).runs.last()
    if last is not None and last.status == "running":
        raise SelectionError(
            f"the last run, {short_id(last.run_id)}, is still at work: process {last.pid} on {last.host}",
            hint="wait for its end, or interrupt it; if that machine is gone, run the jobs by --select",
        )
    if last is None:
        raise SelectionError("nothing has run in this project yet", hint="`dataos run` runs its jobs")
    if not last.left:
        raise SelectionError("no job failed in the last run", hint="`dataos history` shows how jobs ended")
    return frozenset(last.left)


def _is_inside(file: Path, place: Path) -> bool:
    return file.resolve().is_relative_to(place)


def _run(
    selection: _Selection,
    engine: Engine | None,
    at_once: int,
    keys: Mapping[str, str],
    *,
    as_json: bool,
    strict: bool,
) -> int:
    from dataos_dagster.cli.run_display import Display, print_broken_manifests, print_end
    from dataos_dagster.cli.run_json import summary_json

    run_id = uuid.uuid4().hex
    with selection.runner(engine) as runner:
        if as_json:
            summary = _summary(selection, runner.context(run_id, keys=keys), at_once)
            typer.echo(json.dumps(summary_json(summary), ensure_ascii=False))
        else:
            with Display(selection.graph, selection.job_ids) as display:
                summary = _summary(selection, runner.context(run_id, display, keys=keys), at_once)
            print_end(summary, selection.graph)
            print_broken_manifests(selection.project)
    if summary.interrupted:
        return INTERRUPTED
    return FAILED if summary.failed or selection.broken or (strict and summary.not_run) else 0


def _summary(selection: _Selection, context: RunContext, at_once: int) -> RunSummary:
    """Run the jobs, and return how they ended, also when somebody interrupts them."""
    from dataos_dagster.workflows.runner import RunInterrupted, run_jobs

    try:
        return run_jobs(selection.graph, selection.job_ids, context, at_once=at_once, left_over=selection.left_over)
    except RunInterrupted as interrupt:
        return interrupt.summary


def _show_plans(selection: _Selection, engine: Engine | None, *, stand_ins: bool, as_json: bool) -> int:
    from dataos_dagster.cli.plans import errors_outside, plans_json, print_plans
    from dataos_dagster.cli.run_display import print_broken_manifests
    from dataos_dagster.workflows.plans import Unplanned, plan_jobs

    catalog, names = _stand_ins(selection) if stand_ins else (None, ())
    with selection.runner(engine, catalog) as runner:
        plans = plan_jobs(selection.graph, selection.job_ids, runner.context("plan", record=False))
    if as_json:
        typer.echo(json.dumps(plans_json(plans, selection.graph, selection.project, names), ensure_ascii=False))
    else:
        print_plans(plans, selection.graph, names)
        if errors_outside(selection.graph, selection.project):
            print_broken_manifests(selection.project)
    failed = any(isinstance(found, Unplanned) and not found.is_left_out for found in plans.values())
    return FAILED if failed or selection.broken else 0


def _stand_ins(selection: _Selection) -> tuple[DepotCatalog, tuple[str, ...]]:
    from dataos_dagster.workflows.stand_ins import catalog_with_stand_ins

    return catalog_with_stand_ins(selection.project, selection.graph, selection.settings)
