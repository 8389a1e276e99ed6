"""Bring the schema of a state database to the one that this version of the package knows.

Every revision of `migrations/versions` is applied in order, in one transaction, by whoever opens the database first;
others wait and then find nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from dataos_dagster.errors import StateError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from dataos_dagster.state.database import Database

# Of this package alone: Dagster keeps its own revision in `alembic_version`, perhaps in the same database.
VERSION_TABLE = "dataos_state_version"
MIGRATIONS = Path(__file__).parent / "migrations"
# The newest revision, written here so that an up-to-date database opens without loading Alembic. A test compares.
HEAD = "0004"
# Any number, but always the same: it names the lock under which PostgreSQL is migrated.
_ADVISORY_LOCK = 4_711_2026


def bring_up_to_date(database: Database) -> None:
    """Apply the migrations that are missing; safe when several processes do it at once.

    Raises:
        StateError: A newer version of this package has migrated the database.
    """
    with database.reading() as session:
        if current_revision(session.connection()) == HEAD:
            return
    with database.migrating() as connection:
        _wait_for_others(connection)
        found = current_revision(connection)
        if found == HEAD:
            return
        _refuse_newer(found, database)
        from alembic import command

        command.upgrade(_configuration(connection), "head")


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to an earlier revision, `base` for an empty database. What newer tables hold is lost.

    Raises:
        StateError: This version does not know the database's revision, or not the one asked for.
    """
    known = _revisions()
    if revision != "base" and revision not in known:
        raise StateError(f"there is no revision {revision!r}", hint=f"one of base, {', '.join(known)}")
    with database.migrating() as connection:
        _wait_for_others(connection)
        _refuse_newer(current_revision(connection), database)
        from alembic import command

        command.downgrade(_configuration(connection), revision)


def current_revision(connection: Connection) -> str | None:
    """Return the database's revision; None when it has no tables of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return revision


def _wait_for_others(connection: Connection) -> None:
    # SQLite: the transaction began as a writer's, which is the lock.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})


def _refuse_newer(found: str | None, database: Database) -> None:
    known = _revisions()
    if found is not None and found not in known:
        raise StateError(
            f"state database {database.name} is at revision {found}, which this version does not know (newest: {HEAD})",
            hint="a newer dataos-dagster has used it: upgrade this one, or take the schema back with the newer one "
            f"(python -m dataos_dagster.state downgrade {HEAD})",
        )


def _revisions() -> list[str]:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    return [revision.revision for revision in script.walk_revisions()]


def _configuration(connection: Connection) -> Config:
    from alembic.config import Config

    configuration = Config()
    # ConfigParser reads "%" as the start of a reference.
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration
