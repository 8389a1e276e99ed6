"""Properties that a table is to have: those that a request names, and those that its codec and its order mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataos_dagster.depots.requests import WriteRequest

_METADATA_CODEC = "write.metadata.compression-codec"
# Iceberg, TableMetadataParser.Codec. Any other name fails every commit, on either engine.
_METADATA_CODECS = frozenset({"none", "gzip"})


def wanted_properties(request: WriteRequest) -> dict[str, str]:
    """Return the properties that a table must have for a write."""
    found = dict(request.properties)
    if _foreign_codec(request):
        del found[_METADATA_CODEC]
    if request.compression:
        kind = found.get("write.format.default", "parquet").lower()
        found.setdefault(f"write.{kind}.compression-codec", request.compression.lower())
    if request.sort is not None:
        # Spark would sort by partition again, and lose the order that was asked for.
        found.setdefault("write.distribution-mode", "none")
        found.setdefault("write.spark.fanout.enabled", "true")
    return found


def notes_on_properties(request: WriteRequest) -> tuple[str, ...]:
    """Return which properties are left out, and why, each a sentence."""
    codec = _foreign_codec(request)
    if not codec:
        return ()
    told = (
        f"{request.target}: {_METADATA_CODEC} is left out: Iceberg packs metadata by gzip or not at all, not by {codec}"
    )
    return (told,)


def _foreign_codec(request: WriteRequest) -> str | None:
    codec = request.properties.get(_METADATA_CODEC, "none")
    return None if codec.lower() in _METADATA_CODECS else codec
