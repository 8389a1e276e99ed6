"""Write rows as a workbook, row by row."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.clients import client
from dataos_dagster.errors import SchemaMismatch, WriteFailed

if TYPE_CHECKING:
    from pathlib import Path

    from pyarrow import Table
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.xlsx.options import WorkbookOptions
    from dataos_dagster.depots.requests import WriteRequest

# What a sheet holds, header included (Microsoft, Excel specifications and limits).
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
_MOST_CHARACTERS = 32_767
# Numbers of a sheet are doubles: integers beyond are texts, so that no digit is lost.
_EXACT_INTEGER = 1 << 53
_EXACT_DIGITS = 15
# Days are counted from 1900 on, and up to the 29 February that Excel gives that year no two programs count alike.
_FIRST_DAY = date(1900, 3, 1)
_NESTED = frozenset({"struct", "array", "map", "variant", "binary"})
_FORMATS = {"date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm:ss", "timestamp_ntz": "yyyy-mm-dd hh:mm:ss"}


def check_columns(schema: StructType, options: WorkbookOptions, request: WriteRequest) -> None:
    """Check that a sheet can hold columns.

    Raises:
        SchemaMismatch: It has no cell for a type, or too few columns.
    """
    room = MOST_COLUMNS - options.first_column
    if len(schema.fields) > room:
        raise SchemaMismatch(
            f"{request.target}: {len(schema.fields)} columns are more than the {room} that a sheet holds",
            hint="select fewer, or write csv or parquet",
            location=request.location,
        )
    nested = [
        f"{field.name} {field.dataType.simpleString()}"
        for field in schema.fields
        if field.dataType.typeName() in _NESTED
    ]
    if nested:
        raise SchemaMismatch(
            f"{request.target}: a workbook cannot hold {', '.join(nested)}",
            hint="select single values, or write json or parquet",
            location=request.location,
        )


def write_workbook(
    rows: Table, schema: StructType, file: Path, options: WorkbookOptions, request: WriteRequest
) -> None:
    """Write rows to a new workbook with one sheet.

    Raises:
        WriteFailed: They are more than a sheet holds, or a text is longer than a cell.
        OSError: The disk is full, or the file cannot be made.
    """
    xlsxwriter = client("xlsxwriter", "Excel", "excel")
    room = MOST_ROWS - options.first_row - int(options.header)
    if rows.num_rows > room:
        raise WriteFailed(
            f"{request.target} was not written: {rows.num_rows} rows are more than the {room} that a sheet holds",
            hint="the dataset is as it was before; write fewer rows, or csv or parquet",
            location=request.location,
        )
    try:
        # One row is in memory at a time; texts stand in the cells themselves.
        with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as book:
            _fill(book, rows, schema, options, request)
    except xlsxwriter.exceptions.XlsxFileError as error:
        for sheet in book.worksheets():
            sheet._opt_close()  # noqa: SLF001 - the library closes its scratch files only when all went well
        raise OSError(str(error)) from error


def _fill(book: Any, rows: Table, schema: StructType, options: WorkbookOptions, request: WriteRequest) -> None:
    """Put a header, where one is wanted, and rows into the only sheet of a workbook."""
    sheet = book.add_worksheet(options.sheet or "Sheet1")
    kinds = [field.dataType.simpleString() for field in schema.fields]
    formats = [book.add_format({"num_format": _FORMATS[kind]}) if kind in _FORMATS else None for kind in kinds]
    row = options.first_row
    if options.header:
        for column, name in enumerate(schema.names, start=options.first_column):
            sheet.write_string(row, column, name)
        row += 1
    for batch in rows.to_batches():
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for index, (value, format_) in enumerate(zip(values, formats, strict=True)):
                if value is not None:
                    cell = _cell(value, schema.names[index], options, request)
                    _put(sheet, (row, options.first_column + index), cell, format_)
            row += 1


def _put(sheet: Any, place: tuple[int, int], cell: Any, format_: Any) -> None:
    """Write a cell; a text is one whatever it looks like, and no formula or link."""
    if isinstance(cell, str):
        sheet.write_string(*place, cell)
    else:
        sheet.write(*place, cell, format_)


def _cell(value: Any, column: str, options: WorkbookOptions, request: WriteRequest) -> Any:
    """Return a value as a cell holds it, else a text: a number with all its digits, a day that all programs know."""
    match value:
        case bool():
            found: Any = value
        case int():
            found = value if abs(value) <= _EXACT_INTEGER else str(value)
        case float():
            found = value if math.isfinite(value) else _word(value, options)
        case Decimal():
            exact = len(value.as_tuple().digits) <= _EXACT_DIGITS
            found = float(value) if exact else str(value)
        case datetime():
            local = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            found = local if local.date() >= _FIRST_DAY else local.isoformat()
        case date():
            found = value if value >= _FIRST_DAY else value.isoformat()
        case str() if len(value) > _MOST_CHARACTERS:
            raise WriteFailed(
                f"{request.target} was not written: a text of {column} has {len(value)} characters, and a cell holds "
                f"{_MOST_CHARACTERS}",
                hint="the dataset is as it was before; cut the text, or write csv or parquet",
                location=request.location,
            )
        case _:
            found = value
    return found


def _word(value: float, options: WorkbookOptions) -> str:
    """Return what is no number as those who read a workbook expect it."""
    if math.isnan(value):
        return options.texts.nan_value
    return options.texts.positive_infinity if value > 0 else options.texts.negative_infinity
