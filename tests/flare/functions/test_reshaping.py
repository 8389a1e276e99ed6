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
