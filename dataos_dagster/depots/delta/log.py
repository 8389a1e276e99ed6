"""The log of a Delta table: which versions it has, and what its commits say of themselves.

Layout and words: Delta Transaction Log Protocol, Delta Log Entries and Commit Provenance Information. Only commits are
read here; which files make up a version, and its columns, is the engines' to know.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.depots.storage import Place

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint.*\.parquet")


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit says.

    Attributes:
        version: Its number.
        rows: Rows of the data files that it added, as their statistics tell; None where one tells nothing.
        bytes: Size of these files.
        files: Their number.
        mark: Text that its writer gave it.
    """

    version: int
    rows: int | None
    bytes: int
    files: int
    mark: str | None


def is_table(place: Place) -> bool:
    """Return whether a folder is a Delta table."""
    return place.join(LOG).kind() == "folder"


def latest_version(place: Place) -> int | None:
    """Return the number of the last commit of a table; None when there is no table."""
    numbers = [
        int(found[1])
        for entry in place.join(LOG).entries()
        if (found := _COMMIT.fullmatch(entry.base_name) or _CHECKPOINT.fullmatch(entry.base_name))
    ]
    return max(numbers, default=None)


def moment(timestamp: str) -> datetime | None:
    """Return the time that is written in ISO 8601, in UTC where it names no zone; None of other spellings."""
    try:
        asked = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        return None
    return asked if asked.tzinfo else asked.replace(tzinfo=UTC)


def is_present(place: Place, timestamp: str) -> bool:
    """Return whether a table was at a time as it is now: Spark refuses to read a time behind the last commit.

    Args:
        place: The table.
        timestamp: As `moment` reads it; of others the engines decide.
    """
    asked = moment(timestamp)
    written = [entry.mtime for entry in place.join(LOG).entries() if _COMMIT.fullmatch(entry.base_name)]
    return asked is not None and bool(written) and asked >= max(written)


def read_commit(place: Place, version: int) -> Commit:
    """Return what a commit says.

    Raises:
        DatasetNotFound: Its entry was cleaned up.
        DepotError: The entry is no JSON.
    """
    actions = list(_actions(place, version))
    added = [action["add"] for action in actions if "add" in action]
    counts = [_rows(add) for add in added]
    return Commit(
        version,
        rows=None if None in counts else sum(count for count in counts if count is not None),
        bytes=sum(int(add.get("size", 0)) for add in added),
        files=len(added),
        mark=_mark(actions),
    )


def versions_in(place: Place) -> range:
    """Return the numbers of the commits that are in a log, without a gap before the last; older ones are cleaned up."""
    found = {int(name[1]) for entry in place.join(LOG).entries() if (name := _COMMIT.fullmatch(entry.base_name))}
    last = first = max(found, default=-1)
    while first - 1 in found:
        first -= 1
    return range(max(first, 0), last + 1)


def mark_of(place: Place, version: int) -> str | None:
    """Return the text that the writer of a commit gave it.

    Raises:
        DatasetNotFound: Its entry was cleaned up.
        DepotError: The entry is no JSON.
    """
    return _mark(_actions(place, version))


def _mark(actions: Iterable[Mapping[str, Any]]) -> str | None:
    said = (action["commitInfo"] for action in actions if "commitInfo" in action)
    mark: str | None = next(said, {"userMetadata": None}).get("userMetadata")
    return mark


def _actions(place: Place, version: int) -> Iterator[Mapping[str, Any]]:
    entry = place.join(LOG, f"{version:020}.json")
    for line in entry.read().decode().splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                raise DepotError(f"{entry} is no entry of a Delta log", hint="restore it from a copy") from None


def _rows(add: Mapping[str, Any]) -> int | None:
    try:
        return int(json.loads(add["stats"])["numRecords"])
    except (KeyError, TypeError, ValueError):
        return None
