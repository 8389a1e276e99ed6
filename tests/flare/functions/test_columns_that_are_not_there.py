"""What every function does about the column that it names: it is found in any letter case, or said not to be there."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.function import FunctionError
from dataos_dagster.flare.functions.registry import FUNCTIONS, read_function

ROWS = (
    "SELECT 'a' AS Text, 1709541360 AS Number, array(1) AS Items, named_struct('x', 1) AS Parts, "
    "'{}' AS Json, CAST(null AS string) AS Other"
)
# The parameters of each function, of the columns above; `{}` stands for the column that is asked for.
CALLS = {
    "rename": ({"column": "{}", "asColumn": "n"}, "text"),
    "rename_all": ({"columns": {"{}": "n"}}, "text"),
    "swap": ({"columnA": "Other", "columnB": "{}"}, "text"),
    "select": ({"columns": ["Other", "{}"]}, "text"),
    "copy": ({"fromColumn": "{}", "toColumn": "n"}, "text"),
    "set_variable": ({"column": "n", "expression": "length({})"}, "text"),
    "increment_variable": ({"column": "{}"}, "number"),
    "fill_null_or_empty": ({"columns": {"{}": "x"}}, "text"),
    "set_type": ({"columns": {"{}": "int"}}, "text"),
    "change_case": ({"column": "{}", "case": "upper"}, "text"),
    "trim": ({"column": "{}", "method": "trim"}, "text"),
    "cut_character": ({"column": "{}", "asColumn": "n", "startIndex": 1, "endIndex": 1}, "text"),
    "find_and_replace": ({"column": "{}", "sedExpression": "s/a/b/"}, "text"),
    "mask_number": ({"column": "{}", "pattern": "#"}, "text"),
    "merge": ({"columns": ["Other", "{}"], "separator": "-", "asColumn": "n"}, "text"),
    "any_date": ({"column": "{}", "asColumn": "n"}, "text"),
    "any_timestamp": ({"column": "{}", "asColumn": "n"}, "text"),
    "diff_date": ({"columnA": "{}", "columnB": "text", "asColumn": "n"}, "text"),
    "epoch_to_timestamp": ({"column": "{}", "asColumn": "n"}, "number"),
    "format_date": ({"column": "{}", "format": "yyyy"}, "text"),
    "format_unix_date": ({"column": "{}", "format": "yyyy"}, "number"),
    "encode": ({"column": "{}", "asColumn": "n", "algo": "hex"}, "text"),
    "decode": ({"column": "{}", "asColumn": "n", "algo": "hex"}, "text"),
    "hash": ({"column": "{}", "algo": "md5"}, "text"),
    "split_email": ({"column": "{}"}, "text"),
    "parse_html": ({"column": "{}", "asColumn": "n"}, "text"),
    "parse_as_json": ({"column": "{}", "asColumn": "n", "sparkSchema": "x int"}, "json"),
    "flatten": ({"column": "{}", "asColumn": "n"}, "items"),
    "flatten_outer": ({"column": "{}", "asColumn": "n"}, "items"),
    "drop_duplicates": ({"columns": ["{}"]}, "text"),
    "pivot": (
        {"groupBy": ["Number"], "column": "{}", "aggregateExpression": "count(*)", "values": ["a"]},
        "text",
    ),
    "unpivot": (
        {"columns": ["{}"], "pivotColumns": ["number"], "keyColumnName": "k", "valueColumnName": "v"},
        "text",
    ),
}
# What names no column, makes the one that it names, or passes over one that is not there.
WITHOUT = {
    "cleanse_column_names", "snake_case", "change_column_case", "columns_replace", "drop", "add_column", "set_column",
    "generate_uuid", "increment_variable", "split_url", "unfurl", "set_variable",
}  # fmt: skip


def filled(value, column):
    if isinstance(value, dict):
        return {filled(key, column): filled(inner, column) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, column) for inner in value]
    return value.replace("{}", column) if isinstance(value, str) else value


def test_every_function_is_among_these():
    assert CALLS.keys() | WITHOUT == FUNCTIONS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_column_is_found_in_any_letter_case(engine_session, name):
    parameters, column = CALLS[name]
    frame = engine_session.spark.sql(ROWS)
    schemas = {
        spelling: [
            field.dataType.simpleString()
            for field in read_function(name, filled(parameters, spelling)).apply(frame, engine_session.engine).schema
        ]
        for spelling in (column, column.upper(), column.title())
    }
    assert len({tuple(schema) for schema in schemas.values()}) == 1


@pytest.mark.parametrize("name", sorted(CALLS.keys() - WITHOUT))
def test_a_column_that_is_not_there_is_told_with_those_that_are(sail_session, name):
    function = read_function(name, filled(CALLS[name][0], "missing_one"))
    with pytest.raises(FunctionError, match=f"{name}: there is no column 'missing_one'") as error:
        function.apply(sail_session.spark.sql(ROWS), "sail")
    assert error.value.hint == "columns: Text, Number, Items, Parts, Json, Other"
    assert error.value.word == "missing_one"


@pytest.mark.parametrize("name", ["cleanse_column_names", "snake_case", "change_column_case", "columns_replace"])
def test_names_inside_of_columns_stay(rows_of, name):
    parameters = {"change_column_case": {"case": "lower"}, "columns_replace": {"sedExpression": "s/[A-Z]/z/g"}}
    columns, _ = rows_of("SELECT named_struct('InnerName', 1) AS OuterName", {"name": name, **parameters.get(name, {})})
    assert columns[0].partition(" ")[2] == "struct<InnerName:int>"
