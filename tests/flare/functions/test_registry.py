"""Reading functions from a manifest: errors say what to write."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.registry import FUNCTIONS, PLANNED, ParameterError, is_planned, read_function


def test_no_function_is_both_there_and_planned():
    assert not FUNCTIONS.keys() & PLANNED


@pytest.mark.parametrize(
    ("name", "parameters", "path", "message", "hint"),
    [
        ("drp", {}, ("name",), "there is no function 'drp'", "did you mean 'drop'?"),
        ("drop", {"column": ["a"]}, ("column",), "drop has no parameter 'column'", "did you mean 'columns'?"),
        ("drop", {}, (), "drop needs the parameter 'columns'", "parameters: columns"),
        ("rename", {"column": "a"}, (), "rename needs the parameter 'asColumn'", "parameters: column, asColumn"),
        ("cleanse_column_names", {"x": 1}, ("x",), "cleanse_column_names has no parameter 'x'", "parameters: none"),
    ],
)
def test_wrong_functions_and_parameters_are_named_with_what_is_meant(name, parameters, path, message, hint):
    with pytest.raises(ParameterError) as error:
        read_function(name, parameters)
    assert (str(error.value), error.value.path, error.value.hint) == (message, path, hint)


def test_a_wrong_type_is_located_at_its_column():
    with pytest.raises(ParameterError, match=r"set_type columns\.price: 'number' is no type") as error:
        read_function("set_type", {"columns": {"price": "number"}})
    assert error.value.path == ("columns", "price")


def test_an_expression_that_reads_a_table_is_refused():
    with pytest.raises(ParameterError, match="cannot read 'secrets'"):
        read_function("unfurl", {"expression": "(SELECT max(x) FROM secrets)"})


def test_a_star_in_both_lists_is_refused():
    with pytest.raises(ParameterError, match="stands for the columns of neither list"):
        read_function("unpivot", {"columns": "*", "pivotColumns": ["*"], "keyColumnName": "k", "valueColumnName": "v"})


def test_one_name_may_stand_where_a_list_is_meant():
    assert read_function("drop", {"columns": "a"}) == read_function("drop", {"columns": ["a"]})


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_documented_functions_that_are_not_here_are_planned_and_not_unknown(name):
    assert is_planned(name)
