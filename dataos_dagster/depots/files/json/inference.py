"""Find the columns of JSON documents as Spark does (`JsonInferSchema`, Spark 4.1): by name in order, widest type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.files.json.documents import Number
from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql.types import DataType, StructType

    from dataos_dagster.depots.files.json.documents import Record

CORRUPT = "_corrupt_record"
_LONG = 1 << 63
_MOST_DIGITS = 38


def find_columns(records: Iterable[Record], *, primitives_as_string: bool, keep_corrupt: bool) -> StructType:
    """Return the columns that hold every record.

    Args:
        records: All rows.
        primitives_as_string: Take numbers and booleans for texts.
        keep_corrupt: Add a column with the text of rows that are no objects, when there are any.

    Raises:
        SchemaMismatch: Two members' names differ in case only.
    """
    from pyspark.sql.types import StringType, StructField, StructType

    found: DataType = StructType([])
    corrupt = False
    for record in records:
        if record.value is None:
            corrupt = True
        else:
            found = _merged(found, _type(record.value, texts=primitives_as_string))
    columns = _settled(found)
    fields = list(columns.fields) if isinstance(columns, StructType) else []
    if corrupt and keep_corrupt:
        fields = sorted([*fields, StructField(CORRUPT, StringType())], key=lambda field: field.name)
    folded = [field.name.lower() for field in fields]
    if twice := next((name for name in folded if folded.count(name) > 1), None):
        raise SchemaMismatch(
            f"two members of the JSON records are named {twice!r}", hint="give a schema with one of them"
        )
    return StructType(fields)


def _type(value: Any, *, texts: bool) -> DataType:  # noqa: PLR0911 - one for each kind of value
    from pyspark.sql import types

    if value is None:
        return types.NullType()
    if isinstance(value, dict):
        named = sorted(value.items())
        return types.StructType([types.StructField(key, _type(item, texts=texts)) for key, item in named])
    if isinstance(value, list):
        element: DataType = types.NullType()
        for item in value:
            element = _merged(element, _type(item, texts=texts))
        return types.ArrayType(element)
    if isinstance(value, str) or texts:
        return types.StringType()
    if isinstance(value, bool):
        return types.BooleanType()
    if isinstance(value, (Number, float)) or -_LONG <= value < _LONG:
        return types.DoubleType() if isinstance(value, float) else types.LongType()
    digits = len(str(abs(value)))
    return types.DecimalType(digits, 0) if digits <= _MOST_DIGITS else types.DoubleType()


def _merged(first: DataType, second: DataType) -> DataType:  # noqa: PLR0911 - one for each pair of kinds
    from pyspark.sql import types

    if first == second or isinstance(second, types.NullType):
        return first
    if isinstance(first, types.NullType):
        return second
    if isinstance(first, types.StructType) and isinstance(second, types.StructType):
        fields = {field.name: field.dataType for field in first}
        for field in second:
            known = fields.get(field.name)
            fields[field.name] = field.dataType if known is None else _merged(known, field.dataType)
        return types.StructType([types.StructField(name, fields[name]) for name in sorted(fields)])
    if isinstance(first, types.ArrayType) and isinstance(second, types.ArrayType):
        return types.ArrayType(_merged(first.elementType, second.elementType))
    numbers = (types.LongType, types.DecimalType, types.DoubleType)
    if isinstance(first, numbers) and isinstance(second, numbers):
        if types.DoubleType() in {first, second}:
            return types.DoubleType()
        # A long has up to 20 digits in Spark's table of decimals.
        return types.DecimalType(max(20, getattr(first, "precision", 0), getattr(second, "precision", 0)), 0)
    return types.StringType()


def _settled(found: DataType) -> DataType:
    """Return a type without those that no value told: null becomes text, a struct without fields goes."""
    from pyspark.sql import types

    if isinstance(found, types.NullType):
        return types.StringType()
    if isinstance(found, types.ArrayType):
        return types.ArrayType(_settled(found.elementType))
    if isinstance(found, types.StructType):
        settled = ((field.name, _settled(field.dataType)) for field in found)
        return types.StructType(
            [
                types.StructField(name, type_)
                for name, type_ in settled
                if not (isinstance(type_, types.StructType) and not type_.fields)
            ]
        )
    return found
