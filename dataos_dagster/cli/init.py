"""`dataos init`: a project that runs, for the user's own files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.errors import SelectionError

app = typer.Typer(help="Create a project.")

Name = Annotated[str | None, typer.Argument(help="Name of the project, and of the folder that is created for it.")]
Here = Annotated[bool, typer.Option("--here", help="Make the current folder a project; nothing is overwritten.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of your CSV, JSON or Parquet files; default: data, with a sample.")
]


@app.command()
def init(name: Name = None, here: Here = False, data: Data = None) -> None:
    """Create a project: settings, a depot of files, a workflow, and what `dagster dev` needs."""
    folder = Path.cwd() / (name or "")
    with reported():
        if here == bool(name):
            raise SelectionError("a project needs a place", hint="give a NAME, or --here for the current folder")
        if folder.exists() and not folder.is_dir():
            raise SelectionError(f"{name} is a file", hint="a project is a folder: give another NAME")
        if name and folder.exists() and any(folder.iterdir()):
            raise SelectionError(f"{name} is there already", hint="go into it and use --here")
        if data is not None and not data.is_dir():
            raise SelectionError(f"there is no folder {data}", hint="--data names a folder of files")
        written = _write(folder, data.resolve() if data else None)
    for file in written:
        typer.echo(f"created {file.relative_to(folder.parent if name else folder)}")
    typer.echo(_next_steps(name, written))


def _write(folder: Path, data: Path | None) -> list[Path]:
    from dataos_dagster.bundles.starter import SETTINGS, Starter, files_in, manifest_files, sample, write_new
    from dataos_dagster.bundles.workspace import apply_changes, plan_workspace
    from dataos_dagster.settings import SETTINGS_FILE, load_settings

    written = write_new({folder / SETTINGS_FILE: SETTINGS})
    if data or not _has_manifests(folder):
        source = data or folder / "data"
        if not files_in(source):
            written += write_new(sample(source))
        written += write_new(manifest_files(Starter(folder.name, source, files_in(source)), folder))
    changes = plan_workspace(folder)
    apply_changes(changes)
    load_settings(folder).make_state_folder()
    return [*written, *(change.file for change in changes)]


def _has_manifests(folder: Path) -> bool:
    """Tell whether a folder holds manifests already: then no starter is put beside them."""
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings

    project = load_project(folder, settings=load_settings(folder), allow_placeholders=True, use_cache=False)
    return bool(project.resources or project.errors)


def _next_steps(name: str | None, written: list[Path]) -> str:
    if not written:
        return "everything is there already"
    enter = f"cd {shlex.quote(name)}\n  " if name else ""
    return f"\nnow:\n  {enter}dataos check\n  dataos run\n  DAGSTER_HOME=$PWD dagster dev"
