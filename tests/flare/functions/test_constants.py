"""Constants, expressions and filled columns, on both engines."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from dataos_dagster.flare.functions.function import EngineUnsuited, FunctionError
from dataos_dagster.flare.functions.registry import ParameterError, read_function


@pytest.mark.parametrize(
    ("type_name", "value", "column", "expected"),
    [
        ("string", 8, "string", "8"),
        ("boolean", True, "boolean", True),
        ("byte", "-8", "tinyint", -8),
        ("short", 300, "smallint", 300),
        ("int", "8", "int", 8),
        ("int", 8, "int", 8),
        ("long", 3_000_000_000, "bigint", 3_000_000_000),
        ("float", 1.5, "float", 1.5),
        ("double", "2.5", "double", 2.5),
        ("decimal", "7", "decimal(10,0)", Decimal(7)),
        ("decimal(10,2)", "7.25", "decimal(10,2)", Decimal("7.25")),
        ("date", "2024-02-29", "date", dt.date(2024, 2, 29)),
        ("timestamp", "2024-02-29 10:00:00", "timestamp", dt.datetime(2024, 2, 29, 10)),  # noqa: DTZ001 - in UTC
        ("int", "null", "int", None),
        ("double", "1e3", "double", 1000.0),
        ("boolean", "y", "boolean", True),
        ("string", 'it\'s \\ "q"', "string", 'it\'s \\ "q"'),
    ],
)
def test_a_constant_column_has_its_type(rows_of, type_name, value, column, expected):
    columns, rows = rows_of("SELECT 1 AS a", {"name": "add_column", "column": "c", "value": value, "type": type_name})
    assert columns == ["a int", f"c {column}"]
    assert rows == [(1, expected)]


@pytest.mark.parametrize(
    ("type_name", "value"), [("int", "many"), ("double", "1,5"), ("boolean", "si"), ("date", "today"), ("byte", "0x1")]
)
def test_a_constant_that_is_no_value_of_its_type_is_refused_because_it_would_be_null(sail_session, type_name, value):
    with pytest.raises(ParameterError, match="every row would hold null"):
        read_function("add_column", {"column": "c", "value": value, "type": type_name})
    kind = {"byte": "tinyint"}.get(type_name, type_name)
    [row] = sail_session.spark.sql(f"SELECT TRY_CAST('{value}' AS {kind})").collect()
    assert row[0] is None


def test_a_column_is_set_to_a_text_in_place(rows_of):
    columns, rows = rows_of(
        "SELECT 1 AS a, 2 AS b",
        {"name": "set_column", "column": "A", "value": 8},
        {"name": "set_column", "column": "c", "value": "new"},
    )
    assert columns == ["A string", "b int", "c string"]
    assert rows == [("8", 2, "new")]


def test_every_row_gets_a_uuid_of_its_own(rows_of):
    _, rows = rows_of("SELECT id FROM range(50)", {"name": "generate_uuid", "asColumn": "uid"})
    assert len({uuid.UUID(row[1]) for row in rows}) == 50


def test_nulls_and_empty_texts_are_filled_and_other_values_stay(rows_of):
    columns, rows = rows_of(
        "SELECT * FROM VALUES (1, '', 1.5D, date'2024-01-01'), (null, null, null, null), (3, ' ', 0D, null) AS t(i, S, d, day)",
        {"name": "fill_null_or_empty", "columns": {"I": 7, "s": "none", "d": "0.5", "DAY": "2000-01-01"}},
    )
    assert columns == ["i int", "S string", "d double", "day date"]
    filled = dt.date(2000, 1, 1)
    assert sorted(rows) == [(1, "none", 1.5, dt.date(2024, 1, 1)), (3, " ", 0.0, filled), (7, "none", 0.5, filled)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"i": "many"}, "'many' is no value of column 'i', which is of type int"),
        ({"i": "3000000000"}, "'3000000000' is no value of column 'i'"),
        ({"absent": "x"}, "there is no column 'absent'"),
        ({"l": "x"}, "'x' is no value of column 'l', which is of type array<int>"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_refused(rows_of, columns, message):
    with pytest.raises(FunctionError) as error:
        rows_of("SELECT 1 AS i, array(1) AS l", {"name": "fill_null_or_empty", "columns": columns})
    assert message in str(error.value)


def test_a_variable_is_an_expression_over_its_row(rows_of):
    columns, rows = rows_of(
        "SELECT 2.6D AS x, 'a' AS s",
        {"name": "set_variable", "column": "y", "expression": "ROUND(x, 0)"},
        {"name": "set_variable", "column": "s", "expression": "concat(s, 'b') AS renamed"},
    )
    assert columns == ["x double", "s string", "y double"]
    assert rows == [(2.6, "ab", 3.0)]


def test_an_aggregate_is_taken_over_all_rows(rows_of):
    columns, rows = rows_of(
        "SELECT * FROM VALUES (1.0D), (3.0D) AS t(x)",
        {"name": "set_variable", "column": "share", "expression": "x / SUM(x)"},
        {"name": "set_variable", "column": "most", "expression": "MAX(x) OVER ()"},
        {"name": "set_variable", "column": "big", "expression": "COUNT(CASE WHEN x > 2 THEN 1 END)"},
    )
    assert columns == ["x double", "share double", "most double", "big bigint"]
    assert sorted(rows) == [(1.0, 0.25, 3.0, 1), (3.0, 0.75, 3.0, 1)]


def test_a_filtered_aggregate_over_all_rows_is_refused_as_spark_has_none():
    with pytest.raises(ParameterError, match="has no FILTER in Spark; write COUNT"):
        read_function("set_variable", {"column": "n", "expression": "COUNT(*) FILTER (WHERE x > 2)"})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CAST(5 AS tinyint)", "int 6"),
        ("CAST(5 AS smallint)", "int 6"),
        ("5", "int 6"),
        ("CAST(5 AS bigint)", "bigint 6"),
        ("2.5D", "double 3.5"),
        ("CAST(2.5 AS float)", "float 3.5"),
        ("CAST(null AS int)", "int None"),
        ("CAST(2.5 AS decimal(10,2))", "decimal(11,2) 3.50"),
    ],
)
def test_a_number_is_counted_up_in_its_type(rows_of, source, expected):
    columns, rows = rows_of(f"SELECT {source} AS n", {"name": "increment_variable", "column": "N"})
    assert f"{columns[0].split(' ')[1]} {rows[0][0]}" == expected


def test_digits_that_sail_would_keep_and_spark_cuts_are_left_to_spark(sail_session):
    frame = sail_session.spark.sql("SELECT CAST(1 AS decimal(38,10)) AS n")
    with pytest.raises(EngineUnsuited, match=r"Sail is not known to add to decimal\(38,10\)"):
        read_function("increment_variable", {"column": "n"}).apply(frame, "sail")


def test_a_variable_that_is_not_there_begins_at_one(rows_of):
    columns, rows = rows_of("SELECT 'a' AS c", {"name": "increment_variable", "column": "n"})
    assert (columns, rows) == (["c string", "n int"], [("a", 1)])


def test_only_numbers_are_counted_up(rows_of):
    with pytest.raises(FunctionError, match="column 'c' is of type string, and has to be a number"):
        rows_of("SELECT 'a' AS c", {"name": "increment_variable", "column": "c"})
