"""Reading JSON into columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from dataos_dagster.flare.functions.computing import ComputingOne
from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError
from dataos_dagster.flare.functions.vectorised import vectorised
from dataos_dagster.manifests.model import JsonText

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType, StructType

    from dataos_dagster.flare.functions.rows import Rows


class ParseAsJson(ComputingOne):
    """Read JSON texts into a struct; what is malformed or of another type becomes null, field by field."""

    name: ClassVar[str] = "parse_as_json"

    spark_schema: Annotated[
        JsonText | None,
        Field(description="Columns as Spark's JSON of a struct, or DDL such as `id bigint, name string`."),
    ] = None
    avro_schema: Annotated[JsonText | None, Field(description="Columns as an Avro record.")] = None

    @model_validator(mode="after")
    def _one_schema(self) -> Self:
        if (self.spark_schema is None) == (self.avro_schema is None):
            raise ValueError("one of sparkSchema and avroSchema says what the JSON holds")
        text = self.avro_schema or self.spark_schema or ""
        if self.avro_schema is not None or text.lstrip().startswith("{"):
            try:
                written = json.loads(text)
            except ValueError as error:
                raise ValueError(f"the schema is no JSON: {error}") from None
            if not isinstance(written, dict) or "fields" not in written:
                raise ValueError("the schema has no `fields`")
        return self

    def value(self, rows: Rows) -> Column:
        """Return the structs."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

        is_struct = rows.type_of(self.column).startswith("struct<")
        text = rows.expression(f"TO_JSON({rows.sql(self.column)})") if is_struct else rows.text(self.column)
        schema = self._schema(rows)
        if rows.engine != "sail":
            return F.from_json(text, schema)
        self._refuse_moments(schema)
        from pyspark.sql.pandas.types import to_arrow_type

        from dataos_dagster.flare.functions.kernels.json_texts import read_rows

        return vectorised(read_rows, schema, text, to_arrow_type(schema))

    def _schema(self, rows: Rows) -> StructType:
        from pyspark.errors import PySparkException
        from pyspark.sql.types import StructType

        from dataos_dagster.depots.given_schema import avro_columns

        try:
            if self.avro_schema is not None:
                return _nullable(avro_columns(json.loads(self.avro_schema)))
            text = (self.spark_schema or "").strip()
            if text.startswith("{"):
                return _nullable(StructType.fromJson(json.loads(text)))
            return _nullable(rows.frame.sparkSession.createDataFrame([], text).schema)
        except (PySparkException, ValueError, KeyError, TypeError, AttributeError) as error:
            told = f"it lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
            raise FunctionError(
                f"{self.name}: the schema cannot be read: {told}"[:400],
                hint="write Spark's JSON of a struct, DDL such as `id bigint, name string`, or an Avro record",
            ) from None

    def _refuse_moments(self, schema: StructType) -> None:
        names = schema.simpleString()
        for word in ("timestamp", "date", "binary"):
            if f":{word}" in names or f"<{word}" in names or f",{word}" in names:
                raise EngineUnsuited(
                    f"{self.name}: Sail is not known to read {word} out of JSON as Spark does",
                    hint="run the job on Spark, or read it as a string and cast it with set_type",
                )


def _nullable(schema: StructType) -> StructType:
    """Return a schema without columns that must not be null: JSON may always lack one."""
    found: StructType = _without_not_null(schema)
    return found


def _without_not_null(kind: DataType) -> DataType:
    from pyspark.sql import types

    if isinstance(kind, types.StructType):
        return types.StructType([types.StructField(each.name, _without_not_null(each.dataType)) for each in kind])
    if isinstance(kind, types.ArrayType):
        return types.ArrayType(_without_not_null(kind.elementType))
    if isinstance(kind, types.MapType):
        return types.MapType(kind.keyType, _without_not_null(kind.valueType))
    return kind
