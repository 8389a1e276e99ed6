"""Columns of a PostgreSQL table: what the database has, what Spark gets, and the SQL that gives both engines the same.

Types follow Spark's PostgreSQL dialect (Spark SQL guide, JDBC To Other Databases, Mapping Spark SQL Data Types from
PostgreSQL). Where that leaves the result to a time zone of the JVM or has no type, the query casts: timestamps without
a zone are taken as UTC, a time of day lies on 1970-01-01, and what Spark does not know comes as text.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.postgresql.connection import identifier, literal
from dataos_dagster.errors import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql.types import DataType, StructType

MOST_DIGITS = 38
# What `atttypmod` of a numeric holds besides precision and scale (PostgreSQL source, VARHDRSZ).
_MODIFIER_BASE = 4
# What Spark takes for a numeric column that was declared without precision.
_OPEN_DECIMAL = (38, 18)

_SIMPLE: Mapping[str, str] = {
    "int2": "ShortType",
    "int4": "IntegerType",
    "int8": "LongType",
    "oid": "LongType",
    "float4": "FloatType",
    "float8": "DoubleType",
    "bool": "BooleanType",
    "date": "DateType",
    "bytea": "BinaryType",
    "timestamp": "TimestampType",
    "timestamptz": "TimestampType",
    "time": "TimestampType",
}
_ARRAY_ELEMENTS = frozenset({"int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "bpchar"})

_COLUMNS = """
SELECT a.attname, coalesce(b.typname, t.typname), coalesce(e.typname, ''), a.attnotnull::text,
       (CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)::text,
       format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), '')
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TYPES = """
SELECT t.oid::int8, coalesce(b.typname, t.typname), coalesce(e.typname, ''),
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE -1 END::int8, format_type(t.oid, -1)
FROM pg_type t
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
WHERE t.oid IN ({oids})
"""
_MAKES_VIEWS = """
SELECT current_setting('transaction_read_only') = 'off' AND has_database_privilege(current_database(), 'TEMP')
"""


@dataclass(frozen=True, slots=True)
class PostgresqlColumn:
    """A column as the database has it.

    Attributes:
        type: Name of its type in pg_type; of the base type for a domain.
        element: Name of the element's type for an array, else empty.
        modifier: `atttypmod`: precision and scale of a numeric, -1 without.
        declared: Its type in SQL, such as `character varying(20)`.
    """

    name: str
    type: str
    element: str
    modifier: int
    declared: str
    not_null: bool
    comment: str

    @property
    def is_array(self) -> bool:
        """Return whether it is an array whose elements Spark has a type for."""
        return self.element in _ARRAY_ELEMENTS

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Return precision and scale of a numeric, as Spark bounds them."""
        if self.type != "numeric":
            return None
        if self.modifier < 0:
            return _OPEN_DECIMAL
        bits = self.modifier - _MODIFIER_BASE
        precision, scale = (bits >> 16) & 0xFFFF, bits & 0x7FF
        return min(precision, MOST_DIGITS), min(scale, MOST_DIGITS)

    @property
    def spark_type(self) -> DataType:
        """Return its type in Spark."""
        from pyspark.sql import types

        if self.decimal is not None:
            return types.DecimalType(*self.decimal)
        if self.is_array:
            return types.ArrayType(getattr(types, _SIMPLE.get(self.element, "StringType"))())
        found: DataType = getattr(types, _SIMPLE.get(self.type, "StringType"))()
        return found

    @property
    def expression(self) -> str:
        """Return the SQL that reads it, with a type that JDBC and Arrow turn into the same."""
        name = identifier(self.name)
        if self.decimal is not None:
            return f"{name}::numeric({self.decimal[0]},{self.decimal[1]})"
        if self.is_array:
            return f"{name}::text[]" if self.element not in _SIMPLE else name
        if self.type == "timestamp":
            return f"{name} AT TIME ZONE 'UTC'"
        if self.type == "time":
            return f"(DATE '1970-01-01' + {name}) AT TIME ZONE 'UTC'"
        if self.type == "oid":
            return f"{name}::int8"
        return name if self.type in _SIMPLE else f"{name}::text"


def read_columns(cursor: Any, schema: str, table: str) -> tuple[PostgresqlColumn, ...]:
    """Return the columns of a table or view in their order; none when there is no such relation."""
    cursor.execute(_COLUMNS.format(schema=literal(schema), table=literal(table)))
    return tuple(
        PostgresqlColumn(name, type_, element, int(modifier), declared, not_null == "true", comment)
        for name, type_, element, not_null, modifier, declared, comment in cursor.fetchall()
    )


def read_query_columns(cursor: Any, query: str) -> tuple[PostgresqlColumn, ...]:
    """Return the columns of a query's result; the transaction is to be rolled back after it.

    A view that only this session sees has them: the database itself types the query, and runs nothing of it. Where none
    can be made, a numeric counts as one that was declared without precision: nothing else tells that of a query.
    """
    cursor.execute(_MAKES_VIEWS)
    if not cursor.fetchone()[0]:
        return _columns_without_view(cursor, query)
    view = f"dataos_query_{uuid.uuid4().hex[:12]}"
    cursor.execute(f"CREATE TEMPORARY VIEW {view} AS {query}")
    cursor.execute("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
    return read_columns(cursor, cursor.fetchone()[0], view)


def _columns_without_view(cursor: Any, query: str) -> tuple[PostgresqlColumn, ...]:
    """Return the columns of a query's result where nothing can be made: on a read replica, or for want of a right."""
    # The query may end with a comment, which ends with its line.
    cursor.execute(f"SELECT * FROM ({query}\n) dataset LIMIT 0")  # noqa: S608 - a query is what was asked for
    names = [column[0] for column in cursor.description]
    listed = ", ".join(f"pg_typeof(dataset.{identifier(name)})::oid::int8" for name in names)
    # A join with nothing gives one row of nulls, whose types are those of the query.
    cursor.execute(f"SELECT {listed} FROM (SELECT) one LEFT JOIN ({query}\n) dataset ON false")  # noqa: S608 - see above
    oids = cursor.fetchone()
    cursor.execute(_TYPES.format(oids=", ".join(map(str, oids))))
    types = {
        oid: (type_, element, int(modifier), declared) for oid, type_, element, modifier, declared in cursor.fetchall()
    }
    return tuple(PostgresqlColumn(name, *types[oid], False, "") for name, oid in zip(names, oids, strict=True))


