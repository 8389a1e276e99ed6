"""Functions that encode, decode and digest values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dataos_dagster.flare.functions.computing import ComputingInPlace, ComputingOne
from dataos_dagster.flare.functions.vectorised import vectorised
from dataos_dagster.manifests.model import AnyCase, folded

if TYPE_CHECKING:
    from pyspark.sql import Column

    from dataos_dagster.flare.functions.rows import Rows


Algorithm = Annotated[
    Literal["base32", "base64", "hex"],
    BeforeValidator(folded),
    Field(description="base32, base64 or hex."),
]


class Encode(ComputingOne):
    """Encode the text of a column (RFC 4648)."""

    name: ClassVar[str] = "encode"

    algo: Algorithm

    def value(self, rows: Rows) -> Column:
        """Return the encoded values; binary ones are encoded as they are."""
        from dataos_dagster.flare.functions.kernels.encodings import encode

        is_binary = rows.type_of(self.column) == "binary"
        source = rows.expression(rows.sql(self.column)) if is_binary else rows.text(self.column)
        return vectorised(encode, "string", source, self.algo)


class Decode(ComputingOne):
    """Decode the text of a column (RFC 4648); what is no encoding becomes null."""

    name: ClassVar[str] = "decode"

    algo: Algorithm

    def value(self, rows: Rows) -> Column:
        """Return the decoded texts."""
        from dataos_dagster.flare.functions.kernels.encodings import decode

        return vectorised(decode, "string", rows.text(self.column), self.algo)


class Hash(ComputingInPlace):
    """Replace the values of a column by their digests, as hexadecimal digits in lower case."""

    name: ClassVar[str] = "hash"

    algo: Annotated[
        Annotated[
            Literal["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"],
            AnyCase({f"sha{size}": f"SHA-{size}" for size in (1, 256, 384, 512)}),
        ],
        Field(description="MD5, SHA-1, SHA-256, SHA-384 or SHA-512."),
    ]

    def value(self, rows: Rows) -> Column:
        """Return the digests."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        is_binary = rows.type_of(self.column) == "binary"
        source = rows.expression(rows.sql(self.column)) if is_binary else rows.text(self.column)
        if self.algo == "MD5":
            return F.md5(source)
        size = int(self.algo.removeprefix("SHA-"))
        return F.sha1(source) if size == 1 else F.sha2(source, size)
