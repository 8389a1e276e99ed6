"""Casting columns, and the names of types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from dataos_dagster.flare.functions.function import FunctionError
from dataos_dagster.flare.type_names import check_type


def test_columns_are_cast_in_place_and_what_does_not_fit_is_null(rows_of):
    columns, rows = rows_of(
        "SELECT '7' AS a, 'x' AS b, '1.25' AS c, '2024-03-04 08:36:00' AS d, 'kept' AS e",
        {
            "name": "set_type",
            "columns": {"A": "int", "b": "long", "c": "decimal(10,2)", "d": "timestamp"},
        },
    )
    assert columns == ["a int", "b bigint", "c decimal(10,2)", "d timestamp", "e string"]
    taken = dt.datetime(2024, 3, 4, 8, 36)  # noqa: DTZ001 - sessions are in UTC, and the client returns that
    assert rows == [(7, None, Decimal("1.25"), taken, "kept")]


def test_casting_a_column_that_is_not_there_is_refused(rows_of):
    with pytest.raises(FunctionError, match="set_type: there is no column 'x'"):
        rows_of("SELECT 1 AS a", {"name": "set_type", "columns": {"x": "int"}})


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("long", "bigint"),
        ("DECIMAL(10, 2)", "decimal(10,2)"),
        ("decimal", "decimal(10,0)"),
        ("array<struct<a:long, b : decimal(4,1)>>", "array<struct<a:bigint,b:decimal(4,1)>>"),
        ("map<string, array<short>>", "map<string,array<smallint>>"),
        ("varchar( 3 )", "varchar(3)"),
    ],
)
def test_a_type_has_one_spelling_for_all_engines(written, canonical):
    assert check_type(written) == canonical


@pytest.mark.parametrize("written", ["number", "int)", "decimal(39,2)", "decimal(4,5)", "map<string>", "struct<a>", ""])
def test_what_is_no_type_is_refused(written):
    with pytest.raises(ValueError, match=r"is no type|precision|needs the type|is no field"):
        check_type(written)
