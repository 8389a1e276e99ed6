"""CSV as a data source of PySpark, which Sail runs: the engine calls back for batches of Arrow."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from dataos_dagster.depots.files.csv.lines import ByteRange, ranges, read_lines
from dataos_dagster.depots.files.csv.options import CsvOptions
from dataos_dagster.depots.files.csv.tokens import split
from dataos_dagster.depots.files.csv.values import convert
from dataos_dagster.depots.storage import Place, S3Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import RecordBatch
    from pyarrow.fs import FileInfo

NAME = "dataos_csv"


def source_options(
    place: Place, files: tuple[FileInfo, ...], schema: StructType, options: CsvOptions
) -> dict[str, str]:
    """Return the options that tell the source what to read. Keys of a bucket stay out: the process has them."""
    plan = {
        "path": place.path,
        "s3": None if place.s3 is None else {"endpoint": place.s3.endpoint, "region": place.s3.region},
        "schema": schema.json(),
        "options": asdict(options),
        "ranges": [asdict(found) for found in ranges(files)],
    }
    return {"plan": json.dumps(plan)}


class CsvSource(DataSource):  # type: ignore[misc]  # pyspark is untyped
    """CSV files that were listed, and whose columns were found, before the query."""

    @classmethod
    def name(cls) -> str:
        """Return the word behind `format`."""
        return NAME

    def schema(self) -> StructType:
        """Return the columns."""
        return StructType.fromJson(json.loads(_plan(self.options)["schema"]))

    def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Sail hands over Arrow's, Spark its own
        """Return the reader."""
        return CsvReader(_plan(self.options), self.schema())


class CsvReader(DataSourceReader):  # type: ignore[misc]  # pyspark is untyped
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

        if partition.value is None:
            return
        place = Place(self._plan["path"], S3Access(**self._plan["s3"]) if self._plan["s3"] is not None else None)
        options = CsvOptions(**self._plan["options"])
        wanted = ByteRange(**partition.value)
        lines = read_lines(place, wanted)
        if options.header and wanted.start == 0:
            lines = lines[1:]
        if not lines:
            return
        arrays = rows(lines, self._schema, options, wanted.path)
        yield pa.RecordBatch.from_arrays(arrays, names=self._schema.names)


def rows(lines: list[str], schema: StructType, options: CsvOptions, file: str) -> list[Any]:
    """Return the columns of some lines.

    Raises:
        ValueError: A record is malformed, and the mode is FAILFAST.
    """
    from pyarrow import compute as pc

    fields = split(lines, len(schema.fields), options)
    converted = [convert(texts, field.dataType, options) for texts, field in zip(fields.columns, schema, strict=True)]
    arrays = [values.array for values in converted]
    if options.mode == "PERMISSIVE":
        return arrays
    malformed = fields.ragged
    for values in converted:
        malformed = pc.or_(malformed, values.bad)
    if options.mode == "DROPMALFORMED":
        keep = pc.invert(malformed)
        return [array.filter(keep) for array in arrays]
    first = pc.index(malformed, value=True).as_py()
    if first >= 0:
        raise ValueError(f"malformed record in {file} (mode FAILFAST): {lines[first][:200]!r}")
    return arrays


def _plan(options: Any) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(options["plan"])
    return plan
