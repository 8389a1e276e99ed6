"""Find the columns of CSV files, and hand them to the engine as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.files.csv.inference import ColumnKinds
from dataos_dagster.depots.files.csv.lines import ByteRange, ranges, read_lines
from dataos_dagster.depots.files.csv.source import CsvSource
from dataos_dagster.depots.files.csv.tokens import split, split_line
from dataos_dagster.depots.files.csv.values import is_supported
from dataos_dagster.depots.files.source import load_ranges
from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.csv.options import CsvOptions
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.session import EngineSession


def read_csv(
    place: Place,
    files: tuple[FileInfo, ...],
    options: CsvOptions,
    schema: StructType | None,
    session: EngineSession,
) -> DataFrame:
    """Return a lazy frame of CSV files.

    Args:
        place: Where they are.
        files: The files, in order.
        options: How they are written.
        schema: Their columns, by position; None takes names from the first header, and types by `inferSchema`.
        session: A session on Sail.

    Raises:
        DepotUnsupported: A column's type cannot stand in CSV.
    """
    from pyspark.sql.types import StructType

    columns = schema if schema is not None else find_columns(place, files, options)
    refused = [f"{field.name} {field.dataType.simpleString()}" for field in columns if not is_supported(field.dataType)]
    if refused:
        raise DepotUnsupported(f"{place}: CSV holds no column like {', '.join(refused)}")
    if not columns.fields:
        return session.spark.createDataFrame([], StructType([]))
    return load_ranges(CsvSource, place, ranges(files), _nullable(columns), options, session)


def find_columns(place: Place, files: tuple[FileInfo, ...], options: CsvOptions) -> StructType:
    """Return the columns: names by the first file's header or position, types by looking at every value, or text."""
    from pyspark.sql.types import StringType, StructField, StructType

    names = _names(place, files, options)
    if not options.infer_schema or not names:
        return StructType([StructField(name, StringType()) for name in names])
    kinds = [ColumnKinds(options) for _ in names]
    for found in ranges(files):
        lines = read_lines(place, found)
        if options.header and found.start == 0:
            lines = lines[1:]
        for kind, texts in zip(kinds, split(lines, len(names), options).columns, strict=True):
            kind.see(texts)
    return StructType([StructField(name, kind.type()) for name, kind in zip(names, kinds, strict=True)])


def _names(place: Place, files: tuple[FileInfo, ...], options: CsvOptions) -> list[str]:
    """Return the names of the columns as Spark makes them unique: `a`, `A` become `a0`, `A1`; an empty one `_c2`."""
    first = next((lines[0] for info in files if (lines := _first_line(place, info))), None)
    if first is None:
        return []
    cells = split_line(first, options)
    if not options.header:
        return [f"_c{i}" for i in range(len(cells))]
    folded = [(cell or "").lower() for cell in cells]
    return [
        f"_c{i}" if not cell or cell == options.null_value else f"{cell}{i}" if folded.count(cell.lower()) > 1 else cell
        for i, cell in enumerate(cells)
    ]


def _first_line(place: Place, info: FileInfo) -> list[str]:
    """Return the first record of a file, if it has one; only its beginning is read."""
    compressed = next(iter(ranges((info,))), None)
    if compressed is None:
        return []
    end = compressed.end if compressed.end is None else min(1, compressed.end)
    size = 1
    while True:
        lines = read_lines(place, ByteRange(info.path, 0, end))
        if lines or end is None or end >= info.size:
            return lines[:1]
        size *= 1024
        end = min(size, info.size)


def _nullable(schema: StructType) -> StructType:
    """Return the columns, each admitting nulls, as Spark's file readers have them."""
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(field.name, field.dataType) for field in schema])
