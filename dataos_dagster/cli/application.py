"""The command tree of `dataos`: which words exist and which module answers each.

A command's module is imported when the command is called, so that `dataos check` loads neither dagster nor an engine.
"""

from __future__ import annotations

import importlib
from typing import Any

import click
import typer
from typer.core import TyperGroup

# Word on the command line: module of `dataos_dagster.cli` whose `app` (a Typer application) answers it, and its help.
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Read manifests and report everything that is wrong with them."),
    "explain": ("explain", "Explain a diagnostic's code at length, with an example."),
    "schema": ("schema", "Print the JSON Schema of manifests, for editors."),
    "init": ("init", "Create a project."),
    "run": ("run", "Run jobs without a Dagster instance, in dependency order."),
    "show": ("show", "Show a dataset's rows, count or schema."),
    "depot": ("depot", "List depots and check that they can be reached."),
    "history": ("history", "Show the runs of jobs."),
    "workspace": ("workspace", "Write Dagster's workspace.yaml from the project's bundles."),
    "secret": ("secret", "Keep secrets in the encrypted local store."),
    "engines": ("engines", "Install and list engines."),
    "doctor": ("doctor", "Check this machine and say which engine each job runs on, and why."),
}


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, description = COMMANDS[cmd_name]
        command = typer.main.get_command(importlib.import_module(f"dataos_dagster.cli.{module}").app)
        command.name, command.short_help = cmd_name, description
        return command

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, description) for name, (_, description) in COMMANDS.items()])


application = typer.Typer(
    name="dataos",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=True,
    help="Run DataOS manifests on Dagster and open engines.",
)


@application.callback()
def _root() -> None:
    """Run DataOS manifests on Dagster and open engines."""
