"""Reading JSON into columns as Spark's `from_json` does, malformed texts and values of other types included.

Spark 4.1 (`JacksonParser`, PERMISSIVE): a text that is no object gives a row of nulls, an empty one gives null. A value
of another type than its field's is null and the other fields are kept; a list or map with such a value is null as a
whole. Whatever a text field holds is kept as JSON. What stands behind the first value is not looked at.
"""

from __future__ import annotations

import decimal
import json
import math
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataos_dagster.flare.functions.kernels.distinct import over_distinct

if TYPE_CHECKING:
    from collections.abc import Callable

_SPECIAL = {
    "NaN": math.nan,
    "+INF": math.inf,
    "INF": math.inf,
    "+Infinity": math.inf,
    "Infinity": math.inf,
    "-INF": -math.inf,
    "-Infinity": -math.inf,
}
# Strings in either kind of quotes.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_CONTEXT = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)


class Mismatch(Exception):
    """A value is not of the type of its place."""


def read_rows(column: pa.Array, row: pa.DataType) -> pa.Array:
    """Return a struct for each JSON text.

    Args:
        column: Texts.
        row: A struct type of texts, numbers, booleans, and lists, maps and structs of them.
    """
    read = _reader(row)
    # Numbers with a fraction keep their digits, for columns of decimals.
    decoder = json.JSONDecoder(parse_float=decimal.Decimal, parse_constant=_SPECIAL.__getitem__)
    nothing = dict.fromkeys(field.name for field in row)

    def row_of(text: str) -> dict[str, Any] | None:
        stripped = text.strip(" \t\r\n")
        if not stripped:
            return None
        try:
            value, _ = decoder.raw_decode(_in_double_quotes(stripped))
            found: dict[str, Any] = read(value)
        except (ValueError, RecursionError, Mismatch):
            return nothing
        return found

    return over_distinct(column, row_of, row)


def _in_double_quotes(text: str) -> str:
    if "'" not in text:
        return text
    return _STRING.sub(_double_quoted, text)


def _double_quoted(found: re.Match[str]) -> str:
    if found[0][0] == '"':
        return found[0]
    inside = found[0][1:-1].replace("\\'", "'")
    return '"' + re.sub(r'(?<!\\)"', r"\"", inside) + '"'


def _reader(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return the function that makes a value of a type from one of JSON, or raises Mismatch."""
    if pa.types.is_nested(kind):
        if pa.types.is_struct(kind):
            return _struct_reader(kind)
        return _map_reader(kind) if pa.types.is_map(kind) else _list_reader(kind)
    if pa.types.is_integer(kind):
        return _integer_reader(kind.bit_width)
    if pa.types.is_decimal(kind):
        return _decimal_reader(kind.precision, kind.scale)
    if pa.types.is_floating(kind):
        return _float
    return _boolean if pa.types.is_boolean(kind) else _text


def _or_null(read: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        return None
    try:
        return read(value)
    except Mismatch:
        return None


def _struct_reader(kind: pa.DataType) -> Callable[[Any], Any]:
    readers = {field.name: _reader(field.type) for field in kind}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch
        return {name: _or_null(reader, value.get(name)) for name, reader in readers.items()}

    return read


def _list_reader(kind: pa.DataType) -> Callable[[Any], Any]:
    reader = _reader(kind.value_type)

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Mismatch
        return [None if item is None else reader(item) for item in value]

    return read


def _map_reader(kind: pa.DataType) -> Callable[[Any], Any]:
    reader = _reader(kind.item_type)

    def read(value: Any) -> list[tuple[str, Any]]:
        if not isinstance(value, dict):
            raise Mismatch
        return [(key, None if item is None else reader(item)) for key, item in value.items()]

    return read


def _integer_reader(bits: int) -> Callable[[Any], Any]:
    limit = 1 << (bits - 1)
    # Java's parser takes bytes without a sign as well, which then wrap.
    highest = 2 * limit if bits == 8 else limit  # noqa: PLR2004 - bits of a byte

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < highest:
            raise Mismatch
        return value if value < limit else value - 2 * limit

    return read


def _decimal_reader(precision: int, scale: int) -> Callable[[Any], Any]:
    def read(value: Any) -> decimal.Decimal:
        if isinstance(value, bool) or not isinstance(value, int | decimal.Decimal | str):
            raise Mismatch
        try:
            exact = decimal.Decimal(value)
            rounded = exact.quantize(decimal.Decimal(1).scaleb(-scale), context=_CONTEXT)
        except decimal.InvalidOperation:
            raise Mismatch from None
        if rounded and rounded.adjusted() >= precision - scale:
            raise Mismatch
        return rounded

    return read


def _float(value: Any) -> float:
    if isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal):
        raise Mismatch
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Mismatch
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    """Return a value as compact JSON, numbers as Java writes them."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_written(key)}:{_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    if isinstance(value, float | decimal.Decimal):
        return java_double(float(value))
    return json.dumps(value, ensure_ascii=False)


def java_double(number: float) -> str:
    """Return a number as Java's `Double.toString` does: `1.0E10`, `0.001`, `1.0E-5`."""
    if math.isnan(number) or math.isinf(number):
        return '"NaN"' if math.isnan(number) else f'"{"-" if number < 0 else ""}Infinity"'
    sign, digits, exponent = decimal.Decimal(repr(float(number))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = len(digits) + int(exponent)
    minus = "-" if sign else ""
    if text == "0":
        return f"{minus}0.0"
    if -3 < point <= 7:  # noqa: PLR2004 - Java writes 0.001 to 9999999.9 without an exponent
        whole = text[:point].ljust(point, "0") if point > 0 else "0"
        fraction = text[point:] if point > 0 else "0" * -point + text
        return f"{minus}{whole}.{fraction or '0'}"
    return f"{minus}{text[0]}.{text[1:] or '0'}E{point - 1}"
