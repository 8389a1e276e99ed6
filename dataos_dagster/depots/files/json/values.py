"""Turn parsed JSON into values of a column's type as Spark's JSON parser does (`JacksonParser`, Spark 4.1)."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.json.documents import decimal_of, raw_members, spelled
from dataos_dagster.depots.files.patterns import read_date, read_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.types import DataType, DecimalType

# Room for the digits before and behind the point of every decimal of Spark, whose widest has 38.
_DECIMALS = Context(prec=76, rounding=ROUND_HALF_UP)
_LIMITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}
_SPECIAL |= {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf}


class Malformed(ValueError):
    """A value does not fit its column's type.

    Attributes:
        partial: What stands in its place: null, or a struct with nulls for the fields that do not fit.
    """

    def __init__(self, partial: Any = None) -> None:
        self.partial = partial
        super().__init__("malformed value")


def value_of(value: Any, type_: DataType, raw: Callable[[], str]) -> Any:  # noqa: PLR0911 - one for each type
    """Return a value as Arrow's builder takes it.

    Args:
        value: As the parser gave it.
        type_: Type of the column, field or element.
        raw: Returns the value as it is written; asked when a column of texts holds an object or array.

    Raises:
        Malformed: It does not fit the type.
    """
    from pyspark.sql.types import ArrayType, DecimalType, MapType, StructType

    if value is None:
        return None
    if isinstance(type_, StructType):
        return _struct(value, type_, raw)
    if isinstance(type_, ArrayType):
        if not isinstance(value, list):
            raise Malformed
        return [value_of(item, type_.elementType, partial(spelled, item)) for item in value]
    if isinstance(type_, MapType):
        if not isinstance(value, dict):
            raise Malformed
        return [(key, value_of(item, type_.valueType, partial(spelled, item))) for key, item in value.items()]
    if isinstance(type_, DecimalType):
        return _decimal(value, type_)
    if type_.simpleString() == "string" and isinstance(value, (dict, list)):
        return raw()
    return _scalar(value, type_.simpleString())


def _struct(value: Any, type_: Any, raw: Callable[[], str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed
    members = cache(lambda: raw_members(raw()))
    row: dict[str, Any] = {}
    malformed = False
    for field in type_.fields:
        name = field.name
        found = value.get(name)
        try:
            row[name] = value_of(found, field.dataType, partial(_member, members, name, found))
        except Malformed as error:
            row[name] = error.partial
            malformed = True
    if malformed:
        raise Malformed(row)
    return row


def _member(members: Callable[[], dict[str, str]], name: str, value: Any) -> str:
    return members().get(name) or spelled(value)


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return spelled(value)
    found: Any
    if isinstance(value, bool):
        found = value if kind == "boolean" else None
    elif kind in _LIMITS:
        limit = 1 << _LIMITS[kind]
        found = value if isinstance(value, int) and -limit <= value < limit else None
    elif kind in {"float", "double"}:
        found = float(value) if isinstance(value, (int, float)) else _SPECIAL.get(value)
    elif kind == "binary":
        found = _binary(value)
    else:
        found = _moment(value, kind)
    if found is None:
        raise Malformed
    return found


def _moment(value: Any, kind: str) -> date | datetime | None:
    if isinstance(value, str) and kind == "date":
        return read_date(value)
    if isinstance(value, str) and kind.startswith("timestamp"):
        moment = read_timestamp(value)
        return moment.replace(tzinfo=None) if moment and kind == "timestamp_ntz" else moment
    # A whole number is seconds since 1970.
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) and kind == "timestamp" else None


def _binary(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except binascii.Error:
        return None


def _decimal(value: Any, type_: DecimalType) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Malformed
    try:
        number = Decimal(value) if isinstance(value, str) else decimal_of(value)
        rounded = number.quantize(Decimal(1).scaleb(-type_.scale), context=_DECIMALS)
    except InvalidOperation:
        raise Malformed from None
    if len(rounded.as_tuple().digits) > type_.precision:
        raise Malformed
    return rounded
