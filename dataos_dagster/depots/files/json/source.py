"""JSON as a data source of PySpark, which Sail runs: the engine calls back for batches of Arrow."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from dataos_dagster.depots.files.csv.lines import ByteRange, ranges, read_lines
from dataos_dagster.depots.files.json.documents import parse
from dataos_dagster.depots.files.json.inference import CORRUPT
from dataos_dagster.depots.files.json.options import JsonOptions
from dataos_dagster.depots.files.json.values import Malformed, value_of
from dataos_dagster.depots.storage import Place, S3Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import RecordBatch
    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.files.json.documents import Record

NAME = "dataos_json"


def source_options(
    place: Place, files: tuple[FileInfo, ...], schema: StructType, options: JsonOptions
) -> dict[str, str]:
    """Return the options that tell the source what to read. Keys of a bucket stay out: the process has them."""
    plan = {
        "path": place.path,
        "s3": None if place.s3 is None else {"endpoint": place.s3.endpoint, "region": place.s3.region},
        "schema": schema.json(),
        "options": asdict(options),
        "ranges": [asdict(found) for found in record_ranges(files, options)],
    }
    return {"plan": json.dumps(plan)}


def record_ranges(files: tuple[FileInfo, ...], options: JsonOptions) -> Iterator[ByteRange]:
    """Yield what a task reads: ranges of lines, or whole files where a file is one document."""
    if options.multi_line:
        yield from (ByteRange(info.path, 0, None) for info in files)
    else:
        yield from ranges(files)


def records(place: Place, wanted: ByteRange, options: JsonOptions) -> Iterator[Record]:
    """Yield the rows of a range."""
    lines = read_lines(place, wanted)
    for text in ("\n".join(lines),) if options.multi_line else lines:
        yield from parse(text)


class JsonSource(DataSource):  # type: ignore[misc]  # pyspark is untyped
    """JSON files that were listed, and whose columns were found, before the query."""

    @classmethod
    def name(cls) -> str:
        """Return the word behind `format`."""
        return NAME

    def schema(self) -> StructType:
        """Return the columns."""
        return StructType.fromJson(json.loads(json.loads(self.options["plan"])["schema"]))

    def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Sail hands over Arrow's, Spark its own
        """Return the reader."""
        return JsonReader(json.loads(self.options["plan"]), self.schema())


class JsonReader(DataSourceReader):  # type: ignore[misc]  # pyspark is untyped
    """Reads ranges of the files, one task each."""

    def __init__(self, plan: dict[str, Any], schema: StructType) -> None:
        self._plan = plan
        self._schema = schema

    def partitions(self) -> list[InputPartition]:
        """Return the ranges, or an empty one: a query over no task would have no columns."""
        return [InputPartition(found) for found in self._plan["ranges"]] or [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[RecordBatch]:
        """Yield the rows of a range."""
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_type

        if partition.value is None:
            return
        place = Place(self._plan["path"], S3Access(**self._plan["s3"]) if self._plan["s3"] is not None else None)
        options = JsonOptions(**self._plan["options"])
        wanted = ByteRange(**partition.value)
        found = [
            row
            for record in records(place, wanted, options)
            if (row := row_of(record, self._schema, options)) is not None
        ]
        arrays = [
            pa.array([row[i] for row in found], to_arrow_type(field.dataType)) for i, field in enumerate(self._schema)
        ]
        yield pa.RecordBatch.from_arrays(arrays, names=self._schema.names)


def row_of(record: Record, schema: StructType, options: JsonOptions) -> list[Any] | None:
    """Return the values of a row in the columns' order, or None when it is to be dropped.

    Raises:
        ValueError: The record is malformed, and the mode is FAILFAST.
    """
    row: list[Any] = [None] * len(schema.fields)
    malformed = record.value is None
    if record.value is not None:
        try:
            values = value_of(record.value, schema, lambda: record.text)
        except Malformed as error:
            values, malformed = error.partial, True
        row = [values[name] for name in schema.names]
    if not malformed:
        return row
    if options.mode == "FAILFAST":
        raise ValueError(f"malformed record (mode FAILFAST): {record.text[:200]!r}")
    if options.mode == "DROPMALFORMED":
        return None
    if CORRUPT in schema.names:
        row[schema.names.index(CORRUPT)] = record.text
    return row
