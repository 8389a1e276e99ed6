"""The command tree of `dataos`: which words exist and which module answers each.

A command's module is imported when the command is called, so that `dataos check` loads neither dagster nor an engine.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

# Typer carries its own copy of click, whose types are private: hence Any in the two methods below.

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
    """A group that knows its commands by name and imports the module of one when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the interface of the group
        """Return the words that exist, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the interface of the group
        """Return the command behind a word, or None, which makes the group say what it knows."""
        if cmd_name not in COMMANDS:
            return None
        module, description = COMMANDS[cmd_name]
        command = typer.main.get_command(importlib.import_module(f"dataos_dagster.cli.{module}").app)
        command.name, command.short_help = cmd_name, description
        return command


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
