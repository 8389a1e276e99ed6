"""`dataos workspace sync`: write Dagster's files from the project's bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataos_dagster.cli.failures import FAILED, reported
from dataos_dagster.errors import SelectionError

app = typer.Typer(no_args_is_help=True, help="Write Dagster's workspace.yaml from the project's bundles.")

Folder = Annotated[Path, typer.Argument(help="Folder of the project.", file_okay=False)]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 when a file is out of date.")]


@app.callback()
def _group() -> None:
    """Write Dagster's workspace.yaml from the project's bundles."""


@app.command()
def sync(folder: Folder = Path(), check: Check = False) -> None:
    """Write workspace.yaml, dagster.yaml and one Python file for each code location."""
    from dataos_dagster.bundles.workspace import apply_changes, plan_workspace

    with reported():
        if not folder.is_dir():
            raise SelectionError(f"there is no folder {folder}", hint="`dataos init` creates a project")
        changes = plan_workspace(folder)
        if not check:
            apply_changes(changes)
    root = folder.resolve()
    for change in changes:
        verb = {"create": "created", "update": "updated", "remove": "removed"}[change.action]
        typer.echo(f"{f'would be {verb}' if check else verb}: {change.file.relative_to(root)}")
    if not changes:
        typer.echo("up to date")
    if check and changes:
        raise typer.Exit(FAILED)
