"""The files of a table's folder that may be orphans: what is old enough, and is no other table's.

The folder is listed here and not by Iceberg, for three reasons: a table may lie inside another one's folder, and its
files would be orphans of the outer one; Iceberg takes no age of less than a day; and Sail writes the log of older
metadata files with paths that Iceberg does not recognise.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dataos_dagster.depots.storage import S3_SCHEMES, Place
from dataos_dagster.errors import DepotUnsupported, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.maintenance import MaintenanceRequest

_METADATA_FILE = re.compile(r"(?P<folder>.*)/metadata/[^/]*\.metadata\.json[^/]*")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file below a table's folder, under the name that Iceberg has for it; `size` is in bytes."""

    url: str
    size: int


def candidates(
    table: Table, state: TableState, request: MaintenanceRequest, folder: str | None, older_than: datetime
) -> tuple[ListedFile, ...] | None:
    """Return the files that are old enough; None where only the engine can list them.

    Args:
        table: The table.
        state: Its state.
        request: What was asked for, for errors.
        folder: Folder inside the table's, as a path below it or as a URL; None is the whole table.
        older_than: Files that were changed later are left out.

    Raises:
        DepotUnsupported: The folder is not the table's, or another table lies in it.
        WriteFailed: The table was moved or copied: its metadata speaks of files elsewhere.
    """
    whole, location = _place(table, state), str(state.raw["location"]).rstrip("/")
    if whole is None:
        return None
    if table.warehouse.rest is None and whole.path not in {urlsplit(location).path, unquote(urlsplit(location).path)}:
        raise WriteFailed(
            f"{request.target} was moved or copied: it is in {whole}, and its metadata says {location}",
            hint="its files cannot be told from orphans; write its rows into a new table",
            location=request.location,
        )
    place = _inside(whole, folder, request) if folder else whole
    log = {posixpath.basename(entry["metadata-file"]) for entry in state.raw.get("metadata-log") or ()}
    files = place.all_files()
    _refuse_other_tables((info.path for info in files), whole, request)
    return tuple(
        # Below the location as the table has it, and not as a URL: Iceberg takes the text for the path as it is,
        # `%` in the name of a partition too, and leaves out what begins otherwise.
        ListedFile(f"{location}{info.path.removeprefix(whole.path)}", info.size)
        for info in files
        if info.mtime < older_than and posixpath.basename(info.path) not in log
    )


def check_unknown(table: Table, known: tuple[str, ...]) -> None:
    """Check that no file is about to be removed whose name a snapshot knows.

    Names of files are unique, so such a file is one and the same under two spellings of its path.

    Raises:
        WriteFailed: There is one.
    """
    if known:
        raise WriteFailed(
            f"{table.target}: no orphans were removed, because the table knows {len(known)} of them by another "
            f"path, such as {known[0]}",
            hint="some writer spells the paths of its files otherwise; remove the orphans by hand",
        )


def _place(table: Table, state: TableState) -> Place | None:
    """Return the table's folder, where it can be listed with the depot's own credentials."""
    if table.warehouse.rest is None:
        return table.place
    location = str(state.raw["location"])
    scheme = urlsplit(location).scheme
    if scheme in {"", "file"}:
        return Place(posixpath.normpath(urlsplit(location).path))
    if scheme in S3_SCHEMES and table.warehouse.s3 is not None:
        url = urlsplit(location)
        return Place(posixpath.normpath(f"{url.netloc}{url.path}"), table.warehouse.s3)
    return None


def _inside(whole: Place, folder: str, request: MaintenanceRequest) -> Place:
    """Return a folder of the table, which a manifest names by a URL, by its whole path, or from the table's folder."""
    url = urlsplit(folder)
    path = f"{url.netloc}{url.path}" if url.scheme in S3_SCHEMES else url.path
    path = posixpath.normpath(path if url.scheme or path.startswith("/") else posixpath.join(whole.path, path))
    if path != whole.path and not path.startswith(f"{whole.path}/"):
        raise DepotUnsupported(
            f"{folder!r} is not in the folder of {request.target}, which is {whole}: what is there may be another's",
            hint="leave `location` out, or name a folder of the table, such as `data`",
            location=request.location,
        )
    return Place(path, whole.s3)


def _refuse_other_tables(paths: Iterable[str], whole: Place, request: MaintenanceRequest) -> None:
    for path in paths:
        found = _METADATA_FILE.fullmatch(path)
        if found is not None and found["folder"] != whole.path:
            raise DepotUnsupported(
                f"another table lies in the folder of {request.target}: {found['folder']}",
                hint="its files would be taken for orphans; name a folder that is only this table's: `location: data`",
                location=request.location,
            )
