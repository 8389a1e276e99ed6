"""Rows as Spark writes them into text files, for Sail, whose csv and json writers follow other rules.

CSV after Spark's defaults for writing: backslash as escape, an empty text as `""`, null as nothing, spaces around a
text trimmed, timestamps as `yyyy-MM-dd'T'HH:mm:ss.SSSXXX` (Spark SQL guide, CSV Files and JSON Files).
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.partitions import NULL
from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql.connect.column import Column
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import DataType, StructType

    from dataos_dagster.depots.requests import WriteRequest

_TIMESTAMP = "yyyy-MM-dd'T'HH:mm:ss.SSS"


def in_sail_form(
    frame: DataFrame, format_: str, options: Mapping[str, str], request: WriteRequest
) -> tuple[DataFrame, str]:
    """Return the frame that Sail is to write, and the format in which it does.

    Raises:
        SchemaMismatch: CSV or text cannot hold a column's type.
    """
    from pyspark.sql.functions import coalesce, col, concat_ws, lit, struct, to_json

    if format_ == "csv":
        _check_flat(frame.schema, request)
        keys = {key.lower(): value for key, value in options.items()}
        separator = keys.get("sep", keys.get("delimiter", ",")).replace("\\t", "\t")
        cells = [_cell(col(quoted(field.name)), field.dataType, separator) for field in frame.schema.fields]
        return frame.select(concat_ws(separator, *cells).alias("value")), "text"
    if format_ == "json":
        columns = [_moment(col(quoted(f.name)), f.dataType).alias(f.name) for f in frame.schema.fields]
        return frame.select(to_json(struct(*columns)).alias("value")), "text"
    if not request.partition_by:
        return frame, format_
    names = {name.lower() for name in request.partition_by}
    return frame.select(
        *(
            coalesce(col(quoted(name)).cast("string"), lit(NULL)).alias(name)
            if name.lower() in names
            else col(quoted(name))
            for name in frame.columns
        )
    ), format_


def put_header(file: Path, target: Path, header: Sequence[str] | None) -> None:
    """Give a file its final name, and when it is CSV the names of the columns in its first line."""
    if header is None:
        file.rename(target)
        return
    with target.open("wb") as output, file.open("rb") as rows:
        output.write((",".join(map(_name, header)) + "\n").encode())
        shutil.copyfileobj(rows, output)
    file.unlink()


def write_empty(folder: Path, format_: str, schema: StructType, header: Sequence[str] | None) -> None:
    """Write the file of a dataset without rows, which keeps its columns where the format holds them."""
    name = f"part-00000-empty.{'txt' if format_ == 'text' else format_}"
    if format_ == "parquet":
        from pyarrow import parquet
        from pyspark.sql.pandas.types import to_arrow_schema

        parquet.write_table(to_arrow_schema(schema).empty_table(), folder / name)
        return
    (folder / name).write_text(",".join(map(_name, header)) + "\n" if header else "", "utf-8")


def _cell(column: Column, type_: DataType, separator: str) -> Column:
    from pyspark.sql.functions import coalesce, concat, lit, replace, rlike, trim, when

    if type_.simpleString() not in {"string", "binary"}:
        return coalesce(_moment(column, type_).cast("string"), lit(""))
    text = trim(column.cast("string"))
    escaped = replace(replace(text, lit("\\"), lit("\\\\")), lit('"'), lit('\\"'))
    special = f'[{re.escape(separator)}"\r\n]'
    written = when(text == "", lit('""')).when(rlike(text, lit(special)), concat(lit('"'), escaped, lit('"')))
    return coalesce(written.otherwise(text), lit(""))


def _moment(column: Column, type_: DataType) -> Column:
    from pyspark.sql.functions import concat, date_format, lit

    kind = type_.simpleString()
    if kind == "timestamp":
        return concat(date_format(column, _TIMESTAMP), lit("Z"))
    return date_format(column, _TIMESTAMP) if kind == "timestamp_ntz" else column


def _check_flat(schema: StructType, request: WriteRequest) -> None:
    nested = [
        f"{field.name} {field.dataType.simpleString()}"
        for field in schema.fields
        if field.dataType.typeName() in {"struct", "array", "map", "variant"}
    ]
    if nested:
        raise SchemaMismatch(
            f"{request.target}: CSV cannot hold {', '.join(nested)}",
            hint="select single values, or write json or parquet",
            location=request.location,
        )


def _name(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' if re.search(r'[,"\r\n]', name) else name
