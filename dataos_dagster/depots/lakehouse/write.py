"""Commit a frame to an Iceberg table: fit it, bring the table's spec and properties about, write, and report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import check_new, fit
from dataos_dagster.depots.lakehouse import metadata, rest
from dataos_dagster.depots.lakehouse.partitioning import check_columns, named_fields, wanted_spec
from dataos_dagster.depots.lakehouse.statements import Statements
from dataos_dagster.depots.lakehouse.types import spark_schema
from dataos_dagster.depots.locks import Holder, writing
from dataos_dagster.depots.requests import Column, WriteResult
from dataos_dagster.errors import EngineCrashed, StatementFailed, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import PartitionField, WriteRequest
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
            DatasetLocked: Another writer holds the table.
            WriteFailed: The engine or the disk failed; the table is as before.
        """
        with self._lock():
            with self._nothing_written():
                before = self._settled(self.store.state(self.table))
            statements = Statements(self.table, self.request, self.session, self._properties())
            if self.request.branch:
                statements.spark_only("cannot write to a branch")
            with self._nothing_written():
                rows = self._create(frame, statements) if before is None else self._add(frame, before, statements)
            after, notes = self._settled_after(self.store.state(self.table))
        return replace(self._result(before, after, rows), notes=notes)

    def _create(self, frame: DataFrame, statements: Statements) -> int | None:
        check_new(frame, self.request.target, location=self.request.location)
        spec = wanted_spec(self.request)
        check_columns(spec, frame.columns, self.request)
        if self.table.warehouse.rest is not None:
            if rest.is_half_made(self.table):
                rest.drop_table(self.table)
            if self.session.engine == "sail":
                return self._create_in_catalog(frame, spec, statements)
            rest.create_namespace(self.table)
        if self.request.branch:
            # The branch gets the rows; the main one must exist for it to branch from, and stays empty.
            statements.create(frame.limit(0), spec)
            statements.create_branch(self.request.branch)
            return statements.append(frame)
        rows = statements.create(frame, spec)
        statements.name_fields(named_fields(spec))
        return rows

    def _create_in_catalog(
        self, frame: DataFrame, spec: Sequence[PartitionField], statements: Statements
    ) -> int | None:
        rest.create_table(self.table, frame.schema, spec, self._properties())
        try:
            with self.session.stopped_on_interrupt():
                rows = statements.append(frame)
        except BaseException:
            rest.drop_table(self.table)
            raise
        rest.confirm_creation(self.table)
        return rows

    def _add(self, frame: DataFrame, before: TableState, statements: Statements) -> int | None:
        columns = spark_schema(before.schema)
        spec = wanted_spec(self.request)
        check_columns(spec, columns.names, self.request)
        fits = self.request.merge is not None and "*" not in self.request.merge.when
        fitted = frame if fits else fit(frame, columns, self.request.target, location=self.request.location)
        changed = {key: value for key, value in self._properties().items() if before.properties.get(key) != value}
        if changed and self.table.warehouse.rest is not None:
            rest.set_properties(self.table, changed)
        elif changed:
            statements.set_properties(changed)
        statements.evolve(spec, before.partition_spec)
        if self.request.branch and self.request.branch not in before.branches:
            statements.create_branch(self.request.branch)
        if self.request.merge is not None:
            statements.merge(fitted, self.request.merge)
            return None
        if self.request.mode == "append":
            return statements.append(fitted)
        return statements.overwrite(fitted)

    def _settled(self, state: TableState | None) -> TableState | None:
        """Finish what the creation of the table left to do, in this process or in one that died."""
        if state is None or self.table.warehouse.rest is not None:
            return state
        return metadata.make_columns_optional(self.table.place, state)

    def _settled_after(self, state: TableState | None) -> tuple[TableState | None, tuple[str, ...]]:
        """Finish a creation whose rows are committed: what goes wrong now is a note, and left to the next writer."""
        try:
            return self._settled(state), ()
        except OSError as error:
            why = error.strerror or str(error)
            note = f"{self.request.target} is written; its columns stay required until the next write: {why}"
            return state, (note,)

    def _properties(self) -> dict[str, str]:
        found = dict(self.request.properties)
        if self.request.compression:
            kind = found.get("write.format.default", "parquet").lower()
            found.setdefault(f"write.{kind}.compression-codec", self.request.compression.lower())
        if self.request.sort is not None:
            # Spark would sort by partition again, and lose the order that was asked for.
            found.setdefault("write.distribution-mode", "none")
            found.setdefault("write.spark.fanout.enabled", "true")
        return found

    def _result(self, before: TableState | None, after: TableState | None, rows: int | None) -> WriteResult:
        branch = self.request.branch
        old, new = (state.snapshot(branch) if state else None for state in (before, after))
        made = new if new is not None and (old is None or new.id != old.id) else None
        if made is None:
            rows = 0 if rows is None else rows
        elif rows is None and self.request.merge is None:
            rows = made.count("added-records") or 0
        schema = spark_schema(after.schema) if after else None
        return WriteResult(
            rows=rows,
            bytes=made.count("added-files-size") if made else 0,
            snapshot_id=str(made.id) if made else None,
            files=(made.count("added-data-files") or 0) if made else 0,
            schema=tuple(
                Column(field.name, field.dataType.simpleString(), field.nullable, (field.metadata or {}).get("comment"))
                for field in (schema.fields if schema else ())
            ),
            created=before is None,
            branch=branch,
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        holder = Holder.this_process(self.principal.name, self.session.process, self.request.operation)
        settings = self.store.settings
        if self.table.warehouse.rest is None:
            # Beside the table: every project that shares the folder sees it. A file is no table to Iceberg.
            place = self.table.place
            file = place.parent.local / f".{place.name}.lock"
        else:
            file = settings.state_folder / "locks" / f"{self.table.warehouse.catalog}.{self.table.dotted}.lock"
        what = str(self.request.target)
        seconds, location, stop = settings.limits.lock_seconds, self.request.location, self.session.stop_work
        with writing(file, holder, seconds=seconds, what=what, location=location, stop=stop):
            yield

    @contextmanager
    def _nothing_written(self) -> Iterator[None]:
        """Say of an engine's failure what it means for the table."""
        try:
            with self.session.failures(self.request.location):
                yield
        except EngineCrashed as error:
            error.hint = f"the table is as it was before, or as after the write; {error.hint or 'run the job again'}"
            raise
        except StatementFailed as error:
            raise WriteFailed(
                f"{self.request.target} was not written: {error.message}",
                hint="the table is as it was before",
                location=self.request.location,
            ) from error
        except OSError as error:
            raise WriteFailed(
                f"{self.request.target} was not written: {error.strerror or error}",
                hint="the table is as it was before; check the space on the disk and the folder's owner",
                location=self.request.location,
            ) from error
