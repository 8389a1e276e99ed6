"""Types of Iceberg as types of Spark (Iceberg specification, Schemas and Data Types; Iceberg's Spark documentation)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.requests import Column
from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import DataType, StructType

_SPARK_NAMES: Mapping[str, str] = {
    "boolean": "BooleanType",
    "int": "IntegerType",
    "long": "LongType",
    "float": "FloatType",
    "double": "DoubleType",
    "date": "DateType",
    # Spark has no time of day that Iceberg's would become; it reads such columns as text.
    "time": "StringType",
    "timestamp": "TimestampNTZType",
    "timestamptz": "TimestampType",
    "string": "StringType",
    "uuid": "StringType",
    "binary": "BinaryType",
    "variant": "VariantType",
    "unknown": "NullType",
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def spark_schema(schema: Mapping[str, Any]) -> StructType:
    """Return the columns of a schema of Iceberg's metadata, comments included.

    Raises:
        DepotUnsupported: A type has no equal in Spark.
    """
    from pyspark.sql.types import StructField, StructType

    return StructType(
        [
            StructField(
                field["name"],
                _spark_type(field["type"]),
                not field["required"],
                {"comment": field["doc"]} if field.get("doc") else None,
            )
            for field in schema["fields"]
        ]
    )


def columns_of_schema(schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a schema of Iceberg's metadata, as results name them.

    Raises:
        DepotUnsupported: A type has no equal in Spark.
    """
    return tuple(
        Column(field.name, field.dataType.simpleString(), field.nullable, (field.metadata or {}).get("comment"))
        for field in spark_schema(schema).fields
    )


def all_optional(found: Any) -> Any:
    """Return a type of Spark, or columns, with every column, field, element and value admitting nulls."""
    from pyspark.sql import types

    if isinstance(found, types.StructType):
        fields = found.fields
        return types.StructType([types.StructField(f.name, all_optional(f.dataType), True, f.metadata) for f in fields])
    if isinstance(found, types.ArrayType):
        return types.ArrayType(all_optional(found.elementType))
    if isinstance(found, types.MapType):
        return types.MapType(found.keyType, all_optional(found.valueType))
    return found


def without_views(frame: DataFrame) -> DataFrame:
    """Return a frame whose texts and binaries are Arrow's plain ones, however deep they lie.

    Some functions of Sail, such as md5, give views (Utf8View, BinaryView), which it does not write into a table that is
    there. A cast to the type that Spark's side sees makes them plain, and costs nothing where they are.
    """
    fields = frame.schema.fields
    if not any(_may_hold_views(field.dataType) for field in fields):
        return frame
    columns = []
    for field in fields:
        column = frame[quoted(field.name)]
        columns.append(column.cast(field.dataType).alias(field.name) if _may_hold_views(field.dataType) else column)
    return frame.select(*columns)


def _may_hold_views(found: DataType) -> bool:
    text = found.simpleString()
    return "string" in text or "binary" in text


def _spark_type(found: Any) -> DataType:
    from pyspark.sql import types

    if isinstance(found, dict):
        match found["type"]:
            case "struct":
                return spark_schema(found)
            case "list":
                return types.ArrayType(_spark_type(found["element"]), not found["element-required"])
            case "map":
                key, value = _spark_type(found["key"]), _spark_type(found["value"])
                return types.MapType(key, value, not found["value-required"])
    elif decimal := _DECIMAL.fullmatch(found):
        return types.DecimalType(int(decimal[1]), int(decimal[2]))
    elif found.startswith("fixed["):
        return types.BinaryType()
    elif found in _SPARK_NAMES:
        made: DataType = getattr(types, _SPARK_NAMES[found])()
        return made
    raise DepotUnsupported(f"Iceberg's type {found!r} is not read yet", hint="leave the column out on the writing side")
