"""Maintenance of a dataset: what can be asked of the door, and what it answers.

None of it changes what a reader of the present state sees, but for the deletion of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dataos_dagster.depots.requests import Column, Requirements, Target
    from dataos_dagster.depots.settlement import Settlement
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.identity import Principal

# So many files are named in a result; all of them are counted.
MOST_NAMED = 1000
_KILO = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class RewriteData:
    """Put data files together, in an order or as they come.

    Attributes:
        sorts: Sort the rows; otherwise small files are only joined.
        sort_order: `id DESC NULLS LAST` or `zorder(a, b)`; None takes the table's own order.
        where: Only files that may hold rows for which this condition holds.
        properties: Options of Iceberg's `rewrite_data_files`.
    """

    sorts: bool = False
    sort_order: str | None = None
    where: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RewriteManifests:
    """Write the lists of data files anew, clustered by partition.

    Attributes:
        spec_id: Only those of this partition spec; None takes the present one.
    """

    use_caching: bool = True
    spec_id: int | None = None


@dataclass(frozen=True, slots=True)
class ExpireSnapshots:
    """Remove old snapshots, and the files that no other snapshot has.

    Attributes:
        older_than: Snapshots before this moment go; None with `snapshot_ids`: none but these, without: those that are
            older than the table's `history.expire.max-snapshot-age-ms`.
        retain_last: So many of a branch's newest stay; None takes the table's `history.expire.min-snapshots-to-keep`.
        delete_at_once: Files that are deleted at a time; None is one after another.
        streams_results: The engine's driver gets the list of files in parts.
    """

    older_than: datetime | None = None
    snapshot_ids: tuple[int, ...] = ()
    retain_last: int | None = None
    delete_at_once: int | None = None
    streams_results: bool = False


@dataclass(frozen=True, slots=True)
class RemoveOrphans:
    """Remove files in a table's folder that none of its snapshots knows.

    Attributes:
        older_than: Only files that were last changed before this moment: younger ones may belong to a write at work.
        folder: Folder inside the table's; None is the whole table.
        dry_run: Find them, and remove none.
        delete_at_once: Files that are deleted at a time; None is one after another.
    """

    older_than: datetime
    folder: str | None = None
    dry_run: bool = False
    delete_at_once: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteRows:
    """Delete the rows for which a condition holds.

    Attributes:
        where: SQL in which the table is called `target`; it may read views of the session.
    """

    where: str


Work = RewriteData | RewriteManifests | ExpireSnapshots | RemoveOrphans | DeleteRows


@dataclass(frozen=True, slots=True)
class MaintenanceRequest:
    """Maintain one dataset.

    Attributes:
        work: What is done.
        format: Of the dataset: only tables are maintained.
        branch: Branch whose rows are deleted; None is the main one. All other work is about all branches.
        operation: Identifies the work in the lock that is held meanwhile, such as the run's id.
        mark: As of a write; maintenance has none, because doing it again does no harm.
        settlement: The account of the dataset's writes: what others have begun is settled before, so that no snapshot
            goes by which a write is recognised.
    """

    target: Target
    work: Work
    format: str = "iceberg"
    branch: str | None = None
    operation: str | None = None
    location: Location | None = None
    mark: str | None = None
    settlement: Settlement | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MaintenanceResult:
    """What was done.

    Attributes:
        summary: In words, such as `12 data files became 1`.
        counts: What was counted, by name; sizes are in bytes.
        snapshot_id: Snapshot that the work made; None when it made none.
        files: Names of files that are the point of the work, the first `MOST_NAMED` of them.
        schema: Columns of the dataset; only where rows were changed.
        rows_deleted: Rows that are gone; None when nobody counted them, or none could go.
        total_rows: Rows that the dataset (of the branch) has now, where that is known.
        notes: What was done otherwise than asked, each a sentence.
    """

    summary: str
    counts: Mapping[str, int] = field(default_factory=dict)
    snapshot_id: str | None = None
    files: tuple[str, ...] = ()
    schema: tuple[Column, ...] = ()
    rows_deleted: int | None = None
    total_rows: int | None = None
    notes: tuple[str, ...] = ()


@runtime_checkable
class MaintainedStore(Protocol):
    """A store whose datasets can be maintained."""

    def maintenance_requirements(self, request: MaintenanceRequest) -> Requirements:
        """Return what a session needs for the work, and which engines cannot do it."""

    def maintain(self, request: MaintenanceRequest, session: EngineSession, principal: Principal) -> MaintenanceResult:
        """Do the work, alone on the dataset."""

    def prospect(self, request: MaintenanceRequest) -> tuple[str, ...]:
        """Return what the work would do as far as that is known without an engine, each a sentence."""


def size_in_words(count: int) -> str:
    """Return a number of bytes as people write it."""
    size, unit = float(count), 0
    while size >= _KILO and unit < len(_UNITS) - 1:
        size, unit = size / _KILO, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
