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
        *("maxbytearraysize", "tempfilethreshold", "path", "useheader"),
    }
)
_READ = frozenset(
    {
        *("sheetname", "dataaddress", "header", "inferschema", "nullvalue", "mode"),
        *("dateformat", "timestampformat"),
    }
)
_WRITTEN = frozenset({"sheetname", "dataaddress", "header", "dateformat", "timestampformat"})
_ADDRESS = re.compile(
    r"(?:(?:'(?P<quoted>[^']+)'|(?P<plain>[^'!\[]+))!)?(?P<column>[A-Z]{1,3})(?P<row>\d{1,7})(?::.*)?"
)


@dataclass(frozen=True, slots=True)
class WorkbookOptions:
    """How a workbook is read or written.

    Attributes:
        sheet: Name of the sheet; None means the first.
        first_row: 0-based row where the cells begin.
        first_column: 0-based column.
        texts: How texts become values: as those of CSV files do.
    """

    sheet: str | None
    first_row: int
    first_column: int
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
        address = _ADDRESS.fullmatch(options.get("dataaddress", "A1"))
        if address is None:
            raise DepotUnsupported(
                f"dataAddress {options['dataaddress']!r} is no place in a sheet",
                hint="write the first cell: 'My Sheet'!B3",
                location=location,
            )
        return cls(
            options.get("sheetname") or address["quoted"] or address["plain"],
            int(address["row"]) - 1,
            _column(address["column"]),
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


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
