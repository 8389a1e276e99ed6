"""Schemas: what users write, what Iceberg's metadata holds, and which casts keep every value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import types

from dataos_dagster.depots.door import GivenSchema
from dataos_dagster.depots.fitting import keeps_values
from dataos_dagster.depots.given_schema import avro_columns, columns_of
from dataos_dagster.depots.lakehouse.types import all_optional, spark_schema
from dataos_dagster.errors import DepotUnsupported, SchemaMismatch


def test_an_avro_record_becomes_columns():
    record = {
        "type": "record",
        "name": "order",
        "fields": [
            {"name": "id", "type": "long", "doc": "number"},
            {"name": "note", "type": ["null", "string"]},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
            {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
            {"name": "sizes", "type": {"type": "map", "values": "int"}},
            {"name": "state", "type": {"type": "enum", "name": "s", "symbols": ["A"]}},
            {"name": "line", "type": {"type": "record", "name": "l", "fields": [{"name": "n", "type": "int"}]}},
        ],
    }
    found = avro_columns(record)
    assert found.simpleString() == (
        "struct<id:bigint,note:string,day:date,at:timestamp,price:decimal(10,2),tags:array<string>,sizes:map<string,int>,"
        "state:string,line:struct<n:int>>"
    )
    assert [field.nullable for field in found][:4] == [False, True, False, True]
    assert found["id"].metadata == {"comment": "number"}


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("avro", '{"type": "record", "fields": [{"name": "a", "type": "strnig"}]}', "unknown type 'strnig'"),
        ("avro", '{"type": "record"}', "lacks 'fields'"),
        ("avro", '{"fields": [{"name": "a", "type": ["int", "string"]}]}', "a union of 2 types"),
        ("spark", '{"type": "struct"}', "lacks 'fields'"),
        ("avro", "[]", "no avro schema"),
    ],
)
def test_what_is_no_schema_says_where_it_goes_wrong(sail_session, language, text, said):
    with pytest.raises(SchemaMismatch) as refused:
        columns_of(GivenSchema(language, text), sail_session)
    assert said in refused.value.message


def test_the_three_languages_say_the_same(sail_session):
    struct = types.StructType([types.StructField("id", types.LongType()), types.StructField("s", types.StringType())])
    avro = {
        "type": "record",
        "name": "r",
        "fields": [{"name": n, "type": ["null", t]} for n, t in (("id", "long"), ("s", "string"))],
    }
    texts = {"ddl": "id BIGINT, s STRING", "spark": struct.json(), "avro": json.dumps(avro)}
    assert {
        columns_of(GivenSchema(language, text), sail_session).simpleString() for language, text in texts.items()
    } == {"struct<id:bigint,s:string>"}


def test_types_of_iceberg_become_those_of_spark():
    schema = {
        "type": "struct",
        "fields": [
            {"id": 1, "name": "a", "required": True, "type": "long", "doc": "x"},
            {"id": 2, "name": "b", "required": False, "type": "decimal(10, 2)"},
            {
                "id": 3,
                "name": "c",
                "required": False,
                "type": {"type": "list", "element-id": 4, "element": "timestamptz", "element-required": True},
            },
            {
                "id": 5,
                "name": "d",
                "required": False,
                "type": {
                    "type": "map",
                    "key-id": 6,
                    "key": "string",
                    "value-id": 7,
                    "value": "fixed[16]",
                    "value-required": False,
                },
            },
        ],
    }
    assert (
        spark_schema(schema).simpleString()
        == "struct<a:bigint,b:decimal(10,2),c:array<timestamp>,d:map<string,binary>>"
    )
    assert not spark_schema(schema)["a"].nullable
    assert all_optional(spark_schema(schema))["c"].dataType.containsNull
    with pytest.raises(DepotUnsupported, match="geometry"):
        spark_schema({"fields": [{"id": 1, "name": "g", "required": False, "type": "geometry"}]})


INTEGERS = {types.ByteType(): 7, types.ShortType(): 15, types.IntegerType(): 31, types.LongType(): 63}


@given(st.sampled_from(list(INTEGERS)), st.integers(1, 38), st.integers(0, 38))
def test_an_integer_fits_a_decimal_only_with_room_for_its_largest_value(integer, precision, scale):
    scale = min(scale, precision)
    fits = len(str(2 ** INTEGERS[integer])) <= precision - scale
    assert keeps_values(integer, types.DecimalType(precision, scale)) == fits


@given(st.sampled_from(list(INTEGERS)), st.sampled_from(list(INTEGERS)))
def test_an_integer_fits_every_wider_one(given_type, wanted):
    assert keeps_values(given_type, wanted) == (INTEGERS[given_type] <= INTEGERS[wanted])


@pytest.mark.parametrize(
    ("source", "goal", "safe"),
    [
        ("double", "float", False),
        ("float", "double", True),
        ("int", "double", True),
        ("bigint", "double", False),
        ("smallint", "float", True),
        ("int", "float", False),
        ("bigint", "float", False),
        ("array<bigint>", "array<double>", False),
        ("bigint", "string", True),
        ("string", "bigint", False),
        ("date", "timestamp", True),
        ("timestamp", "date", False),
        ("decimal(10,2)", "decimal(12,2)", True),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("decimal(10,2)", "double", False),
        ("array<int>", "array<bigint>", True),
        ("array<bigint>", "array<int>", False),
        ("map<string,int>", "map<string,bigint>", True),
        ("struct<a:int>", "struct<A:bigint>", True),
        ("struct<a:int>", "struct<b:int>", False),
        ("struct<a:int>", "string", False),
        ("void", "struct<a:int>", True),
        ("binary", "string", False),
    ],
)
def test_casts_that_keep_every_value_are_made_and_others_refused(sail_session, source, goal, safe):
    frame = sail_session.spark.createDataFrame([], f"a {source}, b {goal}")
    assert keeps_values(frame.schema["a"].dataType, frame.schema["b"].dataType) is safe
