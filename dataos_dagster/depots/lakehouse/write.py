"""Commit a frame to an Iceberg table: fit it, bring the table's spec and properties about, write, and report."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import fit
from dataos_dagster.depots.lakehouse import metadata
from dataos_dagster.depots.lakehouse.creation import TableCreation, clear_abandoned
from dataos_dagster.depots.lakehouse.failures import table_failures
from dataos_dagster.depots.lakehouse.locking import table_lock
from dataos_dagster.depots.lakehouse.marks import evidence_of
from dataos_dagster.depots.lakehouse.partitioning import check_columns, wanted_spec
from dataos_dagster.depots.lakehouse.preparation import prepared
from dataos_dagster.depots.lakehouse.properties import wanted_properties
from dataos_dagster.depots.lakehouse.statements import Statements
from dataos_dagster.depots.lakehouse.types import columns_of_schema, spark_schema, without_views
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.requests import WriteResult
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal


@dataclass(frozen=True, slots=True)
class TableWriter:
    """One write of one frame."""

    store: LakehouseStore
    table: Table
    request: WriteRequest
    session: EngineSession
    principal: Principal

    def write(self, frame: DataFrame) -> WriteResult:
        """Commit the frame, holding the table's lock.

        Raises:
            SchemaMismatch: The frame does not fit the table.
            DatasetLocked: Another writer holds the table, or has committed to it meanwhile.
            WriteFailed: The engine or the disk failed; the table is as before.
        """
        with self.lock() as holder:
            with table_failures(self.session, self.request):
                before = self._present()
            statements = Statements(self.table, self.request, self.session)
            if self.request.branch:
                statements.spark_only("cannot write to a branch")
            notes: tuple[str, ...] = ()
            with table_failures(self.session, self.request), self._noted():
                if before is None:
                    rows, notes = self._creation(holder).create(frame, statements)
                else:
                    rows = self._add(frame, before, statements)
            after, left = self._state_after()
        result = self._result(before, after, rows)
        return replace(result, notes=(*notes, *left))

    def _present(self) -> TableState | None:
        """Return the state of the table, after what a writer that died has left to do; None when there is none."""
        state = self.store.state(self.table)
        if self.table.warehouse.rest is None:
            return self._settled(state)
        if state is None:
            clear_abandoned(self.table, self.store.settings, self.request)
            state = self.store.state(self.table)
        return state

    def _noted(self) -> AbstractContextManager[None]:
        """Keep account of a write that is to happen exactly once."""
        settlement, branch = self.request.settlement, self.request.branch
        if settlement is None:
            return nullcontext()
        # What is at `connect` may be Sail, which leaves no mark; in a folder the lock decides then.
        engine, in_catalog = self.session.engine, self.table.warehouse.rest is not None
        marked = engine == "spark" or (engine == "connect" and in_catalog)
        return settlement.write(
            lambda: evidence_of(self.store.state(self.table), branch),
            self.session,
            marked=marked,
            binding=not in_catalog,
        )

    def _creation(self, holder: Holder) -> TableCreation:
        properties = wanted_properties(self.request)
        return TableCreation(self.table, self.request, self.session, self.store.settings, holder, properties)

    def _add(self, frame: DataFrame, before: TableState, statements: Statements) -> int | None:
        columns = spark_schema(before.schema)
        spec = wanted_spec(self.request)
        check_columns(spec, columns.names, self.request)
        fits = self.request.merge is not None and "*" not in self.request.merge.when
        fitted = frame if fits else fit(frame, columns, self.request.target, location=self.request.location)
        with prepared(
            self.table,
            before,
            self.session,
            statements,
            properties=wanted_properties(self.request),
            spec=spec,
            branch=self.request.branch,
        ):
            if self.request.merge is not None:
                statements.merge(fitted, self.request.merge)
                return None
            if self.session.engine != "spark":
                fitted = without_views(fitted)
            return statements.append(fitted) if self.request.mode == "append" else statements.overwrite(fitted)

    def _settled(self, state: TableState | None) -> TableState | None:
        """Finish what the creation of the table left to do, in this process or in one that died."""
        if state is None or self.table.warehouse.rest is not None:
            return state
        return metadata.make_columns_optional(self.table.place, state)

    def _state_after(self) -> tuple[TableState | None, tuple[str, ...]]:
        """Return the state after the rows are committed: what goes wrong now is a note, and left to the next writer."""
        target = self.request.target
        try:
            state = self.store.state(self.table)
        except (DepotError, OSError) as error:
            why = error.message if isinstance(error, DepotError) else error.strerror or str(error)
            return None, (f"{target} is written; rows and snapshot are not known, its state could not be read: {why}",)
        try:
            return self._settled(state), ()
        except OSError as error:
            why = error.strerror or str(error)
            return state, (f"{target} is written; its columns stay required until the next write: {why}",)

    def _result(self, before: TableState | None, after: TableState | None, rows: int | None) -> WriteResult:
        branch = self.request.branch
        old, new = (state.snapshot(branch) if state else None for state in (before, after))
        made = new if new is not None and (old is None or new.id != old.id) else None
        if after is None:
            pass  # not known: only the engine's own count, if there is one
        elif made is None:
            rows = 0 if rows is None else rows
        elif rows is None:
            rows = made.merged_rows if self.request.merge is not None else made.count("added-records") or 0
        return WriteResult(
            rows=rows,
            bytes=made.count("added-files-size") if made else 0 if after else None,
            snapshot_id=str(made.id) if made else None,
            files=(made.count("added-data-files") or 0) if made else 0 if after else None,
            schema=columns_of_schema(after.schema) if after else (),
            created=before is None,
            branch=branch,
            total_rows=new.total_rows if new else None,
        )

    def lock(self) -> AbstractContextManager[Holder]:
        """Hold the table's lock for the block's time, as the holder that is yielded.

        Raises:
            DatasetLocked: Another writer holds it for longer than the settings wait.
        """
        holder = Holder.this_process(
            self.principal.name, self.session.process, self.request.operation, elsewhere=self.session.elsewhere
        )
        return table_lock(self.store, self.table, self.request, holder, self.session.stop_work)
