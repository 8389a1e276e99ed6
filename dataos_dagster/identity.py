"""On whose behalf data is read and written."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Principal:
    """A user id and where it was taken from.

    `run_as` is the manifest's `runAsUser`, `owner` its `owner`, `settings` the configured identity,
    `login` the user of the operating system.
    """

    name: str
    source: Literal["run_as", "owner", "settings", "login"]


def principal_of(run_as_user: str | None, owner: str | None, configured: str | None) -> Principal:
    """Return the principal of a job: its `runAsUser`, else its owner, else the configured identity, else the login."""
    if run_as_user:
        return Principal(run_as_user, "run_as")
    if owner:
        return Principal(owner, "owner")
    if configured:
        return Principal(configured, "settings")
    return Principal(getpass.getuser(), "login")
