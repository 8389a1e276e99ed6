"""Turn columns of texts into values as Spark's CSV parser does (`UnivocityParser`, Spark 4.1).

A text that is no value of its column's type is null, and its record is malformed. Plain spellings are converted by
Arrow; the others one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.patterns import compile_pattern, read_date, read_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from pyspark.sql.types import DataType, DecimalType

    from dataos_dagster.depots.files.csv.options import CsvOptions

# Room for the digits before and behind the point of every decimal of Spark, whose widest has 38.
_DECIMALS = Context(prec=76, rounding=ROUND_HALF_UP)
_INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_PLAIN_INTEGER = r"^[+-]?\d{1,18}$"
_PLAIN_FLOAT = r"^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$"
_JAVA_FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$"
SUPPORTED = frozenset({*_INTEGERS, "float", "double", "boolean", "date", "timestamp", "timestamp_ntz", "string"})


@dataclass(frozen=True, slots=True)
class Values:
    """A column's values, and which of its texts were none: both Arrow arrays of one length."""

    array: Any
    bad: Any


def is_supported(type_: DataType) -> bool:
    """Return whether a column of this type is read here."""
    from pyspark.sql.types import DecimalType

    return isinstance(type_, DecimalType) or type_.simpleString() in SUPPORTED


def convert(texts: Any, type_: DataType, options: CsvOptions) -> Values:
    """Return the values of a column of texts.

    Args:
        texts: Arrow array of strings; null where nothing stood.
        type_: Type of the column.
        options: How nulls, not-a-number, dates and times are written.
    """
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyspark.sql.types import DecimalType

    texts = pc.if_else(pc.equal(texts, options.null_value), pa.scalar(None, pa.string()), texts)
    name = type_.simpleString()
    if name == "string":
        return Values(texts, pa.array([False] * len(texts), pa.bool_()))
    if name in _INTEGERS:
        array = _integers(texts, _INTEGERS[name])
    elif name in {"float", "double"}:
        array = _floats(texts, pa.float32() if name == "float" else pa.float64(), options)
    elif name == "boolean":
        lower = pc.utf8_lower(texts)
        known = pc.is_in(lower, pa.array(["true", "false"]))
        array = pc.if_else(known, pc.equal(lower, "true"), pa.scalar(None, pa.bool_()))
    elif isinstance(type_, DecimalType):
        array = _each(texts, lambda text: _decimal(text, type_), pa.decimal128(type_.precision, type_.scale))
    elif name == "date":
        array = _each(texts, _date_reader(options), pa.date32())
    else:
        zone = "UTC" if name == "timestamp" else None
        read = _timestamp_reader(options)
        array = _each(texts, read, pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us", tz=zone))
    return Values(array, pc.and_(pc.is_valid(texts), pc.is_null(array)))


def read_float(text: str, options: CsvOptions) -> float | None:
    """Return a number as Java's `Double.parseDouble` reads it, or one of the options' special values."""
    import re

    special = {
        options.nan_value: math.nan,
        options.positive_infinity: math.inf,
        options.negative_infinity: -math.inf,
        "NaN": math.nan,
        "Infinity": math.inf,
        "+Infinity": math.inf,
        "-Infinity": -math.inf,
    }
    if text in special:
        return special[text]
    plain = text.strip()
    if plain in special and plain.lstrip("+-") in {"NaN", "Infinity"}:
        return special[plain]
    return float(plain.rstrip("dDfF")) if re.fullmatch(_JAVA_FLOAT, plain, re.ASCII) else None


def _integers(texts: Any, bits: int) -> Any:
    import pyarrow as pa
    from pyarrow import compute as pc

    limit = 1 << (bits - 1)
    target = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits]
    plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_INTEGER), False)
    chosen = pc.if_else(plain, texts, pa.scalar(None, pa.string()))
    numbers = pc.replace_substring_regex(chosen, r"^\+", "").cast(pa.int64())
    inside = pc.and_(pc.greater_equal(numbers, -limit), pc.less_equal(numbers, limit - 1))
    numbers = pc.if_else(pc.fill_null(inside, False), numbers, pa.scalar(None, pa.int64()))
    if bits == 64:  # noqa: PLR2004 - only there may 19 digits fit
        numbers = pc.coalesce(numbers, _each(pc.if_else(plain, None, texts), _long, pa.int64()))
    return numbers.cast(target)


def _long(text: str) -> int | None:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


def _floats(texts: Any, target: Any, options: CsvOptions) -> Any:
    import pyarrow as pa
    from pyarrow import compute as pc

    plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_FLOAT), False)
    numbers = pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(target)
    rest = pc.if_else(plain, pa.scalar(None, pa.string()), texts)
    if rest.null_count == len(rest):
        return numbers
    others = _each(rest, lambda text: read_float(text, options), pa.float64()).cast(target, safe=False)
    return pc.coalesce(numbers, others)


def _decimal(text: str, type_: DecimalType) -> Decimal | None:
    try:
        number = Decimal(text)
        if not number.is_finite() or text != text.strip() or "_" in text:
            return None
        rounded = number.quantize(Decimal(1).scaleb(-type_.scale), context=_DECIMALS)
    except InvalidOperation:
        return None
    return rounded if len(rounded.as_tuple().digits) <= type_.precision else None


def _date_reader(options: CsvOptions) -> Callable[[str], date | None]:
    if options.date_format is None:
        return read_date
    pattern = compile_pattern(options.date_format)
    assert pattern is not None  # noqa: S101 - `csv_obstacles` has sent other patterns to Spark

    def read(text: str) -> date | None:
        moment = pattern.read(text)
        return moment.date() if moment else None

    return read


def _timestamp_reader(options: CsvOptions) -> Callable[[str], datetime | None]:
    if options.timestamp_format is None:
        return read_timestamp
    pattern = compile_pattern(options.timestamp_format)
    assert pattern is not None  # noqa: S101 - `csv_obstacles` has sent other patterns to Spark
    return pattern.read


def _each(texts: Any, read: Callable[[str], Any], target: Any) -> Any:
    """Return the value of each text, each distinct text being read once."""
    import pyarrow as pa

    packed = texts.dictionary_encode()
    values = pa.array([read(text) for text in packed.dictionary.to_pylist()], target)
    return values.take(packed.indices)
