"""The encrypted file: AES-256-GCM around a JSON text, with a header that says which version and which key.

::

    DATAOS-SECRETS 1                      format and its version
    key 4f0c1a2b9d8e7f60                  which key: the first 16 hex digits of its SHA-256
    <base64 of nonce (12 bytes) and ciphertext with its tag>

The header is authenticated with the content: a file whose header was changed does not decrypt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dataos_dagster.errors import SecretBackendError

MAGIC = "DATAOS-SECRETS"
VERSION = 1
KEY_BYTES = 32
_NONCE_BYTES = 12
_LINES = 3


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """An encryption key; it shows itself by its id only."""

    octets: bytes

    @property
    def id(self) -> str:
        """Return the id that stands in the header: it tells keys apart and gives nothing away."""
        return hashlib.sha256(self.octets).hexdigest()[:16]

    @property
    def text(self) -> str:
        """Return the key as it is kept: URL-safe base64 of its 32 bytes."""
        return base64.urlsafe_b64encode(self.octets).decode("ascii")

    def __repr__(self) -> str:
        return f"Key({self.id})"

    @classmethod
    def generate(cls) -> Key:
        """Return a new key from the operating system's source of randomness."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def parse(cls, text: str, source: str) -> Key:
        """Return the key that a text holds.

        Raises:
            SecretBackendError: It is not the base64 of 32 bytes; names the source and not the text.
        """
        try:
            octets = base64.urlsafe_b64decode(text.strip().encode("ascii"))
        except (binascii.Error, UnicodeEncodeError):
            octets = b""
        if len(octets) != KEY_BYTES:
            raise SecretBackendError(
                f"{source} is not a key: it must be the URL-safe base64 of {KEY_BYTES} bytes",
                hint="make one with: openssl rand -base64 32 | tr '+/' '-_'",
            )
        return cls(octets)


def key_id(text: str, file: str) -> str:
    """Return the id of the key that an encrypted text needs.

    Raises:
        SecretBackendError: The text is not of this format, or of a newer version.
    """
    lines = text.splitlines()
    magic, _, version = lines[0].partition(" ") if lines else ("", "", "")
    if magic != MAGIC or len(lines) < _LINES or not lines[1].startswith("key "):
        raise SecretBackendError(f"{file} is not an encrypted secret store", hint="move it away; a new one is made")
    if version != str(VERSION):
        raise SecretBackendError(
            f"{file} has version {version} of the format, and this version of dataos-dagster reads {VERSION}",
            hint="upgrade dataos-dagster",
        )
    return lines[1].removeprefix("key ")


def encrypt(content: Any, key: Key) -> str:
    """Return the encrypted text of a JSON value."""
    header = _header(key)
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key.octets).encrypt(nonce, json.dumps(content).encode("utf-8"), header.encode("ascii"))
    return f"{header}{base64.b64encode(nonce + sealed).decode('ascii')}\n"


def decrypt(text: str, key: Key, file: str) -> Any:
    """Return the JSON value of an encrypted text.

    Raises:
        SecretBackendError: The key is another one, or the text was damaged or changed.
    """
    needed = key_id(text, file)
    if needed != key.id:
        raise SecretBackendError(
            f"{file} is encrypted with key {needed}, and the key that was found is {key.id}",
            hint="give the key that wrote it",
        )
    damaged = SecretBackendError(f"{file} was damaged or changed: it does not decrypt", hint="restore it from a copy")
    try:
        sealed = base64.b64decode(text.splitlines()[2], validate=True)
        plain = AESGCM(key.octets).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _header(key).encode("ascii"))
    except (binascii.Error, InvalidTag, ValueError):
        raise damaged from None
    return json.loads(plain)


def _header(key: Key) -> str:
    return f"{MAGIC} {VERSION}\nkey {key.id}\n"
