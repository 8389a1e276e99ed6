"""`dataos flare state`: how far incremental jobs have read, and what they have left unfinished."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.errors import SelectionError, StateError
from dataos_dagster.state.run_ids import short_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.state.database import State
    from dataos_dagster.state.intents import Intent
    from dataos_dagster.state.watermarks import Watermark, WatermarkKey

app = typer.Typer(no_args_is_help=True, help="Look at what Flare jobs remember between runs, and change it.")
state_app = typer.Typer(no_args_is_help=True, help="How far incremental inputs have read.")
app.add_typer(state_app, name="state")

_Job = Annotated[str, typer.Argument(help="workspace/workflow/job, or its last parts.")]
_Input = Annotated[str | None, typer.Option("--input", help="Only this input.", show_default=False)]
_Project = Annotated[Path, typer.Option("--project", help="The project's folder.", exists=True)]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def _flare() -> None:
    """Look at what Flare jobs remember between runs, and change it."""


@state_app.command()
def show(
    job: Annotated[str | None, typer.Argument(help="Only this job, or its last parts.", show_default=False)] = None,
    input_name: _Input = None,
    project: _Project = Path(),
    as_json: _Json = False,
) -> None:
    """Show the stored value of each key, the one before it, and windows that a run has left unfinished."""
    with reported(as_json=as_json):
        state = _state(project)
        watermarks = state.watermarks.find(job, input_name)
        unfinished = state.intents.unfinished(job)
    if as_json:
        found = {"state": [_as_json(each) for each in watermarks], "unfinished": [_left(each) for each in unfinished]}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    if watermarks:
        _print(watermarks)
    else:
        typer.echo(f"nothing is stored for {job}" if job else "nothing is stored")
    for intent in unfinished:
        typer.echo(f"unfinished: {_described(intent)}")


@state_app.command("set")
def set_value(
    job: _Job,
    assignment: Annotated[str, typer.Argument(metavar="KEY=VALUE", help="The key, or input.key, and its next value.")],
    project: _Project = Path(),
    as_json: _Json = False,
) -> None:
    """Store the value that the next run of a job begins with."""
    with reported(as_json=as_json):
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SelectionError(f"{assignment!r} is no KEY=VALUE", hint="write start=2026-01-01")
        at = _key(project, job, name.strip())
        state = _state(project)
        _refuse_unfinished(state, at.job)
        changed = state.watermarks.set(at, value)
    _say([changed], as_json=as_json)


@state_app.command()
def rollback(job: _Job, input_name: _Input = None, project: _Project = Path(), as_json: _Json = False) -> None:
    """Put back the values before the last run, so that the next one reads its window again."""
    with reported(as_json=as_json):
        state = _state(project)
        _refuse_unfinished(state, job)
        changed = state.watermarks.rollback(job, input_name)
    _say(changed, as_json=as_json)


@state_app.command()
def abandon(job: _Job, project: _Project = Path(), as_json: _Json = False) -> None:
    """Give up a window that a run has left unfinished: what it has written stays, the next run reads from the state."""
    with reported(as_json=as_json):
        state = _state(project)
        left = _only(state.intents.unfinished(job), job)
        state.intents.abandon(left.job, left.scope)
    typer.echo(json.dumps({"abandoned": _left(left)}) if as_json else f"abandoned: {_described(left)}")


@state_app.command()
def release(job: _Job, project: _Project = Path(), as_json: _Json = False) -> None:
    """Let go of a job that a process of another machine has taken and that is gone."""
    with reported(as_json=as_json):
        freed = _state(project).intents.let_go(job)
    if as_json:
        typer.echo(json.dumps({"released": [asdict(claim) for claim in freed]}))
        return
    for claim in freed:
        typer.echo(f"released: {claim.job}, run {short_id(claim.run_id)}, from process {claim.pid} on {claim.host}")


def _state(project: Path) -> State:
    from dataos_dagster.settings import load_settings
    from dataos_dagster.state.database import State

    return State.open(load_settings(project_folder(project)))


def _key(project: Path, job: str, name: str) -> WatermarkKey:
    """Return what a key of a job of the project is kept under.

    Raises:
        SelectionError: There is no such job or key, or more than one.
    """
    from dataos_dagster.flare.incremental.keys import keys_of
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.manifests.spelling import suggestion
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.jobs import jobs_of

    folder = project_folder(project)
    settings = load_settings(folder)
    jobs = jobs_of(load_project(folder, settings=settings), default_workspace=settings.default_workspace)
    found = [each for each in jobs if each.id == job or each.id.endswith(f"/{job}")]
    if not found:
        names = [each.label for each in jobs]
        raise SelectionError(f"the project has no job {job!r}", hint=suggestion(job, names, what="its jobs"))
    if len(found) > 1:
        known = ", ".join(each.id for each in found)
        raise SelectionError(f"{job!r} means {len(found)} jobs of the project: {known}", hint="write its whole name")
    keys = {f"{at.input}.{at.key}": at for at in keys_of(found[0])}
    named = [at for whole, at in keys.items() if name in {at.key, whole}]
    if not named:
        hint = suggestion(name, [*keys], what="its keys") or "its inputs are read whole in every run"
        raise SelectionError(f"{found[0].label} has no key {name!r}", hint=hint)
    if len(named) > 1:
        raise SelectionError(f"{found[0].label} has {len(named)} keys {name!r}", hint=f"write one of {', '.join(keys)}")
    return named[0]


def _refuse_unfinished(state: State, job: str) -> None:
    left = state.intents.unfinished(job)
    if left:
        raise StateError(
            f"{left[0].job}: run {short_id(left[0].run_id)} has left a window unfinished",
            hint="run the job again, which finishes it; to give it up: "
            f"dataos flare state abandon {left[0].job.partition('/')[2]}",
        )


def _only(left: Sequence[Intent], job: str) -> Intent:
    if not left:
        raise StateError(f"nothing of {job} is unfinished", hint="`dataos flare state show` lists what is")
    if len(left) > 1:
        raise StateError(f"{job} has {len(left)} unfinished windows", hint="`dataos flare state show` lists them")
    return left[0]


def _say(changed: Sequence[Watermark], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"state": [_as_json(each) for each in changed]}, ensure_ascii=False))
        return
    for each in changed:
        then = "evaluates its query" if each.value is None else f"begins with {each.value}"
        typer.echo(f"{each.at}: the next run {then} (was {each.previous if each.previous is not None else 'not set'})")


def _as_json(each: Watermark) -> dict[str, Any]:
    return {
        "job": each.at.job,
        "input": each.at.input,
        "context": each.at.context,
        "key": each.at.key,
        "value": each.value,
        "previous": each.previous,
        "origin": each.origin,
        "run_id": each.run_id,
        "changed_at": each.changed_at.isoformat(),
    }


def _left(intent: Intent) -> dict[str, Any]:
    return {
        "job": intent.job,
        "scope": intent.scope,
        "run_id": intent.run_id,
        "window": [{"input": part.input, "values": dict(part.values)} for part in intent.window],
        "outputs": [{"dataset": write.dataset, "status": write.status} for write in intent.writes],
    }


def _described(intent: Intent) -> str:
    window = "; ".join(f"{part.input} {_values(part.values)}" for part in intent.window)
    outputs = ", ".join(f"{write.dataset} {write.status}" for write in intent.writes)
    return f"{intent.job}, run {short_id(intent.run_id)}: {window} → {outputs}"


def _values(values: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _print(watermarks: Sequence[Watermark]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    columns = (
        Column("job"),
        Column("input"),
        Column("key"),
        Column("value"),
        Column("previous", rank=3),
        Column("by", rank=2, below=True),
        Column("changed (UTC)", rank=1, below=True),
    )
    rows = [
        (
            each.at.job,
            each.at.input,
            each.at.key,
            each.value or "",
            each.previous or "",
            f"run {short_id(each.run_id)}" if each.run_id else each.origin,
            f"{each.changed_at:%Y-%m-%d %H:%M:%S}",
        )
        for each in watermarks
    ]
    print_table(columns, [list(map(Text, row)) for row in rows])
