"""Commit a frame to a Delta table: fit it, write, and report what the log says."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.delta.log import latest_version, read_commit
from dataos_dagster.depots.files.read import readable
from dataos_dagster.depots.fitting import check_new, fit, spelled
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.requests import Column, ReadRequest, WriteResult
from dataos_dagster.depots.sorting import in_order
from dataos_dagster.errors import DepotError, EngineCrashed, StatementFailed, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import DataType

    from dataos_dagster.depots.delta.log import Commit
    from dataos_dagster.depots.delta.store import DeltaStore
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal

# With these the table takes other columns, as the manifest asks for.
_EVOLVING = frozenset({"overwriteschema", "mergeschema"})


@dataclass(frozen=True, slots=True)
class TableWriter:
    """One write of one frame."""

    store: DeltaStore
    place: Place
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
        holder = Holder.this_process(
            self.principal.name, self.session.process, self.request.operation, elsewhere=self.session.elsewhere
        )
        with self.store.lock(self.request, holder, self.session.stop_work), self._nothing_written():
            before = latest_version(self.place)
            frame = self._fitted(frame, created=before is None)
            columns = self._columns(frame)
            with self._noted():
                self._write(frame)
            # Behind it nothing may fail: the rows are there, and whoever tried again would write them twice.
            return self._result(-1 if before is None else before, columns)

    def _result(self, before: int, columns: tuple[Column, ...]) -> WriteResult:
        """Return what the commits behind a version say, as far as they can be read."""
        try:
            commits = self._since(before)
        except DepotError as error:
            note = f"{self.request.target} was written, and its log could not be read behind it: {error.message}"
            return WriteResult(
                rows=None, bytes=None, snapshot_id=None, files=None, schema=columns, created=before < 0, notes=(note,)
            )
        rows = [commit.rows for commit in commits]
        return WriteResult(
            rows=None if None in rows else sum(count for count in rows if count is not None),
            bytes=sum(commit.bytes for commit in commits),
            snapshot_id=str(commits[-1].version) if commits else None,
            files=sum(commit.files for commit in commits),
            schema=columns,
            created=before < 0,
        )

    def _fitted(self, frame: DataFrame, *, created: bool) -> DataFrame:
        check_new(frame, self.request.target, location=self.request.location)
        if created:
            return self._optional(frame)
        evolving = {key.lower() for key, value in self.request.options.items() if value.lower() == "true"} & _EVOLVING
        if "overwriteschema" in evolving:
            return self._optional(frame)
        there = self.store.read(ReadRequest(self.request.target, acl="rw"), self.session).schema
        if evolving:
            return self._optional(spelled(frame, there, self.request.target, location=self.request.location))
        return fit(frame, there, self.request.target, location=self.request.location)

    def _optional(self, frame: DataFrame) -> DataFrame:
        """Return the frame with columns that admit nulls: a table that is made of it must take any later row."""
        from pyspark.sql.types import StructType

        schema = optional(frame.schema)
        assert isinstance(schema, StructType)  # noqa: S101 - what a schema is made of
        return self.session.spark.createDataFrame([], schema).unionByName(frame)

    def _write(self, frame: DataFrame) -> None:
        request = self.request
        options = dict(request.options)
        if request.mark is not None:
            options = {key: value for key, value in options.items() if key.lower() != "usermetadata"}
            options["userMetadata"] = request.mark
        if request.compression:
            options["compression"] = request.compression.lower()
        if request.dynamic_overwrite:
            options["partitionOverwriteMode"] = "dynamic"
        writer = in_order(frame, request.sort).write.format("delta").mode(request.mode).options(**options)
        columns = request.partition_by or tuple(field.column for field in request.partition_spec)
        if columns:
            writer = writer.partitionBy(*columns)
        with self.session.stopped_on_interrupt():
            writer.save(readable(self.place, self.session.engine))

    def _noted(self) -> AbstractContextManager[None]:
        """Keep account of a write that is to happen exactly once."""
        if self.request.settlement is None:
            return nullcontext()
        return self.request.settlement.write(lambda: self.store.evidence(self.request), self.session, marked=True)

    def _since(self, before: int) -> list[Commit]:
        """Return the commits behind a version; of a write with a mark those of others are not among them."""
        latest, mark = latest_version(self.place), self.request.mark
        commits = [read_commit(self.place, version) for version in range(before + 1, (latest or 0) + 1)]
        return [commit for commit in commits if mark in {None, commit.mark}]

    def _columns(self, frame: DataFrame) -> tuple[Column, ...]:
        return tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields)

    @contextmanager
    def _nothing_written(self) -> Iterator[None]:
        """Say of a failure what it means for the table."""
        target, location = self.request.target, self.request.location
        same = "the table is as it was before"
        try:
            with self.session.failures(location):
                yield
        except EngineCrashed as error:
            error.hint = f"a commit of a table is whole or not there; {error.hint or 'run the job again'}"
            raise
        except StatementFailed as error:
            raise WriteFailed(f"{target} was not written: {error.message}", hint=same, location=location) from error


def optional(type_: DataType) -> DataType:
    """Return a type whose fields, elements and values admit nulls."""
    from pyspark.sql.types import ArrayType, MapType, StructField, StructType

    if isinstance(type_, StructType):
        return StructType([StructField(f.name, optional(f.dataType), True, f.metadata) for f in type_.fields])
    if isinstance(type_, ArrayType):
        return ArrayType(optional(type_.elementType), True)
    if isinstance(type_, MapType):
        return MapType(optional(type_.keyType), optional(type_.valueType), True)
    return type_
