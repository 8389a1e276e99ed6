"""Where the key of the encrypted store is kept: a variable, the desktop's keyring, or a file outside of the project.

Keys are kept by their id, so that a project may move, and each project has its own.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dataos_dagster.errors import SecretBackendError
from dataos_dagster.redaction import register
from dataos_dagster.secrets.encryption import Key

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "DATAOS_SECRETS_KEY"
NEW_VARIABLE = "DATAOS_SECRETS_NEW_KEY"
_SERVICE = "dataos-dagster"


class KeyPlace(Protocol):
    """One place where keys are kept."""

    name: str

    def load(self, key_id: str) -> Key | None:
        """Return the key with this id, or None when it is not here."""

    def save(self, key: Key) -> None:
        """Keep a key."""

    def forget(self, key_id: str) -> None:
        """Remove a key, if it is here."""


class KeyFiles:
    """Keys as files that only their owner may read.

    Args:
        folder: Folder of the files; made when the first key is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"key files in {folder}"

    def load(self, key_id: str) -> Key | None:
        """Return the key, or None.

        Raises:
            SecretBackendError: The file may be read by others, or is no key.
        """
        file = self._file(key_id)
        try:
            found = file.stat()
        except FileNotFoundError:
            return None
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise SecretBackendError(f"the key file {file} may be read by others", hint=f"chmod 600 {file}")
        return Key.parse(file.read_text("ascii"), f"key file {file}")

    def save(self, key: Key) -> None:
        """Write the key's file, closed to others from the start."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._file(key.id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as output:
            output.write(f"{key.text}\n")
            output.flush()
            os.fsync(output.fileno())

    def forget(self, key_id: str) -> None:
        """Remove the key's file."""
        self._file(key_id).unlink(missing_ok=True)

    def _file(self, key_id: str) -> Path:
        return self.folder / f"{key_id}.key"


class KeyringPlace:
    """Keys in the keyring of the desktop (extra `keyring`)."""

    name = "keyring"

    def load(self, key_id: str) -> Key | None:
        """Return the key, or None."""
        import keyring

        text = keyring.get_password(_SERVICE, key_id)
        return Key.parse(text, "the key in the keyring") if text else None

    def save(self, key: Key) -> None:
        """Keep the key."""
        import keyring

        keyring.set_password(_SERVICE, key.id, key.text)

    def forget(self, key_id: str) -> None:
        """Remove the key."""
        import keyring
        import keyring.errors

        try:
            keyring.delete_password(_SERVICE, key_id)
        except keyring.errors.PasswordDeleteError:
            return  # it is not there


class KeyRing:
    """All places of a user, in the order in which they are asked: variable, keyring, files.

    Args:
        environment: Variables of the process; `DATAOS_SECRETS_KEY` holds the key where it is set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        text = environment.get(VARIABLE)
        self.given = Key.parse(text, f"the variable {VARIABLE}") if text else None
        new = environment.get(NEW_VARIABLE)
        self._new = Key.parse(new, f"the variable {NEW_VARIABLE}") if new else None
        home = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        files = KeyFiles(home / "dataos-dagster" / "keys")
        self.places: tuple[KeyPlace, ...] = (KeyringPlace(), files) if _keyring_works() else (files,)

    def load(self, key_id: str, file: str) -> Key:
        """Return the key of an encrypted file.

        Raises:
            SecretBackendError: No place has it; names the places.
        """
        key = self.given or next((key for place in self.places if (key := place.load(key_id))), None)
        if key is None:
            tried = ", ".join((f"variable {VARIABLE}", *(place.name for place in self.places)))
            raise SecretBackendError(
                f"the key {key_id} of {file} is nowhere to be found; looked in: {tried}",
                hint="bring it from the machine on which the secrets were set; without it they are lost",
            )
        register(key.text)
        return key

    def create(self) -> Key:
        """Return the key for a new file: the given one, or a new one, which is kept in the first place."""
        return self.given or self.replace()

    def replace(self) -> Key:
        """Return a new key, which is kept in the first place; the one it replaces stays until `forget`.

        Raises:
            SecretBackendError: The present key is given by a variable, and the new one is not.
        """
        if self._new:
            return self._new
        if self.given:
            raise SecretBackendError(
                f"the key is given by {VARIABLE}, so the new one must be given by {NEW_VARIABLE}",
                hint="set it, rotate, and then set the first variable to it",
            )
        key = Key.generate()
        self.places[0].save(key)
        register(key.text)
        return key

    def forget(self, key_id: str) -> None:
        """Remove a key from all places; a variable is left to whoever sets it."""
        for place in self.places:
            place.forget(key_id)


def _keyring_works() -> bool:
    """Return whether the extra is installed and the system has a keyring that answers without a person."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring
    except ModuleNotFoundError:
        return False
    return not isinstance(keyring.get_keyring(), NoKeyring)
