"""`dataos streams`: see, start and stop the jobs that run until they are stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.workflows.supervisor.processes import ProcessRuntime
    from dataos_dagster.workflows.supervisor.service import Actual, Service, Wish

app = typer.Typer(no_args_is_help=True, help="See, start and stop the jobs that run until they are stopped.")

# Of what is started by hand, until the location that wants it looks and adopts it.
SCOPE = "dataos"
_COLOURS = {"running": "green", "starting": "yellow", "stopping": "yellow", "waiting": "red", "failed": "red"}
_FAILED = 1

Name = Annotated[str | None, typer.Argument(help="workflow/job, or the workflow; default: all.", show_default=False)]
Project = Annotated[Path, typer.Option("--project", help="The project's folder.", exists=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for it.", min=0)]


@app.command("list")
def list_(path: Project = Path(), as_json: AsJson = False) -> None:
    """List streams: whether they run, how fast, and how far they are behind."""
    with reported(as_json=as_json):
        services, runtime = _open(path)
        shown = {name: runtime.actual(name) for name in _known(services, runtime)}
    if as_json:
        listed = [_as_json(actual, wanted=name in services) for name, actual in shown.items()]
        typer.echo(json.dumps({"streams": listed}, ensure_ascii=False))
    elif shown:
        _print(shown)
    else:
        typer.echo("no job runs until it is stopped")


@app.command()
def start(name: Name = None, path: Project = Path(), wait: Wait = 10, as_json: AsJson = False) -> None:
    """Start streams, also those that were stopped by hand. They go on when this command has ended."""
    _change(name, path, "running", wait, as_json=as_json)


@app.command()
def stop(name: Name = None, path: Project = Path(), wait: Wait = 90, as_json: AsJson = False) -> None:
    """Stop streams: the batches under way are finished. They stay stopped until `dataos streams start`.

    What runs though no manifest wants it any more is stopped too.
    """
    _change(name, path, "stopped", wait, as_json=as_json, also_unwanted=True)


@app.command()
def restart(name: Name = None, path: Project = Path(), wait: Wait = 90, as_json: AsJson = False) -> None:
    """Stop streams, then start them."""
    _change(name, path, "stopped", wait, as_json=as_json, silent=True)
    _change(name, path, "running", wait, as_json=as_json)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="workflow/job, or the workflow.")],
    path: Project = Path(),
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many of the last lines.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print the last lines that a stream has written; older ones are in `log.1` and so on, beside the file."""
    with reported(as_json=as_json):
        services, runtime = _open(path)
        texts = {found: runtime.log(found, lines) for found in _chosen(name, _known(services, runtime))}
        files = {found: str(runtime.records(found).log) for found in texts}
    if as_json:
        listed = [{"name": found, "file": files[found], "lines": text.splitlines()} for found, text in texts.items()]
        typer.echo(json.dumps({"logs": listed}, ensure_ascii=False))
        return
    for text in texts.values():
        typer.echo(text)


def _open(path: Path) -> tuple[dict[str, Service], ProcessRuntime]:
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.services import services_of
    from dataos_dagster.workflows.supervisor.processes import ProcessRuntime

    settings = load_settings(project_folder(path))
    project = load_project(settings.project, settings=settings)
    graph = build_graph(project, default_workspace=settings.default_workspace)
    return services_of(graph, project, settings), ProcessRuntime.of(settings)


def _known(services: Mapping[str, Service], runtime: ProcessRuntime) -> tuple[str, ...]:
    """Return the names of the streams that the manifests want, and of those that run though none wants them."""
    left = (name for name in runtime.names() if name not in services and runtime.actual(name).is_running)
    return (*services, *left)


def _chosen(name: str | None, known_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the streams that a name means: a job, or all of a workflow; None means all.

    Raises:
        SelectionError: It means none.
    """
    ids = tuple(known_ids)
    if name is None:
        return ids
    wanted = name.split("/")
    found = tuple(
        job_id for job_id in ids if name == job_id or wanted in (job_id.split("/")[1:], job_id.split("/")[1:2])
    )
    if not found:
        known = ", ".join(job_id.partition("/")[2] for job_id in ids) or "none"
        raise SelectionError(f"{name!r} is no stream of this project", hint=f"there are: {known}")
    return found


def _change(
    name: str | None,
    path: Path,
    wish: Wish,
    wait: float,
    *,
    as_json: bool,
    silent: bool = False,
    also_unwanted: bool = False,
) -> None:
    from dataos_dagster.workflows.supervisor.reconcile import Supervisor

    with reported(as_json=as_json):
        services, runtime = _open(path)
        chosen = _chosen(name, _known(services, runtime) if also_unwanted else services)
        for found in services.keys() & chosen:
            runtime.records(found).note_wish(wish)
            if wish == "running":
                # Somebody who starts it by hand does not want to wait for the pause after its last failure.
                runtime.forgive(found)
        wanted = {found: services.get(found) for found in chosen}
        done = Supervisor(runtime, SCOPE).settle(wanted, wish=wish, seconds=wait)
        after = {found: runtime.actual(found) for found in chosen}
    if silent and done:
        return
    if as_json:
        typer.echo(json.dumps({"streams": [_as_json(after[found], wanted=found in services) for found in after]}))
    elif after:
        _print(after)
    else:
        typer.echo("no job runs until it is stopped")
    if not done:
        raise typer.Exit(_FAILED)


def _as_json(actual: Actual, *, wanted: bool) -> dict[str, Any]:
    report = actual.report
    return {
        "name": actual.name,
        "state": actual.state,
        "wanted": wanted and actual.wish == "running",
        "pid": actual.pid,
        "since": actual.since.isoformat() if actual.since else None,
        "failures_in_a_row": actual.failures,
        "next_start": actual.next_start.isoformat() if actual.next_start else None,
        "reported_at": report.at.isoformat() if report else None,
        "message": report.message if report else None,
        "queries": [dict(found) for found in report.metrics] if report else [],
    }


def _print(shown: Mapping[str, Actual]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    columns = [
        Column("stream"),
        Column("state"),
        Column("since (UTC)", rank=2),
        Column("rows/s", right=True, rank=1),
        Column("behind", right=True),
        Column("batch", right=True, rank=1),
    ]
    print_table(columns, [_row(actual, Text) for actual in shown.values()])


def _row(actual: Actual, text: Any) -> list[Any]:
    report = actual.report
    first = report.metrics[0] if report and report.metrics and actual.is_running else {}
    row = [
        text(actual.name.partition("/")[2]),
        text(actual.state, style=_COLOURS.get(actual.state, "")),
        text(f"{actual.since:%Y-%m-%d %H:%M:%S}" if actual.since else ""),
        text(str(first.get("rows_per_second", ""))),
        text("" if first.get("behind") is None else str(first["behind"])),
        text(str(first.get("batch", ""))),
    ]
    if report and report.message and not actual.is_running:
        row.append(text(report.message.splitlines()[0], style="red"))
    return row
