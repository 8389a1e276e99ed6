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
    """Show which engines this machine has, their versions, what each can do, and what is missing for the others."""
    with reported(as_json=as_json):
        from dataos_dagster.engines.availability import availability
        from dataos_dagster.engines.connectors import is_cached
        from dataos_dagster.engines.coordinates import CONNECTORS
        from dataos_dagster.settings import load_settings

        found = availability(load_settings(project_folder(path)).engines)
        there = {name: is_cached(connector.coordinate) for name, connector in CONNECTORS.items()}
    if as_json:
        engines = [
            {
                "engine": each.engine,
                "available": each.available,
                "detail": each.detail,
                "hint": each.hint or None,
                "abilities": list(each.abilities),
            }
            for each in found.engines
        ]
        typer.echo(json.dumps({"engines": engines, "connectors": there}, ensure_ascii=False))
        return
    for status in found.engines:
        typer.echo(f"{'✓' if status.available else '·'} {status.engine:8} {status.detail}")
        for ability in status.abilities:
            typer.echo(f"  {'':8} {ability}")
        if status.hint and not status.available:
            typer.echo(f"  {'':8} to have it: {status.hint}")
    typer.echo("connectors of Spark (✓ is on this machine, others are downloaded when a job needs them):")
    for name, connector in CONNECTORS.items():
        typer.echo(f"{'✓' if there[name] else '·'} {name:12} {connector.coordinate}: {connector.purpose}")


@app.command("install")
def install(
    engine: Annotated[str, typer.Argument(help="spark.")],
    path: _PATH = Path(),
    *,
    connectors: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Connectors by short name or Maven coordinate, separated by commas; lakehouses' is always among them.",
        ),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Download an engine's parts beforehand and prepare its start, so that jobs start fast and without a network."""
    with reported(as_json=as_json):
        from dataos_dagster.engines.availability import require_java
        from dataos_dagster.engines.class_archive import archive_of, write_archive
        from dataos_dagster.engines.connectors import resolve
        from dataos_dagster.engines.coordinates import coordinate_of
        from dataos_dagster.errors import EngineUnavailable, SelectionError
        from dataos_dagster.settings import load_settings

        if engine != "spark":
            raise SelectionError(
                f"there is nothing to install for {engine!r}",
                hint="Sail comes with this package; `dataos engines install spark` downloads Spark's connectors",
            )
        project = load_settings(project_folder(path))
        settings = project.engines.spark
        wanted = [name.strip() for text in connectors or () for name in text.split(",") if name.strip()]
        try:
            coordinates = sorted({coordinate_of(name) for name in ("iceberg", *wanted)} | set(settings.packages))
        except EngineUnavailable as unknown:
            raise SelectionError(unknown.message, hint=unknown.hint) from None
        java = require_java()
        jars = resolve(coordinates, settings.repositories)
        archive = archive_of(java)
        if not archive.exists():
            write_archive(java, project)
    if as_json:
        result = {
            "java": java.version,
            "packages": coordinates,
            "jars": [str(jar) for jar in jars],
            "classes": str(archive),
        }
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    typer.echo(f"Java {java.version} in {java.home}")
    for coordinate in coordinates:
        typer.echo(f"✓ {coordinate}")
    typer.echo(f"{len(jars)} jars in {jars[0].parents[3] if jars else 'no folder'}")
    typer.echo(f"Spark's classes, ready to start: {archive} ({archive.stat().st_size >> 20} MB)")
