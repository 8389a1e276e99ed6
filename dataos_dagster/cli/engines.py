"""`dataos engines list` and `dataos engines install`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.projects import project_folder

app = typer.Typer(no_args_is_help=True, help="Install and list engines.")

_PATH = Annotated[Path, typer.Argument(help="Folder of the project whose settings hold.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("list")
def list_engines(path: _PATH = Path(), *, as_json: _JSON = False) -> None:
    """Show which engines this machine has, and what is missing for the others."""
    with reported(as_json=as_json):
        from dataos_dagster.engines.availability import availability
        from dataos_dagster.engines.connectors import is_cached
        from dataos_dagster.engines.coordinates import CONNECTORS
        from dataos_dagster.settings import load_settings

        found = availability(load_settings(project_folder(path)).engines)
        connectors = {name: is_cached(connector.coordinate) for name, connector in CONNECTORS.items()}
    if as_json:
        engines = [
            {"engine": each.engine, "available": each.available, "detail": each.detail, "hint": each.hint or None}
            for each in found.engines
        ]
        typer.echo(json.dumps({"engines": engines, "connectors": connectors}, ensure_ascii=False))
        return
    for status in found.engines:
        typer.echo(f"{'✓' if status.available else '·'} {status.engine:8} {status.detail}")
        if status.hint and not status.available:
            typer.echo(f"  {'':8} {status.hint}")
    there = [name for name, is_there in connectors.items() if is_there]
    typer.echo(f"connectors of Spark on this machine: {', '.join(there) or 'none'} (others are downloaded when needed)")


@app.command("install")
def install(
    engine: Annotated[str, typer.Argument(help="spark.")],
    path: _PATH = Path(),
    *,
    connectors: Annotated[
        list[str] | None,
        typer.Option("--with", help="Connectors by short name or Maven coordinate; default: those of lakehouses."),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Download an engine's parts beforehand, so that jobs start without a network."""
    with reported(as_json=as_json):
        from dataos_dagster.engines.availability import require_java
        from dataos_dagster.engines.connectors import resolve
        from dataos_dagster.engines.coordinates import coordinate_of
        from dataos_dagster.errors import EngineUnavailable
        from dataos_dagster.settings import load_settings

        if engine != "spark":
            raise EngineUnavailable(
                f"there is nothing to install for {engine!r}",
                hint="Sail comes with this package; `dataos engines install spark` downloads Spark's connectors",
            )
        settings = load_settings(project_folder(path)).engines.spark
        java = require_java()
        coordinates = sorted({coordinate_of(name) for name in connectors or ("iceberg",)} | set(settings.packages))
        jars = resolve(coordinates, settings.repositories)
    if as_json:
        result = {"java": java.version, "packages": coordinates, "jars": [str(jar) for jar in jars]}
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    typer.echo(f"Java {java.version} in {java.home}")
    for coordinate in coordinates:
        typer.echo(f"✓ {coordinate}")
    typer.echo(f"{len(jars)} jars in {jars[0].parents[3] if jars else 'no folder'}")
