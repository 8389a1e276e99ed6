"""What is in a message: rows to key and value, and back.

Without a schema a reader gets Kafka's own columns, key and value as bytes; with one, the columns of the value. A writer
with columns other than Kafka's gets each row as one document in the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.given_schema import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql.connect.column import Column
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.engines.session import EngineSession

# Columns that Spark's sink takes as they are.
_MESSAGE = frozenset({"key", "value", "headers", "topic", "partition"})
# Options of the parser, which the source does not know.
PARSER_OPTIONS = frozenset(
    {"mode", "columnnameofcorruptrecord", "dateformat", "timestampformat", "allowsinglequotes", "primitivesasstring"}
)


def is_avro(format_: str | None) -> bool:
    """Return whether values are Avro; they are JSON otherwise."""
    return "avro" in (format_ or "").lower()


def parsed(frame: DataFrame, request: ReadRequest, session: EngineSession) -> DataFrame:
    """Return the columns of the values where a schema is given, else the frame as it is."""
    from pyspark.sql.functions import col, from_json

    if request.schema is None:
        return frame
    # The parser takes no empty map of options.
    options = {"mode": "PERMISSIVE"}
    options |= {key: value for key, value in request.options.items() if key.lower() in PARSER_OPTIONS}
    if is_avro(request.format):
        from pyspark.sql.avro.functions import from_avro

        value = from_avro(_without_registry_header(), _avro_schema(request), options)
    else:
        columns = columns_of(request.schema, session, location=request.location)
        value = from_json(col("value").cast("string"), columns, options)
    return frame.select(value.alias("value")).select("value.*")


def as_messages(frame: DataFrame, format_: str | None) -> DataFrame:
    """Return the frame as messages: Kafka's own columns, or each row as one document in the value."""
    from pyspark.sql.functions import col, struct, to_json

    names = {name.lower() for name in frame.columns}
    if "value" in names and names <= _MESSAGE:
        return frame
    row = struct(*(col(f"`{name.replace('`', '``')}`") for name in frame.columns))
    if is_avro(format_):
        from pyspark.sql.avro.functions import to_avro

        return frame.select(to_avro(row).alias("value"))
    return frame.select(to_json(row, {"ignoreNullFields": "false"}).alias("value"))


def written_schema(format_: str | None) -> Mapping[str, str]:
    """Return the columns of a message that is written."""
    return {"value": "binary" if is_avro(format_) else "string"}


def _avro_schema(request: ReadRequest) -> str:
    assert request.schema is not None  # noqa: S101 - callers ask before
    return request.schema.text


def _without_registry_header() -> Column:
    """Return the value without the five bytes that a schema registry's writers put in front: 0 and the schema's id."""
    from pyspark.sql.functions import expr

    header = "length(value) > 5 AND substring(value, 1, 1) = X'00'"
    return expr(f"CASE WHEN {header} THEN substring(value, 6, length(value) - 5) ELSE value END")
