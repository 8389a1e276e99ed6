"""Places where secrets are kept. Each answers by name, says where it looks, and lists what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.secrets.values import StoredSecret


class SecretBackend(Protocol):
    """One place where secrets are kept."""

    def find(self, name: str, workspace: str | None) -> StoredSecret | None:
        """Return a secret, or None when this place does not have it.

        Raises:
            SecretBackendError: The place cannot be read.
        """

    def tried(self, name: str, workspace: str | None) -> str:
        """Return where `find` looks for this secret, for the message that it is nowhere."""

    def secrets(self) -> Iterable[StoredSecret]:
        """Return all secrets of this place.

        Raises:
            SecretBackendError: The place cannot be read.
        """
