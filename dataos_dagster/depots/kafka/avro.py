"""Avro in the values of messages: plain, or behind the id of its schema as a schema registry's clients write it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql.connect.column import Column
    from pyspark.sql.types import DataType, StructType

    from dataos_dagster.depots.kafka.registry import RegisteredSchema
    from dataos_dagster.errors import Location

# What Spark says of a value whose schema no version of the subject is; `flare.streaming.failures` knows it.
UNKNOWN_SCHEMA = "was written with a schema that the registry has not among the versions of its subject"
# A zero, and the four bytes of the schema's id.
_HEADER = 5
# Longer than any message.
_REST = 2**31 - 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVES: Mapping[str, Any] = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "int": "int",
    "bigint": "long",
    "float": "float",
    "double": "double",
    "string": "string",
    "binary": "bytes",
    "void": "null",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
    "timestamp_ntz": {"type": "long", "logicalType": "local-timestamp-micros"},
}


def plain(value: Column, schema: str, options: Mapping[str, str]) -> Column:
    """Return the record that a value is, without anything in front of it."""
    from pyspark.sql.avro.functions import from_avro

    return from_avro(value, schema, dict(options))


def behind_header(value: Column) -> Column:
    """Return what stands behind the id of the schema."""
    return value.substr(_HEADER + 1, _REST)


def registered(
    value: Column, writers: Iterable[RegisteredSchema], reader: str, options: Mapping[str, str], *, strict: bool
) -> Column:
    """Return the record that a value is, read by the schema that its header names and seen through another one.

    Args:
        value: Header and record.
        writers: Schemas that may be named.
        reader: The schema whose columns every record gets: what was added has its default in older records.
        options: Of the parser.
        strict: A value with another schema, or without a header, ends the query; else it is null, as one is that
            cannot be parsed.
    """
    from pyspark.sql.avro.functions import from_avro
    from pyspark.sql.functions import col, concat, conv, lit, raise_error, substring, when
    from pyspark.sql.functions import hex as hexadecimal

    begins = substring(value, 1, 1) == lit(b"\x00")
    number = conv(hexadecimal(substring(value, 2, _HEADER - 1)), 16, 10)
    record, seen = behind_header(value), {**options, "avroSchema": reader}
    found = when(value.isNull(), lit(None))
    for writer in writers:
        found = found.when(begins & (number == lit(str(writer.id))), from_avro(record, writer.text, seen))
    if strict:
        offset, partition = (col(name).cast("string") for name in ("offset", "partition"))
        said = (lit("the message at offset "), offset, lit(" of partition "), partition, lit(f" {UNKNOWN_SCHEMA}"))
        found = found.otherwise(raise_error(concat(*said)))
    return found


def with_header(record: Column, number: int) -> Column:
    """Return a record behind the id of its schema."""
    from pyspark.sql.functions import concat, lit

    return concat(lit(b"\x00" + number.to_bytes(_HEADER - 1, "big")), record)


def record_schema(columns: StructType, name: str, *, location: Location | None = None) -> str:
    """Return columns as an Avro record, each that may be null as a union with a default, so that versions go together.

    Args:
        columns: Of the rows.
        name: Of the record; what Avro does not allow in it is replaced.
        location: Where the manifest asks for it.

    Raises:
        SchemaMismatch: A column has a name or a type that Avro has not.
    """
    found = _record(columns, re.sub(r"^(?=\d)|\W", "_", name, flags=re.ASCII), location)
    return json.dumps(found, separators=(",", ":"))


def _record(columns: StructType, name: str, location: Location | None) -> dict[str, Any]:
    fields = []
    for column in columns:
        if not _NAME.fullmatch(column.name):
            raise SchemaMismatch(
                f"Avro has no name for the column {column.name!r}",
                hint="rename it in a step, or all of them with cleanse_column_names: letters, digits and underscores",
                location=location,
            )
        # Inside the name of the record around it, so that no two nested ones are called the same.
        inner = _type(column.dataType, f"{name}.{column.name}", location)
        field: dict[str, Any] = {"name": column.name, "type": inner}
        if column.nullable and inner != "null":
            field |= {"type": ["null", inner], "default": None}
        fields.append(field)
    return {"type": "record", "name": name, "fields": fields}


def _type(type_: DataType, name: str, location: Location | None) -> Any:
    """Return the Avro type of a column; `name` tells nested records apart."""
    from pyspark.sql import types

    if isinstance(type_, types.StructType):
        return _record(type_, name, location)
    if isinstance(type_, types.ArrayType):
        items = _type(type_.elementType, name, location)
        return {"type": "array", "items": ["null", items] if type_.containsNull else items}
    if isinstance(type_, types.MapType) and isinstance(type_.keyType, types.StringType):
        values = _type(type_.valueType, name, location)
        return {"type": "map", "values": ["null", values] if type_.valueContainsNull else values}
    if isinstance(type_, types.DecimalType):
        return {"type": "bytes", "logicalType": "decimal", "precision": type_.precision, "scale": type_.scale}
    simple = "string" if isinstance(type_, types.StringType) else type_.simpleString()
    if simple not in _PRIMITIVES:
        raise SchemaMismatch(
            f"Avro has no type for {simple} ({name})",
            hint="cast it in a step, such as to string",
            location=location,
        )
    return _PRIMITIVES[simple]
