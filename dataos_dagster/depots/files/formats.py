"""File formats: by the word in a manifest, and by the extension of a file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dataos_dagster.errors import DatasetNotFound, DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.storage import Place
    from dataos_dagster.errors import Location

# Extension, or word of a manifest, to the format. Compressed files carry the codec's extension behind it.
FILE_FORMATS: Mapping[str, str] = {
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
    "parquet": "parquet",
    "txt": "text",
    "text": "text",
    "orc": "orc",
    "avro": "avro",
    "xml": "xml",
    **dict.fromkeys(("xlsx", "xlsm", "xlsb", "xls"), "xlsx"),
}
_CODECS = frozenset({".gz", ".bz2", ".snappy", ".zst", ".zstd", ".lz4", ".deflate"})
_PLANNED: Mapping[str, str] = {"hudi": "Hudi tables"}


def format_of(asked: str | None, depot: str | None, place: Place, *, location: Location | None = None) -> str:
    """Return the format of a dataset: as asked for, else the depot's, else by the extension of its files.

    Args:
        asked: Word of the manifest's input or output, any case.
        depot: Format of the depot, in lower case.
        place: The file or folder.
        location: The place in a manifest that asks for it.

    Raises:
        DepotUnsupported: The format is not read yet, or cannot be told.
    """
    if named := format_of_name(asked, depot, place, location=location):
        return named
    for info in place.data_files():
        if guessed := by_extension(info.path):
            return guessed
    if place.kind() == "missing":
        raise DatasetNotFound(f"{place} does not exist", location=location)
    raise DepotUnsupported(
        f"{place}: nothing says which format it has",
        hint=f"write `format:`, one of {', '.join(sorted(set(FILE_FORMATS.values())))}, iceberg",
        location=location,
    )


def format_of_name(asked: str | None, depot: str | None, place: Place, *, location: Location | None) -> str | None:
    """Return the format of a dataset as far as it is told without a look at it, or None.

    Raises:
        DepotUnsupported: The format is not read yet.
    """
    for word in (asked, depot):
        found = (word or "").lower()
        if found in FILE_FORMATS:
            return FILE_FORMATS[found]
        if found in _PLANNED:
            raise DepotUnsupported(
                f"{place}: {_PLANNED[found]} are not read or written yet",
                hint=f"formats: {', '.join(sorted(set(FILE_FORMATS.values())))}, iceberg",
                location=location,
            )
    return by_extension(place.name)


def by_extension(name: str) -> str | None:
    """Return the format that the extension of a file speaks of, or None."""
    path = PurePosixPath(name)
    if path.suffix.lower() in _CODECS:
        path = path.with_suffix("")
    return FILE_FORMATS.get(path.suffix.lstrip(".").lower())
