"""The `dataos` command: one module a command, each imported when it is called."""

from __future__ import annotations


def main() -> None:
    """Run the `dataos` command with the arguments of the process."""
    from dataos_dagster.cli.application import application

    application()
