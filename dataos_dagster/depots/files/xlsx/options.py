"""Options of workbooks, under the names of the spark-excel library, in whose words manifests are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dataos_dagster.depots.files.csv.options import CsvOptions
from dataos_dagster.depots.files.patterns import is_known_pattern
from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.errors import Location

# What they mean is done anyway, or changes nothing about the rows.
_WITHOUT_EFFECT = frozenset(
    {
        *("treatemptyvaluesasnulls", "useplainnumberformat", "addcolorcolumns", "maxrowsinmemory", "excerptsize"),
        *("maxbytearraysize", "tempfilethreshold", "path"),
    }
)
# Options that say where the rows stand, and below which names.
WHERE = frozenset({"sheetname", "dataaddress", "header", "useheader"})
_READ = frozenset(
    {
        *("sheetname", "dataaddress", "header", "inferschema", "nullvalue", "mode"),
        *("dateformat", "timestampformat"),
    }
)
_WRITTEN = frozenset({"sheetname", "dataaddress", "header", "dateformat", "timestampformat"})
_ADDRESS = re.compile(
    r"(?:(?:'(?P<quoted>[^']+)'|(?P<plain>[^'!\[]+))!)?(?P<column>[A-Z]{1,3})(?P<row>[1-9]\d{0,6})"
    r"(?::(?P<last_column>[A-Z]{1,3})(?P<last_row>[1-9]\d{0,6}))?"
)
# What Excel takes as the name of a sheet (Microsoft, Rename a worksheet).
_LONGEST_NAME = 31
_NAME = re.compile(r"(?!')[^\[\]:*?/\\]+(?<!')")
_RESERVED = "history"


@dataclass(frozen=True, slots=True)
class WorkbookOptions:
    """How a workbook is read or written.

    Attributes:
        sheet: Name of the sheet; None means the first.
        first_row: 0-based row where the cells begin.
        first_column: 0-based column.
        rows: Number of rows that may stand there, header included; None for all.
        columns: Number of columns.
        texts: How texts become values: as those of CSV files do.
    """

    sheet: str | None
    first_row: int
    first_column: int
    rows: int | None
    columns: int | None
    texts: CsvOptions

    @property
    def header(self) -> bool:
        """Return whether the first row names the columns."""
        return self.texts.header

    @classmethod
    def parse(cls, given: Mapping[str, str], *, write: bool = False, location: Location | None = None) -> Self:
        """Return the options that a manifest gives.

        Raises:
            DepotUnsupported: One of them is not followed.
        """
        options = {key.lower(): value for key, value in given.items() if key.lower() not in _WITHOUT_EFFECT}
        if "useheader" in options:  # what older versions of the library call it
            options.setdefault("header", options.pop("useheader"))
        if "workbookpassword" in options:
            raise DepotUnsupported(
                "workbooks with a password are not read or written",
                hint="store the workbook without one, in a place that is protected itself",
                location=location,
            )
        unknown = sorted(set(options) - (_WRITTEN if write else _READ))
        formats = [key for key in ("dateformat", "timestampformat") if key in options]
        strange = [key for key in formats if not write and not is_known_pattern(options[key])]
        if unknown or strange:
            raise DepotUnsupported(
                f"the option {(unknown or strange)[0]} of workbooks is not followed",
                hint=f"followed are {', '.join(sorted(_WRITTEN if write else _READ))}",
                location=location,
            )
        address = _address(options.get("dataaddress", "A1"), write=write, location=location)
        first_row, first_column = int(address["row"]) - 1, _column(address["column"])
        ranged = address["last_row"] is not None
        sheet = options.get("sheetname") or address["quoted"] or address["plain"]
        if write and sheet is not None:
            _check_name(sheet, location)
        return cls(
            sheet,
            first_row,
            first_column,
            int(address["last_row"]) - first_row if ranged else None,
            _column(address["last_column"]) - first_column + 1 if ranged else None,
            CsvOptions.parse(options),
        )


def check_reading(request: ReadRequest) -> None:
    """Check that workbooks can be read as is asked.

    Raises:
        DepotUnsupported: An option is not followed, or they are to be a stream.
    """
    WorkbookOptions.parse(request.options, location=request.location)
    if request.stream:
        raise DepotUnsupported(
            f"{request.target}: workbooks are no stream", hint="write isStream: false", location=request.location
        )


def check_writing(request: WriteRequest) -> None:
    """Check that a workbook can be written as is asked.

    Raises:
        DepotUnsupported: An option is not followed.
    """
    WorkbookOptions.parse(request.options, write=True, location=request.location)
    asked = {"partitionBy": request.partition_by, "compressionType": request.compression}
    for name, value in asked.items():
        if value:
            raise DepotUnsupported(
                f"{request.target}: workbooks know no {name}", hint="write parquet or csv", location=request.location
            )


def _address(text: str, *, write: bool, location: Location | None) -> re.Match[str]:
    """Return the parts of a `dataAddress`; a range where rows are read only."""
    found = _ADDRESS.fullmatch(text)
    if found is None or _ends_before_it_begins(found):
        raise DepotUnsupported(
            f"dataAddress {text!r} is no place in a sheet",
            hint="write the first cell, or the first and the last: 'My Sheet'!B3, 'My Sheet'!B3:F35",
            location=location,
        )
    if write and found["last_row"]:
        raise DepotUnsupported(
            f"dataAddress {text!r} of what is written has a last cell, and the rows decide where that is",
            hint=f"write the first cell: {text.rpartition(':')[0]}",
            location=location,
        )
    return found


def _ends_before_it_begins(address: re.Match[str]) -> bool:
    if address["last_row"] is None:
        return False
    return int(address["last_row"]) < int(address["row"]) or _column(address["last_column"]) < _column(
        address["column"]
    )


def _check_name(sheet: str, location: Location | None) -> None:
    if len(sheet) > _LONGEST_NAME or not _NAME.fullmatch(sheet) or sheet.lower() == _RESERVED:
        raise DepotUnsupported(
            f"Excel takes no sheet of the name {sheet!r}",
            hint=f"write at most {_LONGEST_NAME} characters without any of [ ] : * ? / \\, no ' at an end, "
            "and another word than History",
            location=location,
        )


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
