"""`dataos depot`: which depots a project has, and whether they can be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataos_dagster.cli.failures import FAILED, reported
from dataos_dagster.cli.projects import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.depots.door import DepotStatus, Door

app = typer.Typer(no_args_is_help=True)

_COLOURS = {"active": "green", "error": "red", "unsupported": "yellow"}
_Project = Annotated[Path, typer.Option("--project", help="The project's folder.", exists=True)]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("list")
def list_depots(project: _Project = Path(), as_json: _Json = False) -> None:
    """List the project's depots; opens none of them."""
    with reported(as_json=as_json):
        catalog = _door(project).catalog
    found = [
        {
            "name": depot.name,
            "type": depot.type,
            "format": depot.format,
            "description": depot.description,
            "location": str(depot.location) if depot.location else None,
        }
        for depot in catalog
    ]
    if as_json:
        typer.echo(json.dumps({"depots": found}, ensure_ascii=False))
        return
    _print_list(found)


@app.command("check")
def check_depots(
    names: Annotated[list[str] | None, typer.Argument(help="Depots; default all.", show_default=False)] = None,
    project: _Project = Path(),
    as_json: _Json = False,
) -> None:
    """Check that depots can be reached, that their credentials are accepted, and say what is in them.

    Exit status: 0, 1 when one is in error, 2 for wrong usage. A source type that is not read yet is no error.
    """
    with reported(as_json=as_json):
        door = _door(project)
        statuses = [door.check(name) for name in names or [depot.name for depot in door.catalog]]
    if as_json:
        typer.echo(json.dumps({"depots": [_as_json(status) for status in statuses]}, ensure_ascii=False))
    else:
        _print_statuses(statuses)
    if any(status.status == "error" for status in statuses):
        raise typer.Exit(FAILED)


def _door(project: Path) -> Door:
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.door import Door
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings

    folder = project_folder(project)
    settings = load_settings(folder)
    manifests = [folder / path for path in settings.manifests]
    return Door(DepotCatalog.from_project(load_project(manifests, settings=settings), settings))


def _as_json(status: DepotStatus) -> dict[str, object]:
    return {
        "name": status.depot,
        "type": status.type,
        "status": status.status,
        "found": status.found,
        "detail": status.detail,
        "seconds": status.seconds,
    }


def _print_list(found: Sequence[Mapping[str, str | None]]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    columns = (
        Column("depot"),
        Column("type"),
        Column("format", rank=1),
        Column("declared", rank=2, below=True),
        Column("description", rank=3, below=True),
    )
    rows = [(d["name"], d["type"], d["format"], d["location"] or "built in", d["description"]) for d in found]
    print_table(columns, [[Text(cell or "") for cell in row] for row in rows])


def _print_statuses(statuses: Sequence[DepotStatus]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    columns = (
        Column("depot"),
        Column("type", rank=1),
        Column("status"),
        Column("seconds", right=True, rank=2),
        Column("found", rank=3, below=True),
    )
    rows = [
        (
            Text(each.depot),
            Text(each.type),
            Text(each.status, style=_COLOURS[each.status]),
            Text(f"{each.seconds:.1f}"),
            Text(each.detail or each.found),
        )
        for each in statuses
    ]
    print_table(columns, rows)
