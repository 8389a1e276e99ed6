"""Functions on column names: the values that the Flare reference prints, on both engines."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.columns import cleanse
from dataos_dagster.flare.functions.function import FunctionError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("MEMBERID", "memberid"),
        ("PATIENT", "patient"),
        ("AnnualIncome", "annual_income"),
        ("dataosRunId", "dataos_run_id"),
        ("__eventTime", "__event_time"),
        (" Order Date ", "order_date"),
        ("customerID", "customer_id"),
        ("HTTPServer", "http_server"),
        ("price (€)", "price____"),
        ("already_clean_2", "already_clean_2"),
    ],
)
def test_cleansing_splits_camel_case_and_leaves_letters_digits_and_underscores(before, after):
    assert cleanse(before) == after


def test_cleansing_a_clean_name_changes_nothing():
    assert cleanse(cleanse("TotalAmount (EUR)")) == cleanse("TotalAmount (EUR)")


def test_all_columns_are_cleansed(rows_of):
    columns, rows = rows_of("SELECT 1 AS MEMBERID, 'a' AS `Order Date`", {"name": "cleanse_column_names"})
    assert columns == ["memberid int", "order_date string"]
    assert rows == [(1, "a")]


def test_cleansing_into_one_name_twice_is_refused(rows_of):
    with pytest.raises(FunctionError, match="columns 'orderId' and 'order id' would both be named 'order_id'"):
        rows_of("SELECT 1 AS orderId, 2 AS `order id`", {"name": "cleanse_column_names"})


@pytest.mark.parametrize(("case", "expected"), [("upper", ["A int", "B_C int"]), ("Lower", ["a int", "b_c int"])])
def test_column_case_is_changed(rows_of, case, expected):
    columns, _ = rows_of("SELECT 1 AS a, 2 AS B_c", {"name": "change_column_case", "case": case})
    assert columns == expected


def test_a_column_is_renamed_whatever_its_case(rows_of):
    columns, rows = rows_of("SELECT 1 AS Id, 2 AS b", {"name": "rename", "column": "ID", "asColumn": "key"})
    assert columns == ["key int", "b int"]
    assert rows == [(1, 2)]


def test_renaming_a_column_that_is_not_there_names_the_nearest(rows_of):
    with pytest.raises(FunctionError, match="rename: there is no column 'custmer'") as error:
        rows_of("SELECT 1 AS customer, 2 AS b", {"name": "rename", "column": "custmer", "asColumn": "key"})
    assert error.value.hint == "did you mean 'customer'? columns: customer, b"


def test_columns_can_exchange_their_names(rows_of):
    columns, rows = rows_of("SELECT 1 AS a, 2 AS b", {"name": "rename_all", "columns": {"a": "b", "b": "a"}})
    assert columns == ["b int", "a int"]
    assert rows == [(1, 2)]


def test_renaming_onto_another_column_is_refused(rows_of):
    with pytest.raises(FunctionError, match="columns 'a' and 'b' would both be named"):
        rows_of("SELECT 1 AS a, 2 AS b", {"name": "rename", "column": "a", "asColumn": "B"})


def test_dropping_ignores_columns_that_are_not_there(rows_of):
    columns, rows = rows_of("SELECT 1 AS a, 2 AS Keep", {"name": "drop", "columns": ["A", "__metadata", "absent"]})
    assert columns == ["Keep int"]
    assert rows == [(2,)]


def test_dropping_removes_every_column_of_a_name(rows_of):
    columns, _ = rows_of("SELECT 1 AS id, 2 AS id, 3 AS x", {"name": "drop", "columns": ["id"]})
    assert columns == ["x int"]
