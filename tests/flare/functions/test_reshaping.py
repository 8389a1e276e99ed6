"""Spreading nested values, and turning columns into rows."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.function import FunctionError

NESTED = "SELECT 1 AS id, named_struct('x', 1, 'y', 'b') AS payload, array(10, 20) AS items"
WIDE = "SELECT 1 AS id, 'n' AS name, 5 AS jan, CAST(NULL AS int) AS feb"


def test_a_struct_is_spread_into_columns_beside_the_others(rows_of):
    columns, rows = rows_of(NESTED, {"name": "unfurl", "expression": "payload.*"})
    assert columns == ["id int", "payload struct<x:int,y:string>", "items array<int>", "x int", "y string"]
    assert rows[0][3:] == (1, "b")


def test_only_a_struct_is_spread(rows_of):
    with pytest.raises(FunctionError, match=r"unfurl: column 'Items' is of type array<int>, and has to be a struct"):
        rows_of(NESTED, {"name": "unfurl", "expression": "Items.*"})


def test_exploding_an_array_multiplies_rows(rows_of):
    columns, rows = rows_of(NESTED, {"name": "unfurl", "expression": "explode(items) as item"})
    assert columns[-1] == "item int"
    assert [row[-1] for row in rows] == [10, 20]


def test_an_exploded_column_without_a_name_is_called_col(rows_of):
    columns, _ = rows_of(NESTED, {"name": "unfurl", "expression": "explode(items)"})
    assert columns[-1] == "col int"


def test_columns_become_rows_and_nulls_stay(rows_of):
    columns, rows = rows_of(
        WIDE,
        {
            "name": "unpivot",
            "columns": ["JAN", "feb"],
            "pivotColumns": ["id"],
            "keyColumnName": "month",
            "valueColumnName": "amount",
        },
    )
    assert columns == ["id int", "month string", "amount int"]
    assert sorted(rows, key=str) == [(1, "feb", None), (1, "jan", 5)]


@pytest.mark.parametrize(
    "lists", [{"columns": "*", "pivotColumns": ["id", "name"]}, {"columns": ["jan", "feb"], "pivotColumns": ["*"]}]
)
def test_a_star_stands_for_the_columns_of_the_other_list(rows_of, lists):
    columns, rows = rows_of(WIDE, {"name": "unpivot", **lists, "keyColumnName": "k", "valueColumnName": "v"})
    assert columns == ["id int", "name string", "k string", "v int"]
    assert len(rows) == 2


def test_columns_of_different_types_do_not_become_one(rows_of):
    with pytest.raises(FunctionError, match="must share a type: name string, jan int"):
        rows_of(
            WIDE,
            {
                "name": "unpivot",
                "columns": ["name", "jan"],
                "pivotColumns": ["id"],
                "keyColumnName": "k",
                "valueColumnName": "v",
            },
        )


@pytest.mark.parametrize(("key", "value"), [("ID", "v"), ("k", "id"), ("same", "Same")])
def test_new_columns_have_names_that_no_other_has(rows_of, key, value):
    with pytest.raises(FunctionError, match="would both be named"):
        rows_of(
            WIDE,
            {
                "name": "unpivot",
                "columns": ["jan", "feb"],
                "pivotColumns": ["id"],
                "keyColumnName": key,
                "valueColumnName": value,
            },
        )


ARRAYS = "SELECT * FROM VALUES (1, array(10, 20)), (2, array()), (3, null) AS t(id, items)"


def test_every_element_gets_a_row(rows_of):
    columns, rows = rows_of(ARRAYS, {"name": "flatten", "column": "ITEMS", "asColumn": "item"})
    assert columns == ["id int", "items array<int>", "item int"]
    assert sorted((row[0], row[2]) for row in rows) == [(1, 10), (1, 20)]


def test_rows_without_elements_are_kept_by_the_outer_form(rows_of):
    _, rows = rows_of(ARRAYS, {"name": "flatten_outer", "column": "items", "asColumn": "item"})
    assert sorted(((row[0], row[2]) for row in rows), key=str) == [(1, 10), (1, 20), (2, None), (3, None)]


def test_only_arrays_are_flattened(rows_of):
    with pytest.raises(FunctionError, match="column 'id' is of type int, and has to be an array"):
        rows_of(ARRAYS, {"name": "flatten", "column": "id", "asColumn": "item"})


def test_one_row_of_each_combination_is_kept(rows_of):
    columns, rows = rows_of(
        "SELECT id % 2 AS A, id % 3 AS b, id FROM range(30)", {"name": "drop_duplicates", "columns": ["a", "B"]}
    )
    assert columns == ["A bigint", "b bigint", "id bigint"]
    assert sorted(row[:2] for row in rows) == [(a, b) for a in range(2) for b in range(3)]


def test_maps_make_no_duplicates(rows_of):
    with pytest.raises(FunctionError, match="column 'm' is of type map<string,int>, and has to be other than a map"):
        rows_of("SELECT map('a', 1) AS m", {"name": "drop_duplicates", "columns": ["m"]})


SALES = (
    "SELECT * FROM VALUES ('Banana', 'USA', 1000), ('Banana', 'USA', 500), ('Carrots', 'Mexico', 1500), "
    "('Banana', 'India', null), ('Beans', null, 7) AS t(Product, Country, Amount)"
)


@pytest.mark.parametrize("approach", [{}, {"approach": "two-phase"}])
def test_values_become_columns(rows_of, approach):
    columns, rows = rows_of(
        SALES,
        {
            "name": "pivot", "groupBy": ["product"], "column": "country", "values": ["USA", "Mexico", "China"],
            "aggregateExpression": "sum(Amount) as Amount", **approach,
        },
    )  # fmt: skip
    assert columns == ["Product string", "USA bigint", "Mexico bigint", "China bigint"]
    assert sorted(rows) == [("Banana", 1500, None, None), ("Beans", None, None, None), ("Carrots", None, 1500, None)]


def test_the_values_that_occur_become_columns_in_their_order(rows_of):
    columns, rows = rows_of(
        SALES, {"name": "pivot", "groupBy": "Product", "column": "Country", "aggregateExpression": "count(*) as n"}
    )
    assert [column.split(" ")[0] for column in columns] == ["Product", "null", "India", "Mexico", "USA"]
    assert ("Banana", None, 1, None, 2) in rows


def test_the_pivoted_column_may_be_among_the_groups(rows_of):
    _, rows = rows_of(
        SALES,
        {
            "name": "pivot", "groupBy": ["Product", "Country"], "column": "Country", "values": ["USA", "Mexico"],
            "aggregateExpression": "sum(Amount) as Amount",
        },
    )  # fmt: skip
    assert ("Banana", "USA", 1500, None) in rows
    assert ("Carrots", "Mexico", None, 1500) in rows


def test_a_pivot_is_what_spark_makes_of_it(rows_of, spark_session):
    from pyspark.sql import functions as F  # noqa: N812

    sql = "SELECT id % 4 AS g, id % 3 AS k, id FROM range(100) WHERE id % 12 <> 5"
    _, rows = rows_of(
        sql, {"name": "pivot", "groupBy": "g", "column": "k", "aggregateExpression": "max(id) - min(id) as span"}
    )
    expected = spark_session.spark.sql(sql).groupBy("g").pivot("k").agg(F.expr("max(id) - min(id) as span")).collect()
    assert sorted(rows) == sorted(tuple(row) for row in expected)


@pytest.mark.parametrize("values", [["product"], ["Product"], ["USA", "usa"]])
def test_a_value_that_is_named_as_another_column_is_refused(rows_of, values):
    with pytest.raises(FunctionError, match="would both be named"):
        rows_of(
            SALES,
            {
                "name": "pivot", "groupBy": "Product", "column": "Country", "values": values,
                "aggregateExpression": "count(*)",
            },
        )  # fmt: skip