def spark_schema(columns: Sequence[PostgresqlColumn]) -> StructType:
    """Return the columns as Spark has them; each admits nulls, as in Spark's own reader."""
    from pyspark.sql.types import StructField, StructType

    return StructType(
        [
            StructField(column.name, column.spark_type, True, {"comment": column.comment} if column.comment else None)
            for column in columns
        ]
    )


def select(columns: Sequence[PostgresqlColumn], relation: str) -> str:
    """Return the query that reads columns of a relation.

    Args:
        columns: Those wanted.
        relation: A quoted table, or a query in parentheses with an alias.
    """
    listed = ", ".join(f"{column.expression} AS {identifier(column.name)}" for column in columns)
    return f"SELECT {listed} FROM {relation}"  # noqa: S608 - every name is quoted


_CREATED: Mapping[str, str] = {
    "tinyint": "smallint",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double precision",
    "boolean": "boolean",
    "string": "text",
    "binary": "bytea",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "timestamp_ntz": "timestamp without time zone",
}


def declared_type(type_: DataType) -> str | None:
    """Return the type of a column that is made for a type of Spark, or None when there is none."""
    from pyspark.sql.types import ArrayType, DecimalType

    if isinstance(type_, DecimalType):
        return f"numeric({type_.precision},{type_.scale})"
    if isinstance(type_, ArrayType):
        element = None if isinstance(type_.elementType, ArrayType) else declared_type(type_.elementType)
        return f"{element}[]" if element else None
    return _CREATED.get(type_.simpleString())


def create_statement(name: str, schema: StructType, *, unlogged: bool = False) -> str:
    """Return the statement that creates a table for a frame.

    Args:
        name: The table, quoted.
        schema: Columns of the frame.
        unlogged: For a table that is gone after the write.

    Raises:
        SchemaMismatch: PostgreSQL has no type for a column.
    """
    refused = [f"{f.name} {f.dataType.simpleString()}" for f in schema.fields if declared_type(f.dataType) is None]
    if refused:
        raise SchemaMismatch(
            f"{name}: PostgreSQL holds no column like {', '.join(refused)}",
            hint="select the fields of a struct, or write to_json(…)",
        )
    listed = ", ".join(f"{identifier(field.name)} {declared_type(field.dataType)}" for field in schema.fields)
    return f"CREATE {'UNLOGGED ' if unlogged else ''}TABLE {name} ({listed})"
