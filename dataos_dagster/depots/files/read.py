"""Read files as a lazy frame: by the engine's reader where it follows Spark's rules, by ours where Sail's does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.depots.contents import nearest
from dataos_dagster.depots.delta.log import is_table
from dataos_dagster.depots.files.formats import by_extension
from dataos_dagster.depots.files.listing import counting_files
from dataos_dagster.depots.files.partitions import partition_types
from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.given_schema import columns_of
from dataos_dagster.errors import DatasetNotFound, DepotError, DepotUnsupported, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyarrow.fs import FileInfo
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.readwriter import DataFrameReader
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.listing import Listing
    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.settings import EngineName


# Formats whose files are no texts, and mean nothing to the reader of another.
_BINARY = frozenset({"parquet", "orc", "avro", "xlsx"})


@dataclass(frozen=True, slots=True)
class FileReader:
    """One read of a file or folder."""

    place: Place
    format: str
    request: ReadRequest
    session: EngineSession

    def read(self) -> DataFrame:
        """Return the frame.

        Raises:
            DatasetNotFound: There is no file. Sail would return an empty frame without columns.
            DepotUnsupported: The depot's format is not that of the files.
        """
        listing = counting_files(self.place)
        if not listing.files:
            missing = self.place.kind() == "missing"
            raise DatasetNotFound(
                f"{self.request.target}: {self.place} {'does not exist' if missing else 'holds no file'}",
                hint=_beside(self.place) if missing else None,
                location=self.request.location,
            )
        self._refuse_others(listing)
        schema = self.request.schema
        columns = columns_of(schema, self.session, location=self.request.location) if schema else None
        if self.format == "xlsx":
            return self._of_workbooks(listing, columns)
        try:
            with self.session.failures(self.request.location):
                on_sail = self.session.engine == "sail"
                frame = self._on_sail(listing, columns) if on_sail else self._on_spark(listing, columns)
                frame.schema  # noqa: B018 - asks the engine, so that what is wrong with the files is this read's error
        except StatementFailed as failed:
            # Sail breaks the connection off, and Spark names one of its own classes: neither says which file it was.
            if self.format == "parquet" and (broken := unreadable(self.place, listing.files)):
                raise DepotError(
                    f"{self.request.target}: no readable parquet {', '.join(broken)}",
                    hint="say which format it has (`format: csv`); a torn parquet file has to be written again",
                    location=self.request.location,
                ) from failed
            raise
        return frame

    def _refuse_others(self, listing: Listing) -> None:
        """Refuse files that speak of another format than the depot's: as texts their bytes would be rows, too."""
        if self.request.format is not None:
            return
        kinds = ((info.base_name, by_extension(info.base_name)) for info in listing.files)
        name, kind = next(
            ((name, kind) for name, kind in kinds if kind in _BINARY and kind != self.format), (None, None)
        )
        if kind is not None:
            kind = "delta" if kind == "parquet" and is_table(self.place) else kind
            raise DepotUnsupported(
                f"{self.request.target}: {name} is no {self.format}, which is what the depot holds",
                hint=f"write `format: {kind}`",
                location=self.request.location,
            )

    def _of_workbooks(self, listing: Listing, columns: StructType | None) -> DataFrame:
        from dataos_dagster.depots.files.xlsx.options import WorkbookOptions
        from dataos_dagster.depots.files.xlsx.read import read_workbooks

        request = self.request
        options = WorkbookOptions.parse(request.options, location=request.location)
        files = [replace(self.place, path=info.path) for info in listing.files]
        rows = read_workbooks(files, options, columns, location=request.location)
        with self.session.failures(request.location):
            frame = self.session.spark.createDataFrame(rows)
            frame.schema  # noqa: B018 - sends the rows, so that the engine's failure is this read's error
        return frame

    def _on_spark(self, listing: Listing, columns: StructType | None) -> DataFrame:
        options = with_defaults(self.format, self.request.options)
        reader = self.session.spark.read.format(self.format).options(**options)
        if columns is not None:
            reader = reader.schema(columns)
        return self._load(reader, listing)

    def _on_sail(self, listing: Listing, columns: StructType | None) -> DataFrame:
        options = {key.lower(): value for key, value in self.request.options.items()}
        if self.format == "csv":
            from dataos_dagster.depots.files.csv.options import CsvOptions
            from dataos_dagster.depots.files.csv.reader import read_csv

            return read_csv(self.place, listing.files, CsvOptions.parse(options), columns, self.session)
        if self.format == "json":
            from dataos_dagster.depots.files.json.options import JsonOptions
            from dataos_dagster.depots.files.json.reader import read_json

            return read_json(self.place, listing.files, JsonOptions.parse(options), columns, self.session)
        frame = self._load(self.session.spark.read.format(self.format).options(**options), listing)
        types = partition_types(self.place, listing.files)
        if not types:
            return frame
        # Sail takes the values in the names of folders for texts.
        return frame.select(
            *(
                frame[quoted(name)].cast(types[name]).alias(name) if name in types else frame[quoted(name)]
                for name in frame.columns
            )
        )

    def _load(self, reader: DataFrameReader, listing: Listing) -> DataFrame:
        """Load the folder, or, while a write is under way, the files that count."""
        engine = self.session.engine
        if not listing.writing:
            return reader.load(readable(self.place, engine))
        parts = [readable(replace(self.place, path=info.path), engine) for info in listing.files]
        return reader.option("basePath", readable(self.place, engine)).load(parts)


def _beside(place: Place) -> str:
    """Return a hint for a file that is not there: one beside it whose name is nearly the same."""
    names = [info.base_name for info in place.parent.entries()]
    return nearest(place.name, names, "check the address and the depot's path")


def with_defaults(format_: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return options for Spark with the defaults that manifests rely on.

    Spark reads no header of CSV by itself, and no XML without the name of its rows, for which the library that
    manifests were written for has a default.
    """
    keys = {key.lower() for key in given}
    options = dict(given)
    if format_ == "csv" and "header" not in keys:
        options["header"] = "true"
    if format_ == "xml" and "rowtag" not in keys:
        options["rowTag"] = "ROW"
    return options


def unreadable(place: Place, files: Iterable[FileInfo]) -> tuple[str, ...]:
    """Return the parquet files whose footer cannot be read."""
    from pyarrow import ArrowException, parquet

    filesystem = place.filesystem
    found = []
    for info in files:
        try:
            parquet.read_metadata(info.path, filesystem=filesystem)
        except (ArrowException, OSError):
            found.append(str(replace(place, path=info.path)))
    return tuple(found)


def readable(place: Place, engine: EngineName) -> str:
    """Return a place as an engine's file reader takes it: a local path plain, a URL would be percent-encoded."""
    return place.path if place.is_local else place.url(engine)
