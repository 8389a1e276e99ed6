"""What a session needs to read or write files, and what Sail cannot do the way Spark does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots import object_stores
from dataos_dagster.depots.copied_options import COPIED_TO_FILES
from dataos_dagster.depots.files.csv.options import csv_obstacles
from dataos_dagster.depots.files.json.options import json_obstacles
from dataos_dagster.depots.files.partitions import partition_types
from dataos_dagster.depots.files.xlsx.options import check_reading, check_writing
from dataos_dagster.depots.requests import Requirements
from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.engines.coordinates import coordinate_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.depots.storage import Place

AVRO = coordinate_of("avro")
# Formats whose partitions, which the names of folders tell, Sail does not read or write.
TEXT_FORMATS = frozenset({"csv", "json", "text"})
# Sail 0.7.2: orc and xml are unknown, avro is read with other types and not written.
_SPARK_ONLY = ("orc", "avro", "xml")
_SAIL_PARQUET_OPTIONS = frozenset({"compression"})
_SAIL_TEXT_OPTIONS = frozenset({"wholetext", "linesep"})
# Options that change how many files there are, and none of their rows: Sail makes as many as it likes.
_TUNING = frozenset({"maxrecordsperfile"})
_WRITER_OPTIONS: Mapping[str, frozenset[str]] = {
    "csv": COPIED_TO_FILES,  # it follows some of them
    "json": COPIED_TO_FILES,
    "text": COPIED_TO_FILES,
    "parquet": _SAIL_PARQUET_OPTIONS | COPIED_TO_FILES,
}


def read_requirements(place: Place, format_: str, request: ReadRequest, files: Iterable[FileInfo]) -> Requirements:
    """Return what reading needs.

    Args:
        place: The file or folder.
        format_: Its format.
        request: What is asked for.
        files: Its files, as far as their names decide: those of `TEXT_FORMATS`.
    """
    reasons: list[str] = []
    options = {key.lower(): value for key, value in request.options.items()}
    if format_ == "xlsx":
        check_reading(request)
    elif format_ in _SPARK_ONLY:
        reasons.append(f"Sail does not read {format_} ({request.target})")
    elif format_ == "csv":
        reasons += [f"{reason} ({request.target})" for reason in csv_obstacles(options)]
    elif format_ == "json":
        reasons += [f"{reason} ({request.target})" for reason in json_obstacles(options)]
    elif format_ == "parquet":
        reasons += _parquet_obstacles(options, request)
    elif format_ == "text":
        unknown = sorted(set(options) - _SAIL_TEXT_OPTIONS - COPIED_TO_FILES)
        reasons += [f"Sail's text reader does not know the option {key} ({request.target})" for key in unknown]
    if format_ in TEXT_FORMATS and partition_types(place, files):
        reasons.append(f"Sail does not read partitioned {format_} ({request.target})")
    return join([object_stores.requirements(place), veto("sail", *reasons), _packages(format_)])


def write_requirements(place: Place, format_: str, request: WriteRequest) -> Requirements:
    """Return what writing needs."""
    reasons: list[str] = []
    if format_ == "xlsx":
        check_writing(request)
    elif format_ in _SPARK_ONLY:
        reasons.append(f"Sail does not write {format_} ({request.target})")
    else:
        unknown = sorted(set(map(str.lower, request.options)) - _WRITER_OPTIONS[format_] - _TUNING)
        reasons += [
            f"the {format_} writer's option {key} is followed by Spark only ({request.target})" for key in unknown
        ]
    if request.partition_by and format_ in TEXT_FORMATS:
        reasons.append(f"Sail does not write partitioned {format_} ({request.target})")
    if request.compression and format_ in TEXT_FORMATS:
        reasons.append(f"Sail does not write compressed {format_} ({request.target})")
    notes = []
    if request.sort is not None and format_ != "xlsx":
        notes.append(f"{request.target}: Sail does not keep the order of rows inside the files")
    if format_ in _WRITER_OPTIONS:
        tuned = [key for key in request.options if key.lower() in _TUNING]
        notes += [f"{request.target}: Sail does not follow {key}: its files hold more rows or fewer" for key in tuned]
    return join(
        [
            object_stores.requirements(place),
            veto("sail", *reasons),
            _packages(format_),
            Requirements(notes=tuple(notes)),
        ]
    )


def _packages(format_: str) -> Requirements:
    return Requirements(packages=(AVRO,) if format_ == "avro" else ())


def _parquet_obstacles(options: Mapping[str, str], request: ReadRequest) -> list[str]:
    unknown = sorted(set(options) - _SAIL_PARQUET_OPTIONS - COPIED_TO_FILES)
    reasons = [f"Sail's parquet reader does not know the option {key} ({request.target})" for key in unknown]
    if request.schema is not None:
        reasons.append(f"Sail does not read parquet with a schema of its own ({request.target})")
    return reasons
