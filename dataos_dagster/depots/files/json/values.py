"""Turn parsed JSON into values of a column's type as Spark's JSON parser does (`JacksonParser`, Spark 4.1)."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.json.documents import decimal_of, spelled
from dataos_dagster.depots.files.patterns import read_date, read_timestamp

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, DecimalType

_LIMITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_SPECIAL |= {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf}


class Malformed(ValueError):
    """A value does not fit its column's type."""


def value_of(value: Any, type_: DataType) -> Any:
    """Return a value as Arrow's builder takes it.

    Raises:
        Malformed: It does not fit the type.
    """
    from pyspark.sql.types import ArrayType, DecimalType, MapType, StructType

    if value is None:
        return None
    if isinstance(type_, StructType):
        return _struct(value, type_)
    if isinstance(type_, ArrayType):
        if not isinstance(value, list):
            raise Malformed
        return [value_of(item, type_.elementType) for item in value]
    if isinstance(type_, MapType):
        if not isinstance(value, dict):
            raise Malformed
        return [(key, value_of(item, type_.valueType)) for key, item in value.items()]
    if isinstance(type_, DecimalType):
        return _decimal(value, type_)
    return _scalar(value, type_.simpleString())


def _struct(value: Any, type_: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed
    row: dict[str, Any] = {}
    for field in type_.fields:
        try:
            row[field.name] = value_of(value.get(field.name), field.dataType)
        except Malformed:
            row[field.name] = None
    return row


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return spelled(value)
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in _LIMITS and isinstance(value, int) and not isinstance(value, bool):
        limit = 1 << _LIMITS[kind]
        if -limit <= value < limit:
            return value
    if kind in {"float", "double"} and not isinstance(value, bool):
        if isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, str) and value in _SPECIAL:
            return _SPECIAL[value]
    if kind in {"date", "timestamp", "timestamp_ntz"} and isinstance(value, str):
        moment = read_date(value) if kind == "date" else read_timestamp(value)
        if moment is not None:
            return moment.replace(tzinfo=None) if kind == "timestamp_ntz" and isinstance(moment, datetime) else moment
    if kind == "binary" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise Malformed from None
    raise Malformed


def _decimal(value: Any, type_: DecimalType) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Malformed
    try:
        number = Decimal(value) if isinstance(value, str) else decimal_of(value)
        rounded = number.quantize(Decimal(1).scaleb(-type_.scale), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise Malformed from None
    if len(rounded.as_tuple().digits) > type_.precision:
        raise Malformed
    return rounded
