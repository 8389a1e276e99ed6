"""Maintain a table: alone on it, after writers that died have been settled, and say what it came to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataos_dagster.depots.contents import counted
from dataos_dagster.depots.lakehouse.configuration import requirements as warehouse_requirements
from dataos_dagster.depots.lakehouse.expiry import expiry_of
from dataos_dagster.depots.lakehouse.failures import table_failures
from dataos_dagster.depots.lakehouse.locking import table_lock
from dataos_dagster.depots.lakehouse.orphans import candidates, check_unknown
from dataos_dagster.depots.lakehouse.procedures import Procedures
from dataos_dagster.depots.lakehouse.statements import Statements
from dataos_dagster.depots.lakehouse.types import columns_of_schema
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.maintenance import (
    MOST_NAMED,
    DeleteRows,
    ExpireSnapshots,
    MaintenanceResult,
    RemoveOrphans,
    RewriteData,
    RewriteManifests,
    size_in_words,
)
from dataos_dagster.depots.requests import WriteRequest
from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.errors import DatasetNotFound, DepotUnsupported, WriteFailed

if TYPE_CHECKING:
    from dataos_dagster.depots.lakehouse.expiry import Expiry
    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.orphans import ListedFile
    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.maintenance import MaintenanceRequest
    from dataos_dagster.depots.requests import Requirements
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal

_SPARK_HINT = "run the job on Spark: --engine spark, or engines.jobs in dataos.yaml"


@dataclass(frozen=True, slots=True)
class TableUpkeep:
    """One piece of work on one table."""

    store: LakehouseStore
    table: Table
    request: MaintenanceRequest
    session: EngineSession
    principal: Principal

    def result(self) -> MaintenanceResult:
        """Do the work.

        Raises:
            DatasetNotFound: There is no such table.
            DatasetLocked: Another writer holds the table, or has committed to it meanwhile.
            DepotUnsupported: The engine cannot do it, or it would touch what is not the table's.
            WriteFailed: The engine failed; the rows of the table are as before.
        """
        if self.session.engine == "sail" and not isinstance(self.request.work, DeleteRows):
            raise DepotUnsupported(
                f"{self.request.target}: Sail has no procedures of Iceberg",
                hint=_SPARK_HINT,
                location=self.request.location,
            )
        holder = Holder.this_process(
            self.principal.name, self.session.process, self.request.operation, elsewhere=self.session.elsewhere
        )
        with (
            table_lock(self.store, self.table, self.request, holder, self.session.stop_work),
            table_failures(self.session, self.request),
        ):
            before = self._state()
            match self.request.work:
                case RewriteData() as work:
                    return self._rewritten(work, before)
                case RewriteManifests() as work:
                    return self._manifests_rewritten(work, before)
                case ExpireSnapshots() as work:
                    return self._expired(work, before)
                case RemoveOrphans() as work:
                    return self._orphans_removed(work, before)
                case DeleteRows() as work:
                    return self._deleted(work, before)

    def _rewritten(self, work: RewriteData, before: TableState) -> MaintenanceResult:
        if work.sorts and work.sort_order is None and not before.is_sorted:
            raise WriteFailed(
                f"{self.request.target}: nothing says how to sort it",
                hint="write `sortOrder: id ASC NULLS LAST`, or `zorder(a, b)`: the table has no order of its own",
                location=self.request.location,
            )
        counts = dict(self._procedures.rewrite_data(work))
        after = self._state()
        counts |= _sizes(before, "before") | _sizes(after, "after")
        failed = counts.pop("data_files_failed")
        notes = (f"{counted(failed, 'data file')} could not be rewritten and stay as they are",) if failed else ()
        told = f"{counted(counts['data_files_rewritten'], 'data file')} became {counts['data_files_added']}"
        size = size_in_words(counts["bytes_rewritten"])
        summary = f"{told} ({size})" if counts["data_files_rewritten"] else "no data file needs to be rewritten"
        return replace(self._about(before, after, summary), counts=counts, notes=notes)

    def _manifests_rewritten(self, work: RewriteManifests, before: TableState) -> MaintenanceResult:
        counts = self._procedures.rewrite_manifests(work)
        told = f"{counted(counts['manifests_rewritten'], 'manifest')} became {counts['manifests_added']}"
        summary = told if counts["manifests_rewritten"] else "no manifest needs to be rewritten"
        return replace(self._about(before, self._state(), summary), counts=counts)

    def _expired(self, work: ExpireSnapshots, before: TableState) -> MaintenanceResult:
        expiry = expiry_of(before, work, datetime.now(UTC))
        if expiry.in_use:
            snapshot, names = expiry.in_use[0]
            raise WriteFailed(
                f"{self.request.target}: snapshot {snapshot} is the present state of {names}, and stays",
                hint="leave it out of `snapshotIds`; for a branch or tag, drop that first",
                location=self.request.location,
            )
        deleted = dict(self._procedures.expire(work, expiry.ids)) if expiry.ids or expiry.refs else {}
        left = len(self._state().raw.get("snapshots") or ())
        counts = {"snapshots_removed": expiry.total - left, "snapshots_left": left} | deleted
        files = sum(deleted.values())
        summary = f"{counts['snapshots_removed']} of {counted(expiry.total, 'snapshot')} expired"
        return MaintenanceResult(
            f"{summary}, {counted(files, 'file')} deleted" if files else summary, counts, notes=_remarks(expiry)
        )

    def _orphans_removed(self, work: RemoveOrphans, before: TableState) -> MaintenanceResult:
        listed = candidates(self.table, before, self.request, work.folder, work.older_than)
        procedures = self._procedures
        found = procedures.orphans(work, listed, remove=False) if listed is None or listed else ()
        check_unknown(self.table, procedures.known_by_name(found) if found else ())
        counts, size = {"orphan_files": len(found)}, ""
        if listed is not None:
            sizes = {file.url: file.size for file in listed}
            counts["orphan_bytes"] = sum(sizes[url] for url in found)
            size = f" ({size_in_words(counts['orphan_bytes'])})" if found else ""
        notes = [f"{MOST_NAMED:,} of {len(found):,} orphans are named"] if len(found) > MOST_NAMED else []
        what = f"{counted(len(found), 'orphan')}{size}"
        if work.dry_run:
            summary = f"{what} found, none removed: a dry run"
        else:
            summary = f"{what} removed"
            left = self._remove(work, before, listed, frozenset(found)) if found else ()
            if left:
                notes.append(f"{counted(len(left), 'orphan')} could not be removed, such as {left[0]}")
        return MaintenanceResult(summary, counts, files=found[:MOST_NAMED], notes=tuple(notes))

    def _remove(
        self, work: RemoveOrphans, state: TableState, listed: tuple[ListedFile, ...] | None, orphans: frozenset[str]
    ) -> tuple[str, ...]:
        """Remove orphans, and return those that are still there: Iceberg only logs what it could not remove."""
        chosen = None if listed is None else [file for file in listed if file.url in orphans]
        self._procedures.orphans(work, chosen, remove=True)
        now = candidates(self.table, state, self.request, work.folder, work.older_than) or ()
        return tuple(file.url for file in now if file.url in orphans)

    def _deleted(self, work: DeleteRows, before: TableState) -> MaintenanceResult:
        branch = self.request.branch
        if branch is not None and branch not in before.branches:
            raise DatasetNotFound(
                f"{self.request.target} has no branch {branch!r}",
                hint=f"there are: {', '.join(before.branches)}",
                location=self.request.location,
            )
        write = WriteRequest(self.request.target, "append", branch=branch, location=self.request.location)
        statements = Statements(self.table, write, self.session)
        if branch:
            statements.spark_only("cannot write to a branch")
        statements.delete(work.where)
        after = self._state()
        old, new = (state.snapshot(branch) for state in (before, after))
        rows = (old.total_rows if old else 0, new.total_rows if new else 0)
        gone = None if rows[0] is None or rows[1] is None else rows[0] - rows[1]
        summary = "rows deleted" if gone is None else f"{counted(gone, 'row')} deleted"
        counts = {} if gone is None else {"rows_deleted": gone}
        return replace(
            self._about(before, after, summary),
            counts=counts,
            schema=columns_of_schema(after.schema),
            rows_deleted=gone,
            total_rows=rows[1],
        )

    def _about(self, before: TableState, after: TableState, summary: str) -> MaintenanceResult:
        """Return a result with the snapshot that the work made, if it made one."""
        old, new = (state.snapshot(self.request.branch) for state in (before, after))
        made = new is not None and (old is None or old.id != new.id)
        return MaintenanceResult(summary, snapshot_id=str(new.id) if new is not None and made else None)

    @property
    def _procedures(self) -> Procedures:
        return Procedures(self.table, self.session)

    def _state(self) -> TableState:
        state = self.store.state(self.table)
        if state is None:
            raise DatasetNotFound(
                f"there is no table {self.table.dotted} in depot {self.table.warehouse.name!r}",
                hint="only a table that is there can be maintained",
                location=self.request.location,
            )
        return state


def upkeep_requirements(store: LakehouseStore, table: Table, request: MaintenanceRequest) -> Requirements:
    """Return what a session needs to maintain a table, and why Sail cannot, where it cannot."""
    reasons = []
    if not isinstance(request.work, DeleteRows):
        reasons.append(f"Sail has no procedures of Iceberg, which maintain {request.target}")
    elif request.branch:
        reasons.append(f"Sail cannot write to a branch ({request.branch} of {request.target})")
    else:
        state = None if store.offline else store.state(table)
        if state is not None and state.has_deletes:
            reasons.append(f"Sail deletes by rewriting files, and {request.target} has or wants delete files")
    return join([warehouse_requirements(store.warehouse), veto("sail", *reasons)])


def prospect(state: TableState | None, request: MaintenanceRequest) -> tuple[str, ...]:
    """Return what the work would do to a table as it is now, as far as its metadata tells."""
    if state is None:
        return (f"there is no table {request.target} yet",)
    if isinstance(request.work, ExpireSnapshots):
        expiry = expiry_of(state, request.work, datetime.now(UTC))
        goes = f"{len(expiry.ids)} of {counted(expiry.total, 'snapshot')} would expire"
        return (
            goes,
            *(f"snapshot {each} is the present state of {names}" for each, names in expiry.in_use),
            *_remarks(expiry),
        )
    if isinstance(request.work, RewriteData):
        sizes = _sizes(state, "before")
        told = [counted(sizes["data_files_before"], "data file")] if "data_files_before" in sizes else []
        told += [size_in_words(sizes["bytes_before"])] if "bytes_before" in sizes else []
        return (f"the table has {', '.join(told)}",) if told else ()
    return ()


def _sizes(state: TableState, when: str) -> dict[str, int]:
    """Return files and bytes of the present state, where the snapshot's summary has them: Sail counts no bytes."""
    snapshot = state.snapshot()
    found = {
        f"data_files_{when}": snapshot.count("total-data-files") if snapshot else 0,
        f"bytes_{when}": snapshot.count("total-files-size") if snapshot else 0,
    }
    return {name: count for name, count in found.items() if count is not None}


def _remarks(expiry: Expiry) -> tuple[str, ...]:
    found = []
    if expiry.refs:
        found.append(f"older than they may become, and gone: {', '.join(expiry.refs)}")
    if expiry.unknown:
        found.append(f"there is no snapshot {', '.join(map(str, expiry.unknown))}")
    if expiry.for_streams:
        kept = counted(len(expiry.for_streams), "snapshot")
        found.append(f"{kept} stay for a day, because a stream may look for its last batch in them")
    return tuple(found)
