"""`dataos show`: a dataset's rows, count or columns, read through the same door as every job's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.options import Engine  # noqa: TC001 - typer evaluates the annotations
from dataos_dagster.cli.projects import project_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.depots.door import Column, Door
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

app = typer.Typer()


@app.command()
def show(
    address: Annotated[
        str, typer.Argument(help="Such as dataos://lakehouse:sales/orders; without a dataset, its datasets are listed.")
    ],
    project: Annotated[Path, typer.Option(help="The project's folder.", exists=True)] = Path(),
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows.")] = 20,
    count: Annotated[bool, typer.Option("--count", help="Print the number of rows.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the columns.")] = False,
    format_: Annotated[
        str | None, typer.Option("--format", help="Format of files, where nothing else says it.", show_default=False)
    ] = None,
    engine: Annotated[Engine | None, typer.Option(help="Which engine reads; default: the project's settings.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a dataset's rows, count or columns, or the datasets of a collection (`dataos://lakehouse:sales`).

    Exit status: 0, 1 when the dataset cannot be read, 2 for wrong usage.
    """
    from dataos_dagster.address import Address

    with reported(as_json=as_json):
        found = Address.parse(address)
        if not (found.path or format_ or count or schema):
            _list(found, project, as_json=as_json)
            return
        with _opened(project, found, format_, engine) as (door, session, principal):
            said = _answer(door, session, principal, found, format_, limit=limit, count=count, schema=schema)
    if as_json:
        typer.echo(json.dumps({"address": str(found), **said}, ensure_ascii=False, default=str))
    elif count:
        typer.echo(f"{said['count']:,}")
    elif schema:
        _print(("column", "type", "comment"), [(c["name"], c["type"], c["comment"]) for c in said["columns"]])
    else:
        _print([column["name"] for column in said["columns"]], [tuple(row) for row in said["rows"]])


def _list(place: Address, project: Path, *, as_json: bool) -> None:
    """Print the datasets of a depot or collection, each with the address to show it by.

    Raises:
        DatasetNotFound: There is none.
    """
    from dataos_dagster.errors import DatasetNotFound

    door, _ = _door(project)
    everything = door.datasets(place.depot)
    found = [address for address in everything if place.collection in {None, address.collection}]
    if not found:
        others = sorted({address.collection for address in everything if address.collection})
        hint = f"collections of {place.depot}: {', '.join(others)}" if others else None
        raise DatasetNotFound(f"there is no dataset in {place}", hint=hint)
    if as_json:
        typer.echo(json.dumps({"datasets": [str(address) for address in found]}, ensure_ascii=False))
    else:
        typer.echo("\n".join(str(address) for address in found))


def _door(project: Path) -> tuple[Door, Settings]:
    """Return the project's door, with its settings."""
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.door import Door
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings

    folder = project_folder(project)
    settings = load_settings(folder)
    manifests = [folder / path for path in settings.manifests]
    return Door(DepotCatalog.from_project(load_project(manifests, settings=settings), settings)), settings


@contextmanager
def _opened(
    project: Path, address: Address, format_: str | None, engine: Engine | None
) -> Iterator[tuple[Door, EngineSession, Principal]]:
    """Yield the project's door and a session that can read the dataset."""
    from dataos_dagster.depots.door import ReadRequest, Target
    from dataos_dagster.depots.requirements import session_configuration
    from dataos_dagster.engines.availability import availability
    from dataos_dagster.engines.routing import route
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.identity import principal_of

    door, settings = _door(project)
    needed = door.requirements([ReadRequest(Target(address), format=format_)])
    chosen = route(
        (),
        requested=engine.value if engine else settings.engines.default,
        vetoes=needed.vetoes,
        availability=availability(settings.engines),
    )
    with Sessions(settings) as sessions:
        session = sessions.get(session_configuration(chosen.engine, needed))
        yield door, session, principal_of(None, None, settings.identity)


def _answer(
    door: Door,
    session: EngineSession,
    principal: Principal,
    address: Address,
    format_: str | None,
    *,
    limit: int,
    count: bool,
    schema: bool,
) -> dict[str, Any]:
    from dataos_dagster.depots.door import ReadRequest, Target, columns_of

    frame = door.read(ReadRequest(Target(address), format=format_), session, principal)
    with session.failures():
        if count:
            return {"engine": session.engine, "count": frame.count()}
        columns = [_column(column) for column in columns_of(frame)]
        if schema:
            return {"engine": session.engine, "columns": columns}
        rows = [[_plain(value) for value in row] for row in frame.limit(limit).collect()]
        return {"engine": session.engine, "columns": columns, "rows": rows}


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": column.type, "nullable": column.nullable, "comment": column.comment}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; rows become objects, bytes hexadecimal, the rest text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if hasattr(value, "asDict"):
        return {key: _plain(item) for key, item in value.asDict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else str(value)


def _print(header: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    cells = [[Text("" if value is None else str(value)) for value in row] for row in rows]
    print_table([Column(name) for name in header], cells)
