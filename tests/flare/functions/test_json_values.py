"""Reading JSON on Sail against Spark's own `from_json`."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError
from dataos_dagster.flare.functions.kernels.json_texts import java_double
from dataos_dagster.flare.functions.registry import ParameterError, read_function

SCHEMA = (
    "a int, b string, c double, d decimal(6,2), e boolean, f array<int>, g struct<x: bigint, y: string>, "
    "h map<string, double>, i tinyint, j array<struct<k: int>>, l float"
)
TEXTS = [
    '{"a": 1, "b": "x", "c": 1.5, "d": 12.345, "e": true, "f": [1, 2], "g": {"x": 1, "y": "z"}, "h": {"p": 1.5}}',
    '{"a": "1", "b": 1, "c": "1.5", "d": "12.345", "e": "true", "f": 1, "g": [], "h": [], "i": 200, "l": 0.1}',
    '{"a": 1.0, "b": 1.50, "c": 1, "d": 12345.6, "e": 1, "f": ["1", 2, null], "g": {"x": "1", "y": 1}}',
    '{"a": 3000000000, "b": {"n": [1, 2.50, "q", null, true, {}]}, "c": "NaN", "i": -128, "l": 1e40}',
    '{"a": null, "b": null, "c": "Infinity", "d": null, "h": {"p": "x", "q": null}, "j": [{"k": 1}, {}, 5]}',
    '{"A": 1, "B": "case"}',
    '{"a": 1, "a": 2}',
    '{"a": 1} x',
    "{'a': 1, 'b': 'it\\'s'}",
    '{"a": 1, "b": ',
    '[{"a": 1}]',
    '"text"',
    "1",
    "null",
    "{}",
    "",
    "  ",
    "bad",
    '{"b": 1e10, "c": 1e-5}',
    '{"b": "tab\\tnew\\nline \\u00e9 \\"q\\"", "a": -0}',
    '{"d": "x", "d": 1e2}',
    '{"d": 0.005, "c": -0.0}',
    '{"b": false, "c": true}',
    '{"a": 01}',
    '{"unknown": {"deep": [[[1]]]}, "a": 7}',
]


def rows(session, texts, schema=SCHEMA):
    frame = session.spark.createDataFrame(
        [(number, text) for number, text in enumerate([*texts, None])], "n int, c string"
    )
    function = read_function("parse_as_json", {"column": "c", "asColumn": "row", "sparkSchema": schema})
    frame = function.apply(frame, session.engine).orderBy("n")
    return frame.schema["row"].dataType.simpleString(), dict(
        zip([*texts, None], [repr(row["row"]) for row in frame.collect()], strict=True)
    )


def test_json_of_all_kinds_is_read_as_spark_reads_it(sail_session, spark_session):
    assert rows(sail_session, TEXTS) == rows(spark_session, TEXTS)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-300, 300) | st.integers() | st.sampled_from([0.5, -2.25, 1e10, 1.5e-5, 100.0, 1e300]) | st.text("aé\"\\'\n", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xykp"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
OBJECTS = st.dictionaries(st.sampled_from("abcdefghijl"), VALUES, max_size=8)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(objects=st.lists(OBJECTS, min_size=30, max_size=60))
def test_generated_json_is_read_as_spark_reads_it(sail_session, spark_session, objects):
    texts = list(dict.fromkeys(json.dumps(each, ensure_ascii=False) for each in objects))
    assert rows(sail_session, texts) == rows(spark_session, texts)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (1.5, "1.5"), (9999999.0, "9999999.0"), (1e7, "1.0E7"),
        (0.001, "0.001"), (0.00012, "1.2E-4"), (123456789.125, "1.23456789125E8"), (100.0, "100.0"), (-2.5e-9, "-2.5E-9"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_java_writes_them(number, text):
    assert java_double(number) == text


AVRO = '{"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}, {"name": "tag", "type": ["null", "string"]}]}'
SPARK = '{"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": false, "metadata": {}}, {"name": "tag", "type": "string", "nullable": true, "metadata": {}}]}'


@pytest.mark.parametrize(
    "schema", [{"avroSchema": AVRO}, {"sparkSchema": SPARK}, {"sparkSchema": "id bigint, tag string"}]
)
def test_a_schema_may_be_avro_spark_json_or_ddl(rows_of, schema):
    columns, found = rows_of(
        """SELECT '{"id": 7, "tag": "t"}' AS c""", {"name": "parse_as_json", "column": "C", "asColumn": "row", **schema}
    )
    assert columns == ["c string", "row struct<id:bigint,tag:string>"]
    assert tuple(found[0][1]) == (7, "t")


def test_a_struct_is_read_again_with_another_schema(rows_of):
    columns, found = rows_of(
        "SELECT named_struct('id', 7, 'tag', 't') AS c",
        {"name": "parse_as_json", "column": "c", "sparkSchema": "id bigint"},
    )
    assert columns == ["c struct<id:bigint>"]
    assert tuple(found[0][0]) == (7,)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "one of sparkSchema and avroSchema"),
        ({"sparkSchema": "a int", "avroSchema": "{}"}, "one of sparkSchema and avroSchema"),
        ({"avroSchema": "a int"}, "the schema is no JSON"),
        ({"sparkSchema": "{}"}, "the schema has no `fields`"),
    ],
)
def test_a_schema_that_is_none_is_refused_before_anything_runs(parameters, message):
    with pytest.raises(ParameterError, match=message):
        read_function("parse_as_json", {"column": "c", **parameters})


def test_ddl_that_the_engine_cannot_read_is_refused(rows_of):
    with pytest.raises(FunctionError, match="parse_as_json: the schema cannot be read"):
        rows_of("SELECT '{}' AS c", {"name": "parse_as_json", "column": "c", "sparkSchema": "a nothing"})


def test_dates_in_json_are_left_to_spark(sail_session):
    function = read_function("parse_as_json", {"column": "c", "sparkSchema": "a date"})
    with pytest.raises(EngineUnsuited, match="Sail is not known to read date out of JSON"):
        function.apply(sail_session.spark.sql("SELECT '{}' AS c"), "sail")
