"""Schemas that users write beside an input: an Avro record, Spark's JSON, or DDL, as columns of Spark.

Avro's types become those of Spark's own Avro reader (Spark SQL guide, Apache Avro Data Source, Supported types).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql.types import DataType, StructType

    from dataos_dagster.depots.requests import GivenSchema
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location

_AVRO_PRIMITIVES: Mapping[str, str] = {
    "boolean": "BooleanType",
    "int": "IntegerType",
    "long": "LongType",
    "float": "FloatType",
    "double": "DoubleType",
    "bytes": "BinaryType",
    "string": "StringType",
    "enum": "StringType",
    "null": "NullType",
}
_AVRO_LOGICAL: Mapping[str, str] = {
    "date": "DateType",
    "timestamp-millis": "TimestampType",
    "timestamp-micros": "TimestampType",
    "local-timestamp-millis": "TimestampNTZType",
    "local-timestamp-micros": "TimestampNTZType",
}


def columns_of(given: GivenSchema, session: EngineSession, *, location: Location | None = None) -> StructType:
    """Return the columns that a schema describes.

    Raises:
        SchemaMismatch: The text is no schema of its language; says where it goes wrong.
    """
    from pyspark.sql.types import StructType

    try:
        if given.language == "ddl":
            with session.failures(location):
                return session.spark.createDataFrame([], given.text).schema
        written = json.loads(given.text)
        return avro_columns(written) if given.language == "avro" else StructType.fromJson(written)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise SchemaMismatch(
            f"the given schema is no {given.language} schema: it {what}"[:400],
            hint="write an Avro record, Spark's JSON of a struct, or DDL such as `id bigint, name string`",
            location=location,
        ) from None


def avro_columns(record: Mapping[str, Any]) -> StructType:
    """Return the columns of an Avro record.

    Raises:
        KeyError: A record, field or type lacks what it needs.
        ValueError: A type is unknown.
    """
    from pyspark.sql.types import StructField, StructType

    fields = []
    for field in record["fields"]:
        type_, nullable = _avro_type(field["type"])
        comment = {"comment": field["doc"]} if field.get("doc") else None
        fields.append(StructField(field["name"], type_, nullable, comment))
    return StructType(fields)


def _avro_type(written: Any) -> tuple[DataType, bool]:
    """Return the type of a field and whether it may be null."""
    from pyspark.sql import types

    if isinstance(written, list):
        choices = [choice for choice in written if choice != "null"]
        if len(choices) != 1:
            raise ValueError(f"has a union of {len(choices)} types; only a type and null can be read")
        return _avro_type(choices[0])[0], "null" in written
    if isinstance(written, dict):
        return _avro_complex(written), False
    if written not in _AVRO_PRIMITIVES:
        raise ValueError(f"names the unknown type {written!r}")
    return getattr(types, _AVRO_PRIMITIVES[written])(), written == "null"


def _avro_complex(written: Mapping[str, Any]) -> DataType:
    from pyspark.sql import types

    logical, kind = written.get("logicalType"), written["type"]
    if logical == "decimal":
        return types.DecimalType(written["precision"], written.get("scale", 0))
    if logical in _AVRO_LOGICAL or kind in {"fixed", "enum"}:
        name = _AVRO_LOGICAL.get(logical or "", "BinaryType" if kind == "fixed" else "StringType")
        found: DataType = getattr(types, name)()
    elif kind == "record":
        found = avro_columns(written)
    elif kind == "array":
        found = types.ArrayType(*_avro_type(written["items"]))
    elif kind == "map":
        found = types.MapType(types.StringType(), *_avro_type(written["values"]))
    else:
        found = _avro_type(kind)[0]
    return found
