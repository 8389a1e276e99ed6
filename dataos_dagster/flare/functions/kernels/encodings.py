"""Base32, Base64 and hexadecimal digits (RFC 4648) of texts in UTF-8."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import pyarrow as pa

from dataos_dagster.flare.functions.kernels.distinct import over_distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "base32": base64.b32encode,
    "base64": base64.b64encode,
    "hex": base64.b16encode,
}


def encode(column: pa.Array, algorithm: str) -> pa.Array:
    """Return each text or binary value encoded, without line breaks; digits of hex are capital, as Spark's are."""
    encoder = _ENCODERS[algorithm]

    def encoded(value: str | bytes) -> str:
        return encoder(value.encode() if isinstance(value, str) else value).decode("ascii")

    return over_distinct(column, encoded, pa.string())


def decode(column: pa.Array, algorithm: str) -> pa.Array:
    """Return the text that each value encodes; null for what is no encoding.

    Missing padding is added and line breaks are left out, since both are common; bytes that are no UTF-8 become U+FFFD.
    """
    decoder = _DECODERS[algorithm]

    def decoded(text: str) -> str | None:
        try:
            return decoder("".join(text.split())).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None

    return over_distinct(column, decoded, pa.string())


def _padded(text: str, group: int) -> str:
    stripped = text.rstrip("=")
    return stripped + "=" * (-len(stripped) % group)


def _from_base32(text: str) -> bytes:
    return base64.b32decode(_padded(text, 8), casefold=True)


def _from_base64(text: str) -> bytes:
    return base64.b64decode(_padded(text, 4), validate=True)


def _from_hex(text: str) -> bytes:
    # A half byte stands alone in front, as Spark's `unhex` reads an odd number of digits.
    return binascii.unhexlify(text if len(text) % 2 == 0 else f"0{text}")


_DECODERS: Mapping[str, Callable[[str], bytes]] = {"base32": _from_base32, "base64": _from_base64, "hex": _from_hex}
