"""Commit a frame to a folder of files."""

from __future__ import annotations

import shutil
import uuid
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.claims import Claim
from dataos_dagster.depots.files import commit
from dataos_dagster.depots.files.bucket import claimed
from dataos_dagster.depots.files.listing import relative
from dataos_dagster.depots.files.locking import files_lock
from dataos_dagster.depots.files.marks import evidence_in, leave_mark, outdated_marks
from dataos_dagster.depots.files.read import FileReader, with_defaults
from dataos_dagster.depots.files.text_form import in_sail_form, put_header, write_empty
from dataos_dagster.depots.fitting import check_new, fit
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.requests import Column, ReadRequest, WriteResult
from dataos_dagster.depots.scratch import scratch_folder
from dataos_dagster.depots.sorting import in_order
from dataos_dagster.errors import (
    DepotUnsupported,
    EngineCrashed,
    SchemaMismatch,
    StatementFailed,
    WriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pyarrow.fs import FileInfo
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import Settings

# Formats that hold the types of their columns: what is appended must have the same.
_TYPED = ("parquet", "orc", "avro")
_PART_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class _Written:
    """What was added to a dataset, and the columns that it has.

    Attributes:
        rows: Those of a workbook, which this process writes itself; None for what an engine wrote.
    """

    files: tuple[FileInfo, ...]
    columns: StructType
    created: bool
    rows: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileWriter:
    """One write of one frame to a folder."""

    place: Place
    format: str
    request: WriteRequest
    session: EngineSession
    principal: Principal
    settings: Settings

    def write(self, frame: DataFrame) -> WriteResult:
        """Commit the frame, holding the folder's lock.

        Raises:
            SchemaMismatch: The frame does not fit the files that are there.
            DatasetLocked: Another writer holds the folder.
            WriteFailed: The engine or the disk failed; the folder is as before.
        """
        if self.request.merge is not None or self.request.branch is not None:
            raise DepotUnsupported(
                f"{self.request.target}: files know neither merge nor branches",
                hint="write an Iceberg table: format: iceberg",
                location=self.request.location,
            )
        with files_lock(self.place, self.settings, self.request, self._holder(), self.session.stop_work) as holder:
            if self.place.is_local:
                written = self._write_local(frame)
            else:
                written = self._write_bucket(frame, Claim.of(holder, self.settings))
        rows = _rows(self.place, written.files) if self.format == "parquet" else written.rows
        return WriteResult(
            rows=rows,
            bytes=sum(info.size for info in written.files),
            snapshot_id=None,
            files=len(written.files),
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in written.columns.fields),
            created=written.created,
            notes=written.notes,
            total_rows=rows if self.request.mode == "overwrite" or written.created else None,
        )

    def _fitted(self, frame: DataFrame, *, created: bool) -> DataFrame:
        request = self.request
        check_new(frame, request.target, location=request.location)
        if created or request.mode == "overwrite" or self.format not in (*_TYPED, "xlsx"):
            return frame
        if self.format == "xlsx":
            self._check_names(frame)
            return frame
        there = FileReader(self.place, self.format, ReadRequest(request.target), self.session).read()
        return fit(frame, there.schema, request.target, location=request.location)

    def _check_names(self, frame: DataFrame) -> None:
        """Check that a workbook that is added has the columns of those that are there: it holds no types.

        Raises:
            SchemaMismatch: It has others.
        """
        from dataos_dagster.depots.files.xlsx.options import WHERE, WorkbookOptions

        request = self.request
        options = {key: value for key, value in request.options.items() if key.lower() in WHERE}
        there = FileReader(self.place, self.format, ReadRequest(request.target, options=options), self.session).read()
        if WorkbookOptions.parse(options).header:
            same = [name.lower() for name in there.columns] == [name.lower() for name in frame.columns]
        else:
            same = len(there.columns) == len(frame.columns)
        if not same:
            raise SchemaMismatch(
                f"{request.target}: what is written has the columns {', '.join(frame.columns)}, "
                f"and the workbooks that are there {', '.join(there.columns)}",
                hint="select the same columns in the same order in the last step, or write to a new dataset",
                location=request.location,
            )

    def _write_local(self, frame: DataFrame) -> _Written:
        dataset = self.place.local
        commit.remove_abandoned(dataset)
        for name in outdated_marks(self.place, self.request.mark):
            (dataset / name).unlink(missing_ok=True)
        created = not self.place.data_files()
        frame = self._fitted(frame, created=created)
        staged = commit.staging_folder(dataset)
        with self._nothing_written(), self._noted():
            dataset.parent.mkdir(parents=True, exist_ok=True)
            try:
                rows = self._stage(frame, staged)
                made = replace(self.place, path=str(staged))
                names = {relative(made, info) for info in made.data_files()}
                if self.request.mark is not None:
                    leave_mark(staged, self.request.mark)
                if self.request.mode == "overwrite":
                    commit.replace_folder(staged, dataset)
                else:
                    commit.move_into(staged, dataset)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
        files = tuple(info for info in self.place.data_files() if relative(self.place, info) in names)
        return _Written(files, frame.schema, created, rows)

    def _noted(self) -> AbstractContextManager[None]:
        """Keep account of a write that is to happen exactly once."""
        if self.request.settlement is None:
            return nullcontext()
        return self.request.settlement.write(lambda: evidence_in(self.place), self.session, marked=True)

    def _stage(self, frame: DataFrame, staged: Path) -> int | None:
        """Write the frame to a new local folder, in the same form by either engine; return its rows if known."""
        if self.format == "xlsx":
            return self._write_workbook(frame, staged)
        self._write_with_engine(frame, str(staged), mode="overwrite")
        staged.mkdir(exist_ok=True)
        for leftover in (*staged.rglob(".*.crc"), *staged.rglob("_SUCCESS")):
            leftover.unlink()
        written = [path for path in staged.rglob("*") if path.is_file()]
        if self.session.engine == "sail":
            extension = f".{self.format}" if self.format in {"csv", "json"} else None
            for number, path in enumerate(sorted(written)):
                named = f"part-{number:05}-{path.stem}{extension or path.suffix}"
                put_header(path, path.with_name(named), self._header(frame))
        if not written:
            write_empty(staged, self.format, frame.schema, self._header(frame))
        return None

    def _write_workbook(self, frame: DataFrame, staged: Path) -> int:
        """Write the frame to a workbook in a new local folder; return its rows."""
        from dataos_dagster.depots.files.xlsx.options import WorkbookOptions
        from dataos_dagster.depots.files.xlsx.write import check_columns, write_workbook

        options = WorkbookOptions.parse(self.request.options, write=True, location=self.request.location)
        check_columns(frame.schema, options, self.request)
        with self.session.stopped_on_interrupt():
            rows = in_order(frame, self.request.sort).toArrow()
        staged.mkdir(parents=True)
        file = staged / f"part-00000-{uuid.uuid4().hex}.xlsx"
        write_workbook(rows, frame.schema, file, options, self.request)
        count: int = rows.num_rows
        return count

    def _write_bucket(self, frame: DataFrame, claim: Claim) -> _Written:
        with (
            self._nothing_written(),
            self._noted(),
            claimed(self.place, claim, self.settings, self.request) as write,
        ):
            before = self.place.data_files()
            frame = self._fitted(frame, created=not before)
            rows = None
            if self.format == "xlsx" or (self.session.engine == "sail" and self.format != "parquet"):
                rows = self._upload(frame, write.staging)
            else:
                self._write_with_engine(frame, write.staging.url(self.session.engine), mode="overwrite")
            if not write.staging.data_files():
                self._upload(frame.limit(0), write.staging)
            files = write.add(before if self.request.mode == "overwrite" else (), mark=self.request.mark)
        notes: tuple[str, ...] = ()
        if write.left is not None:
            notes = (f"{self.request.target} is written; files that do not count are left in it: {write.left.message}",)
        return _Written(files, frame.schema, created=not before, rows=rows, notes=notes)

    def _upload(self, frame: DataFrame, target: Place) -> int | None:
        """Write the files on this machine, where they get their final form, and copy them into a folder of a bucket.

        Returns the rows if it knows them.
        """
        with scratch_folder(self.settings, self.place.path) as folder:
            staged = folder / "files"
            rows = self._stage(frame, staged)
            for file in sorted(path for path in staged.rglob("*") if path.is_file()):
                sent = target.join(*file.relative_to(staged).parts)
                # In parts, each sent on its own: a file is never in memory as a whole.
                with sent.failures(), file.open("rb") as made, sent.filesystem.open_output_stream(sent.path) as output:
                    shutil.copyfileobj(made, output, _PART_BYTES)
        return rows

    def _write_with_engine(self, frame: DataFrame, location: str, *, mode: str) -> None:
        frame = in_order(frame, self.request.sort)
        options, format_ = dict(self.request.options), self.format
        if self.session.engine == "sail":
            frame, format_ = in_sail_form(frame, self.format, options, self.request)
            options = {} if format_ == "text" else options
        else:
            options = with_defaults(self.format, options)
        if self.request.compression:
            options["compression"] = self.request.compression.lower()
        writer = frame.write.format(format_).mode(mode).options(**options)
        if self.request.partition_by:
            writer = writer.partitionBy(*self.request.partition_by)
        # What the engine wrote is removed next: it must not go on after that.
        with self.session.stopped_on_interrupt():
            writer.save(location)

    def _header(self, frame: DataFrame) -> Sequence[str] | None:
        """Return the names that stand in the first line of each CSV file, or None when none do."""
        options = {key.lower(): value.lower() for key, value in self.request.options.items()}
        return frame.columns if self.format == "csv" and options.get("header", "true") == "true" else None

    def _holder(self) -> Holder:
        return Holder.this_process(
            self.principal.name, self.session.process, self.request.operation, elsewhere=self.session.elsewhere
        )

    @contextmanager
    def _nothing_written(self) -> Iterator[None]:
        """Say of a failure what it means for the dataset."""
        target, location = self.request.target, self.request.location
        try:
            with self.session.failures(location):
                yield
        except EngineCrashed as error:
            error.hint = f"the dataset is as it was before; {error.hint or 'run the job again'}"
            raise
        except StatementFailed as error:
            raise WriteFailed(
                f"{target} was not written: {error.message}", hint="the dataset is as it was before", location=location
            ) from error
        except OSError as error:
            raise WriteFailed(
                f"{target} was not written: {error.strerror or error}",
                hint="the dataset is as it was before; check the space on the disk and the folder's owner",
                location=location,
            ) from error


def _rows(place: Place, files: Sequence[FileInfo]) -> int:
    """Return the rows of parquet files, out of their footers."""
    from pyarrow import parquet

    filesystem = place.filesystem
    return sum(parquet.read_metadata(info.path, filesystem=filesystem).num_rows for info in files)
