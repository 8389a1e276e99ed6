"""JSON as a data source of PySpark, which Sail runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.csv.lines import ByteRange, ranges, read_lines
from dataos_dagster.depots.files.json.documents import parse
from dataos_dagster.depots.files.json.inference import CORRUPT
from dataos_dagster.depots.files.json.options import JsonOptions
from dataos_dagster.depots.files.json.values import Malformed, value_of
from dataos_dagster.depots.files.source import RangeReader, RangeSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow.fs import FileInfo
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.json.documents import Record
    from dataos_dagster.depots.storage import Place


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


class JsonReader(RangeReader):
    """Reads records of JSON files."""

    def columns(self, place: Place, wanted: ByteRange) -> list[Any] | None:
        """Return the columns of a range as arrays."""
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_type

        options = JsonOptions(**self.plan["options"])
        read = (row_of(record, self.schema, options) for record in records(place, wanted, options))
        found = [row for row in read if row is not None]
        return [
            pa.array([row[i] for row in found], to_arrow_type(field.dataType)) for i, field in enumerate(self.schema)
        ]


class JsonSource(RangeSource):
    """JSON files."""

    word = "dataos_json"
    reads = JsonReader


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
