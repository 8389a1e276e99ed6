"""Types of Iceberg as types of Spark (Iceberg specification, Schemas and Data Types; Iceberg's Spark documentation)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import DepotUnsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

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
