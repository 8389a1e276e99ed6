"""Read workbooks: every cell as a text, and texts as values by the rules of CSV files."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.clients import client
from dataos_dagster.depots.files.csv.inference import ColumnKinds
from dataos_dagster.depots.files.csv.values import convert, is_supported
from dataos_dagster.errors import DepotError, DepotUnsupported, SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyarrow import Table
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.files.xlsx.options import WorkbookOptions
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.errors import Location

Rows = list[list[str | None]]
# Excel puts such a file, which is no workbook, beside each workbook that somebody has open.
_OPENED = "~$"
# No column holds integers beyond; a double there is written with its exponent.
_LONGEST_INTEGER = 1 << 63


def read_workbooks(
    files: Iterable[Place],
    options: WorkbookOptions,
    schema: StructType | None,
    *,
    location: Location | None = None,
) -> Table:
    """Return the rows of workbooks; all of them are in memory, which a sheet's 1,048,576 rows bound.

    Args:
        files: The workbooks, in order.
        options: Where the rows stand.
        schema: Their columns, by position; None takes the names of the first workbook, and types by `inferSchema`.
        location: The place in a manifest that asks for them.

    Raises:
        DepotError: A file is no workbook, or has no such sheet.
        SchemaMismatch: Workbooks have different columns, or a record is malformed and the mode is FAILFAST.
        DepotUnsupported: A column's type cannot stand in a workbook.
    """
    import pyarrow as pa
    from pyspark.sql.types import StringType, StructField, StructType

    names: list[str] = []
    rows: Rows = []
    begins: list[tuple[int, Place]] = []
    for file in files:
        if file.name.startswith(_OPENED):
            continue
        found, body = _sheet(file, options, location)
        if not names:
            names = found
        elif [name.lower() for name in found] != [name.lower() for name in names]:
            raise SchemaMismatch(
                f"{file} has the columns {', '.join(found)}, and the workbook before it {', '.join(names)}",
                hint="workbooks of one folder have the same columns; read others as inputs of their own",
                location=location,
            )
        begins.append((len(rows), file))
        rows += body
    width = len(schema.fields) if schema is not None else len(names)
    ragged = [any(cell is not None for cell in row[width:]) for row in rows]
    columns = [pa.array([row[i] if i < len(row) else None for row in rows], pa.string()) for i in range(width)]
    if schema is None:
        types = [_kind(texts, options) if options.texts.infer_schema else StringType() for texts in columns]
        schema = StructType([StructField(name, type_) for name, type_ in zip(names, types, strict=True)])
    found, malformed = _typed(columns, schema, pa.array(ragged, pa.bool_()), options, location)
    if malformed is not None:
        begin, file = next((begin, file) for begin, file in reversed(begins) if begin <= malformed)
        raise SchemaMismatch(
            f"{file}: row {malformed - begin + 1} is malformed (mode FAILFAST): {rows[malformed]}",
            hint="correct the cell, give the column another type, or leave `mode` out",
            location=location,
        )
    return found


def _sheet(file: Place, options: WorkbookOptions, location: Location | None) -> tuple[list[str], Rows]:
    """Return the columns and rows of a workbook as texts."""
    calamine = client("python_calamine", "Excel", "excel")
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read())) as book:
            wanted = options.sheet or book.sheet_names[0]
            if wanted not in book.sheet_names:
                raise DepotError(
                    f"{file} has no sheet {wanted!r}",
                    hint=f"it has {', '.join(map(repr, book.sheet_names))}; write sheetName: <name>",
                    location=location,
                )
            cells = book.get_sheet_by_name(wanted).to_python(skip_empty_area=False)
    except (calamine.CalamineError, IndexError, OSError, ValueError) as error:
        raise DepotError(
            f"{file} cannot be read as an Excel workbook: {error}",
            hint="store it as .xlsx again; protected workbooks are not read",
            location=location,
        ) from None
    wide = _part(options.first_column, options.columns)
    texts = [[_text(cell) for cell in row[wide]] for row in cells[_part(options.first_row, options.rows)]]
    rows = [row for row in texts if any(cell is not None for cell in row)]
    if not options.header:
        return [f"_c{i}" for i in range(max(map(len, rows), default=0))], rows
    if not rows:
        return [], []
    return _names(rows[0]), rows[1:]


def _part(first: int, count: int | None) -> slice:
    return slice(first, None if count is None else first + count)


def _names(cells: Sequence[str | None]) -> list[str]:
    """Return the names of columns as CSV files have them: an empty one is `_c2`, `a` and `A` are `a0` and `A1`."""
    width = max((i + 1 for i, cell in enumerate(cells) if cell is not None), default=0)
    folded = [(cell or "").lower() for cell in cells[:width]]
    return [
        f"_c{i}" if not cell else f"{cell}{i}" if folded.count(cell.lower()) > 1 else cell
        for i, cell in enumerate(cells[:width])
    ]


def _text(cell: object) -> str | None:
    """Return a cell as a text: numbers without needless digits, dates and times in ISO 8601."""
    match cell:
        case "" | None:
            return None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < _LONGEST_INTEGER:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _kind(texts: Any, options: WorkbookOptions) -> Any:
    kinds = ColumnKinds(options.texts)
    kinds.see(texts)
    return kinds.type()


def _typed(
    columns: Sequence[Any], schema: StructType, ragged: Any, options: WorkbookOptions, location: Location | None
) -> tuple[Table, int | None]:
    """Return the rows with the types of a schema, and the position of the first one that the mode does not let pass."""
    import pyarrow as pa
    from pyarrow import compute as pc

    refused = [f"{field.name} {field.dataType.simpleString()}" for field in schema if not is_supported(field.dataType)]
    if refused:
        raise DepotUnsupported(f"workbooks hold no column like {', '.join(refused)}", location=location)
    values = [convert(texts, field.dataType, options.texts) for texts, field in zip(columns, schema, strict=True)]
    found = pa.Table.from_arrays([each.array for each in values], names=schema.names)
    if options.texts.mode == "PERMISSIVE":
        return found, None
    malformed = ragged
    for each in values:
        malformed = pc.or_(malformed, each.bad)
    if options.texts.mode == "DROPMALFORMED":
        return found.filter(pc.invert(malformed)), None
    first = pc.index(malformed, value=True).as_py()
    return found, first if first >= 0 else None
