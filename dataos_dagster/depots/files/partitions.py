"""Hive-style folders (`day=2024-01-01/…`): their columns, with the types that Spark reads into them."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyarrow.fs import FileInfo

    from dataos_dagster.depots.storage import Place

NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DOUBLE = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INT_LIMIT = 1 << 31


def partition_types(place: Place, files: Iterable[FileInfo]) -> dict[str, str]:
    """Return the partition columns of a folder's files and their types; empty when it has none.

    Spark takes int, bigint, double or date when every value is one, and string otherwise
    (`spark.sql.sources.partitionColumnTypeInference`).
    """
    values: dict[str, set[str]] = {}
    for info in files:
        for segment in info.path.removeprefix(place.path).split("/")[:-1]:
            name, equals, value = segment.partition("=")
            if equals:
                values.setdefault(unquote(name), set()).add(unquote(value))
    return {name: _type(found - {NULL}) for name, found in values.items()}


def _type(values: set[str]) -> str:
    if not values:
        return "string"
    if all(_INTEGER.fullmatch(value) for value in values):
        return "int" if all(-_INT_LIMIT <= int(value) < _INT_LIMIT for value in values) else "bigint"
    if all(_DOUBLE.fullmatch(value) for value in values):
        return "double"
    return "date" if all(_is_date(value) for value in values) else "string"


def _is_date(value: str) -> bool:
    try:
        return bool(_DATE.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False
