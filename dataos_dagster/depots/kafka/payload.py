"""What is in a message: rows to key and value, and back.

Without a schema a reader gets Kafka's own columns, key and value as bytes; with one, given or from a schema registry,
the columns of the value. A writer with columns other than Kafka's gets each row as one document in the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.given_schema import columns_of
from dataos_dagster.depots.kafka.avro import behind_header, plain, record_schema, registered, with_header
from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql.connect.column import Column
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.kafka.registry import RegisteredValues, SchemaRegistry
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest
    from dataos_dagster.engines.session import EngineSession

# Columns that Spark's sink takes as they are.
_MESSAGE = frozenset({"key", "value", "headers", "topic", "partition"})
# Options of the parser, which the source does not know.
PARSER_OPTIONS = frozenset(
    {"mode", "columnnameofcorruptrecord", "dateformat", "timestampformat", "allowsinglequotes", "primitivesasstring"}
)


# Values are Avro behind the id of a schema, and no registry is to be asked for it.
HEADER_OPTION = "schemaregistryheader"


def is_avro(format_: str | None) -> bool:
    """Return whether values are Avro; they are JSON otherwise."""
    return "avro" in (format_ or "").lower()


def is_json(format_: str | None) -> bool:
    """Return whether a manifest says that values are JSON."""
    return "json" in (format_ or "").lower()


def parsed(
    frame: DataFrame, request: ReadRequest, session: EngineSession, values: RegisteredValues | None = None
) -> DataFrame:
    """Return the columns of the values where a schema is given or registered, else the frame as it is.

    Args:
        frame: Messages.
        request: Says what is in them.
        session: Where the frame is.
        values: The schemas of a registry, where the values were written with one.

    Raises:
        SchemaMismatch: The given schema is none.
    """
    from pyspark.sql.functions import col

    if request.schema is None and values is None:
        return frame
    given = {key.lower(): value for key, value in request.options.items()}
    # The parser takes no empty map of options.
    options = {"mode": "PERMISSIVE"}
    options |= {key: value for key, value in given.items() if key in PARSER_OPTIONS}
    if values is not None:
        # Only who asks for it gets nulls in place of values whose schema nobody knows.
        strict = given.get("mode", "FAILFAST").upper() != "PERMISSIVE"
        value = registered(col("value"), values.writers, values.reader, options, strict=strict)
    elif is_avro(request.format):
        has_header = given.get(HEADER_OPTION, "").lower() == "true"
        record = behind_header(col("value")) if has_header else col("value")
        value = plain(record, given_avro(request) or "", options)
    else:
        value = _json(request, session, options)
    return frame.select(value.alias("value")).select("value.*")


def given_avro(request: ReadRequest) -> str | None:
    """Return the Avro schema that a request gives; None where it gives none.

    Raises:
        SchemaMismatch: It gives one of another language.
    """
    if request.schema is None:
        return None
    if request.schema.language != "avro":
        raise SchemaMismatch(
            f"{request.target}: its values are Avro, and the schema that is given is {request.schema.language}",
            hint='write a record: {"type": "record", "name": …, "fields": [{"name": …, "type": …}]}',
            location=request.location,
        )
    return request.schema.text


def _json(request: ReadRequest, session: EngineSession, options: Mapping[str, str]) -> Column:
    from pyspark.sql.functions import col, from_json, lit, when

    assert request.schema is not None  # noqa: S101 - callers ask before
    columns = columns_of(request.schema, session, location=request.location)
    # No document begins with a zero; values of a schema registry's clients do. Looked for in every message, and so by a
    # comparison, which takes no part of it.
    value = col("value")
    text = when(value < lit(b"\x01"), behind_header(value)).otherwise(value)
    # Spark reads only the fields that a step uses where it is given no options, not even one that says the default.
    given = {key: option for key, option in options.items() if (key, option.upper()) != ("mode", "PERMISSIVE")}
    return from_json(text.cast("string"), columns, given or None)


def as_messages(
    frame: DataFrame, request: WriteRequest, registry: SchemaRegistry | None = None, subject: str = ""
) -> DataFrame:
    """Return the frame as messages: Kafka's own columns, or each row as one document in the value.

    Args:
        frame: The rows.
        request: Says what the values are to be.
        registry: Gets the schema of Avro values, and its id goes in front of them.
        subject: What the schema is a version of.

    Raises:
        SchemaMismatch: The registry refuses the schema.
    """
    from pyspark.sql.functions import col, struct, to_json

    names = {name.lower() for name in frame.columns}
    if "value" in names and names <= _MESSAGE:
        return frame
    row = struct(*(col(f"`{name.replace('`', '``')}`") for name in frame.columns))
    if not is_avro(request.format):
        return frame.select(to_json(row, {"ignoreNullFields": "false"}).alias("value"))
    from pyspark.sql.avro.functions import to_avro

    if registry is None:
        return frame.select(to_avro(row).alias("value"))
    schema = record_schema(frame.schema, subject, location=request.location)
    return frame.select(with_header(to_avro(row, schema), registry.register(subject, schema)).alias("value"))


def written_schema(format_: str | None) -> Mapping[str, str]:
    """Return the columns of a message that is written."""
    return {"value": "binary" if is_avro(format_) else "string"}
