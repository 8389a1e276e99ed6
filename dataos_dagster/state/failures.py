"""Say in our words what a driver of the state database reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.errors import StateError

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

# Part of the driver's message, what it means, what to do. First match wins.
_KNOWN = (
    (
        "database is locked",
        "another process has been writing for too long",
        "end the other process, or keep the state in PostgreSQL (state.url)",
    ),
    (
        "unable to open database file",
        "the file cannot be opened",
        "the folder must be there and writable",
    ),
    ("readonly database", "the file cannot be written", "give yourself write access to the file and its folder"),
    ("file is not a database", "the file is not a SQLite database", "move it away; a new one is made"),
    ("disk image is malformed", "the file is damaged", "move it away or restore it; a new one is made"),
    ("disk is full", "the disk is full", "make room and try again; nothing was half written"),
    ("disk i/o error", "the disk does not read or write", "SQLite's WAL needs a local disk, not a network folder"),
    ("password authentication failed", "the server refuses the credentials", "check user and password of state.url"),
    ("does not exist", "it does not exist", "create the database, or check its name in state.url"),
    ("permission denied", "the user lacks a right", "the user of state.url must own the schema or may create tables"),
    ("connection refused", "the server does not answer", "start it, or check host and port of state.url"),
    ("timeout expired", "the server does not answer", "check host and port of state.url, and the network"),
    ("failed to resolve host", "the host is not known", "check the host of state.url"),
    ("server closed the connection", "the server ended the connection", "try again"),
)


def as_state_error(error: DBAPIError, database: str) -> StateError:
    """Return the error to raise for a driver's error on a database that is named without its password."""
    said = " ".join(str(error.orig).split())
    for part, meaning, hint in _KNOWN:
        if part in said.lower():
            return StateError(f"state database {database}: {meaning} ({said})", hint=hint)
    return StateError(f"state database {database}: {said}", hint="this is the database's own message")
