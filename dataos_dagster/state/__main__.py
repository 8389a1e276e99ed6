"""Look at or change the schema of a project's state database.

`python -m dataos_dagster.state current|upgrade|downgrade REVISION [--project FOLDER]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dataos_dagster.errors import DataOSError
from dataos_dagster.settings import load_settings
from dataos_dagster.state.database import Database, state_url
from dataos_dagster.state.schema import bring_up_to_date, current_revision, downgrade


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dataos_dagster.state", description="The state database's schema.")
    parser.add_argument("--project", type=Path, default=Path(), help="folder of the project (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("current", help="print the revision")
    commands.add_parser("upgrade", help="bring the schema up to date, as every command does on its own")
    commands.add_parser("downgrade", help="take the schema back").add_argument("revision", help="0001, or base")
    chosen = parser.parse_args(arguments)
    try:
        database = Database(state_url(load_settings(chosen.project)))
        if chosen.command == "upgrade":
            bring_up_to_date(database)
        elif chosen.command == "downgrade":
            downgrade(database, chosen.revision)
        with database.reading() as session:
            revision = current_revision(session.connection()) or "base"
    except DataOSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{database.name}: {revision}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
