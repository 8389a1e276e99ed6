"""Secrets in environment variables: `DATAOS_SECRET__<NAME>__<KEY>`.

In a name, everything but letters and digits is written as `_`: `ferrydb-rw` is `FERRYDB_RW`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.secrets.access import acl_of_name
from dataos_dagster.secrets.values import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "DATAOS_SECRET__"


class EnvironmentBackend:
    """Reads secrets from variables of the process.

    Args:
        environment: The variables; they are read once, when this is made.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._secrets: dict[str, dict[str, SecretStr]] = {}
        for variable, value in environment.items():
            name, separator, key = variable.removeprefix(PREFIX).partition("__")
            if variable.startswith(PREFIX) and separator and name and key:
                self._secrets.setdefault(name, {})[key] = SecretStr(value)

    def find(self, name: str, workspace: str | None) -> StoredSecret | None:  # noqa: ARG002 - variables know no workspaces
        """Return the secret whose variables are set, or None."""
        values = self._secrets.get(variable_part(name))
        return StoredSecret(name, values, "environment", acl_of_name(name)) if values else None

    def tried(self, name: str, workspace: str | None) -> str:  # noqa: ARG002 - the same
        """Return the variables' names."""
        return f"environment variables {PREFIX}{variable_part(name)}__<KEY>"

    def secrets(self) -> list[StoredSecret]:
        """Return all secrets with variables, under the name that the variables give them."""
        return [
            StoredSecret(name, values, "environment", acl_of_name(name))
            for name, values in sorted(self._secrets.items())
        ]


def variable_part(name: str) -> str:
    """Return how the name of a secret is written inside a variable's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()
