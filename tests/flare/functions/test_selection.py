"""Which columns there are, on both engines."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.function import FunctionError


def test_columns_are_kept_in_the_order_of_the_list(rows_of):
    columns, rows = rows_of("SELECT 1 AS a, 2 AS B, 3 AS c", {"name": "select", "columns": ["C", "b", "c"]})
    assert (columns, rows) == (["c int", "B int"], [(3, 2)])


def test_a_column_is_copied_over_another_or_beside_it(rows_of):
    columns, rows = rows_of(
        "SELECT 1 AS a, 'x' AS b",
        {"name": "copy", "fromColumn": "A", "toColumn": "B"},
        {"name": "copy", "fromColumn": "b", "toColumn": "c"},
    )
    assert (columns, rows) == (["a int", "B int", "c int"], [(1, 1, 1)])


def test_letters_of_any_alphabet_have_two_cases(rows_of):
    columns, rows = rows_of(
        "SELECT 1 AS `käse`, 'x' AS b",
        {"name": "set_column", "column": "KÄSE", "value": "y"},
        {"name": "copy", "fromColumn": "Käse", "toColumn": "B"},
    )
    assert (columns, rows) == (["KÄSE string", "B string"], [("y", "y")])


def test_two_columns_exchange_their_names_and_stay_where_they_are(rows_of):
    columns, rows = rows_of("SELECT 1 AS a, 'x' AS b", {"name": "swap", "columnA": "B", "columnB": "a"})
    assert (columns, rows) == (["b int", "a string"], [(1, "x")])


def test_names_are_substituted(rows_of):
    columns, _ = rows_of(
        "SELECT 1 AS stay_days, 2 AS num_days_stay, 3 AS `a b c`",
        {"name": "columns_replace", "sedExpression": "s/^stay/stayed/g"},
        {"name": "columns_replace", "sedExpression": r"s/(\w) (\w)/\2_\1/"},
    )
    assert columns == ["stayed_days int", "num_days_stay int", "b_a c int"]


def test_a_name_of_which_nothing_is_left_is_refused(rows_of):
    with pytest.raises(FunctionError, match="nothing would be left of the name 'b'"):
        rows_of("SELECT 1 AS ab, 2 AS b", {"name": "columns_replace", "sedExpression": "s/b//g"})


def test_snake_case_leaves_other_characters(rows_of):
    columns, _ = rows_of("SELECT 1 AS `dataosRunId`, 2 AS `price-EUR`, 3 AS `HTTPServer`", {"name": "snake_case"})
    assert columns == ["dataos_run_id int", "price-eur int", "http_server int"]
