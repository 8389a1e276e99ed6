"""Secrets in one encrypted file of the project, written by `dataos secret set`.

The file is replaced as a whole, so a reader sees the old one or the new one; writers take turns through a lock file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from dataos_dagster.errors import SecretBackendError, SecretNotFound
from dataos_dagster.secrets.access import acl_of_name
from dataos_dagster.secrets.encryption import decrypt, encrypt, key_id
from dataos_dagster.secrets.values import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.secrets.encryption import Key
    from dataos_dagster.secrets.keys import KeyRing
    from dataos_dagster.secrets.manifest import Acl


class EncryptedBackend:
    """Reads and writes the encrypted file.

    Args:
        file: It need not exist; the first `set` makes it, and its key.
        keys: Where its key is.
    """

    def __init__(self, file: Path, keys: KeyRing) -> None:
        self.file = file
        self._keys = keys

    def find(self, name: str, workspace: str | None) -> StoredSecret | None:  # noqa: ARG002 - one store for the project
        """Return a secret, or None.

        Raises:
            SecretBackendError: The file or its key cannot be had.
        """
        if not self.file.exists():
            return None
        entry = self._read().get(name)
        return self._stored(name, entry) if entry else None

    def tried(self, name: str, workspace: str | None) -> str:  # noqa: ARG002 - the same
        """Return the file."""
        return f"encrypted store {self.file}{'' if self.file.exists() else ' (not there)'}"

    def secrets(self) -> list[StoredSecret]:
        """Return all secrets of the file."""
        if not self.file.exists():
            return []
        return [self._stored(name, entry) for name, entry in sorted(self._read().items())]

    def set(self, name: str, values: Mapping[str, SecretStr], acl: Acl | None = None) -> None:
        """Add keys to a secret, or replace their values; its other keys stay.

        Raises:
            SecretBackendError: The file or its key cannot be had or written.
        """
        with self._changing() as content:
            entry = content.setdefault(name, {"acl": None, "data": {}})
            entry["acl"] = acl or entry["acl"]
            entry["data"] |= {key: value.get_secret_value() for key, value in values.items()}

    def remove(self, name: str, keys: tuple[str, ...] = ()) -> None:
        """Remove a secret, or some of its keys. It cannot be recovered.

        Raises:
            SecretNotFound: The file has no such secret or key; nothing is removed then.
        """
        if not self.file.exists():
            raise SecretNotFound(f"there is no encrypted store {self.file}")
        with self._changing() as content:
            if name not in content:
                raise SecretNotFound(
                    f"{self.file} has no secret {name!r}", hint=f"it has: {', '.join(sorted(content)) or 'none'}"
                )
            data = content[name]["data"]
            for key in keys:
                if key not in data:
                    raise SecretNotFound(
                        f"secret {name!r} has no key {key!r}", hint=f"it has: {', '.join(sorted(data))}"
                    )
                del data[key]
            if not keys or not data:
                del content[name]

    def rotate(self) -> Key:
        """Encrypt the file with a new key and return that.

        At every moment the key of the file that is there is kept: the new one is saved before the file changes, the
        old one is forgotten afterwards.

        Raises:
            SecretNotFound: There is no file.
            SecretBackendError: The present key cannot be had, or the new one is not given.
        """
        if not self.file.exists():
            raise SecretNotFound(f"there is no encrypted store {self.file}")
        with self._locked():
            old = key_id(self._text(), str(self.file))
            content = self._read()
            key = self._keys.replace()
            self._write(content, key)
            self._keys.forget(old)
        return key

    def _stored(self, name: str, entry: Mapping[str, Any]) -> StoredSecret:
        values = {key: SecretStr(value) for key, value in entry["data"].items()}
        return StoredSecret(name, values, str(self.file), entry["acl"] or acl_of_name(name))

    def _text(self) -> str:
        try:
            return self.file.read_text("ascii")
        except OSError as error:
            raise SecretBackendError(
                f"{self.file} cannot be read: {error.strerror}", hint="it must be a file that you may read"
            ) from None
        except UnicodeDecodeError:
            raise SecretBackendError(f"{self.file} is not an encrypted secret store") from None

    def _read(self) -> dict[str, Any]:
        text = self._text()
        key = self._keys.load(key_id(text, str(self.file)), str(self.file))
        content: dict[str, Any] = decrypt(text, key, str(self.file))["secrets"]
        return content

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Give the content to change; it is written when the block ends without an error."""
        with self._locked():
            if self.file.exists():
                content = self._read()
                key = self._keys.load(key_id(self._text(), str(self.file)), str(self.file))
            else:
                content, key = {}, None
            yield content
            self._write(content, key or self._keys.create())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.file.with_name(f"{self.file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SecretBackendError(
                f"{self.file} cannot be written: {error.strerror}", hint="its folder must be writable"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, content: Mapping[str, Any], key: Key) -> None:
        """Replace the file: a new one beside it, closed to others and flushed to the disk, takes its name."""
        text = encrypt({"secrets": content}, key)
        try:
            handle, partial = tempfile.mkstemp(prefix=f".{self.file.name}.", dir=self.file.parent)
            try:
                with os.fdopen(handle, "w", encoding="ascii") as output:
                    output.write(text)
                    output.flush()
                    os.fsync(output.fileno())
                Path(partial).replace(self.file)
            except OSError:
                Path(partial).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise SecretBackendError(
                f"{self.file} cannot be written: {error.strerror}; it is as it was before",
                hint="make room, or make its folder writable",
            ) from None
