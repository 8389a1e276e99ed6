"""CSV as a data source of PySpark, which Sail runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.csv.lines import read_lines
from dataos_dagster.depots.files.csv.options import CsvOptions
from dataos_dagster.depots.files.csv.tokens import split
from dataos_dagster.depots.files.csv.values import convert
from dataos_dagster.depots.files.source import RangeReader, RangeSource

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.csv.lines import ByteRange
    from dataos_dagster.depots.storage import Place


class CsvReader(RangeReader):
    """Reads lines of CSV files."""

    def columns(self, place: Place, wanted: ByteRange) -> list[Any] | None:
        """Return the columns of a range as arrays."""
        options = CsvOptions(**self.plan["options"])
        lines = read_lines(place, wanted)
        if options.header and wanted.start == 0:
            lines = lines[1:]
        return rows(lines, self.schema, options, wanted.path) if lines else None


class CsvSource(RangeSource):
    """CSV files."""

    word = "dataos_csv"
    reads = CsvReader


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
