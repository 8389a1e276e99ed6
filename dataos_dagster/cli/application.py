"""The command tree of `dataos`: which words exist and which module answers each.

A command's module is imported when the command is called, so that `dataos check` loads neither dagster nor an engine.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Annotated, Any

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
    "flare": ("flare", "Look at what Flare jobs remember between runs, and change it."),
    "streams": ("streams", "See, start and stop the jobs that run until they are stopped."),
    "workspace": ("workspace", "Write Dagster's workspace.yaml from the project's bundles."),
    "secret": ("secret", "Keep secrets in the encrypted local store."),
    "engines": ("engines", "Install and list engines."),
    "doctor": ("doctor", "Check this machine and say which engine each job runs on, and why."),
}

_COMPLETION = {"install_completion", "show_completion"}


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports the module of one when it is needed."""

    def get_params(self, ctx: Any) -> Any:
        """Return the options; the two about completion work and are not shown, for they are wanted once in a life."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.name in _COMPLETION:
                param.hidden = True
        return params

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

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments begin with; for a word that is none, say which one is close to it."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            advice = f"did you mean '{close[0]}'?" if close else f"commands: {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command '{args[0]}'; {advice}")
        return super().resolve_command(ctx, args)


application = typer.Typer(
    name="dataos",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=True,
    help="Run DataOS manifests on Dagster and open engines.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"dataos-dagster {version('dataos-dagster')}")
        raise typer.Exit


@application.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run DataOS manifests on Dagster and open engines."""
