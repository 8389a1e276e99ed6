"""Secrets in a folder, as Kubernetes and Docker mount them: one sub-folder a secret, one file a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.errors import SecretBackendError
from dataos_dagster.secrets.access import acl_of_name
from dataos_dagster.secrets.values import StoredSecret

if TYPE_CHECKING:
    from pathlib import Path

# No separators and no leading dot: a name never leads out of the folder, and `..data`, in which Kubernetes keeps
# the present version of a mounted secret, is no secret.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class FilesBackend:
    """Reads secrets from a folder, each time anew: a mounted secret changes while the process runs.

    Args:
        folder: It need not exist; then there are no secrets in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str, workspace: str | None) -> StoredSecret | None:  # noqa: ARG002 - a folder has no workspaces
        """Return the secret whose sub-folder is there and has files in it, or None."""
        folder = self._folder / name
        if not _NAME.fullmatch(name) or not folder.is_dir():
            return None
        try:
            values = {
                file.name: SecretStr(_without_line_end(file.read_text("utf-8")))
                for file in sorted(folder.iterdir())
                if _NAME.fullmatch(file.name) and file.is_file()
            }
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SecretBackendError(
                f"secret {name!r} in {folder} cannot be read: {reason}", hint="check the files and who may read them"
            ) from None
        return StoredSecret(name, values, str(folder), acl_of_name(name)) if values else None

    def tried(self, name: str, workspace: str | None) -> str:  # noqa: ARG002 - the same
        """Return the sub-folder."""
        return f"folder {self._folder / name}"

    def secrets(self) -> list[StoredSecret]:
        """Return all secrets of the folder."""
        names = sorted(entry.name for entry in self._folder.iterdir()) if self._folder.is_dir() else []
        return [secret for name in names if (secret := self.find(name, None)) is not None]


def _without_line_end(text: str) -> str:
    # Editors and `echo` end a file with a line end that nobody means to be part of a password.
    return text.removesuffix("\n").removesuffix("\r")
