"""Reading functions from a manifest: errors say what to write."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.registry import ParameterError, findings_in, read_function


@pytest.mark.parametrize(
    ("name", "parameters", "path", "message", "hint"),
    [
        ("drp", {}, ("name",), "there is no function 'drp'", "did you mean 'drop'?"),
        ("drop", {"column": ["a"]}, ("column",), "drop has no parameter 'column'", "did you mean 'columns'?"),
        ("drop", {}, (), "drop needs the parameter 'columns'", "parameters: columns"),
        ("rename", {"column": "a"}, (), "rename needs the parameter 'asColumn'", "parameters: column, asColumn"),
        (
            "rename",
            {"column": "a", "as_column": "b", "asColumn": "c"},
            ("as_column",),
            "rename has no parameter 'as_column'",
            "did you mean 'asColumn'?",
        ),
        (
            "trim",
            {"column": "a", "method": "trim", "colum": None},
            ("colum",),
            "trim has no parameter 'colum'",
            "did you mean 'column'?",
        ),
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


def test_everything_that_is_wrong_with_a_function_is_found_at_once():
    findings = findings_in("cut_character", {"colum": "a", "startIndex": 0, "endIndex": "x"})
    assert [str(finding) for finding in findings] == [
        "cut_character has no parameter 'colum'",
        "cut_character startIndex: input should be greater than or equal to 1",
        "cut_character endIndex: input should be a valid integer, unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("add_column", {"column": "a", "value": 1, "type": "map"}, "'map' is no type of a constant"),
        ("any_date", {"column": "a", "rules": [r"\d+"]}, "no group is named year"),
        ("any_date", {"column": "a", "rules": [r"(?<year>\d+)-(?<mouth>\d+)"]}, "the group 'mouth' means nothing"),
        ("any_date", {"column": "a", "rules": ["(?<year>["]}, "does not parse"),
        ("any_timestamp", {"column": "a", "timezone": "Asia/Calcuta"}, "there is no time zone 'Asia/Calcuta'"),
        ("cut_character", {"column": "a", "startIndex": 4, "endIndex": 2}, "endIndex 2 is before startIndex 4"),
        (
            "find_and_replace",
            {"column": "a", "sedExpression": "x/y"},
            "is no substitution; write s/regex/replacement/g",
        ),
        ("pivot", {"groupBy": "a", "column": "b", "aggregateExpression": "c"}, "'c' aggregates nothing"),
        ("hash", {"column": "a", "algo": "crc"}, "hash algo: input should be 'MD5', 'SHA-1'"),
        ("trim", {"column": "a", "method": "both"}, "input should be 'trim', 'ltrim' or 'rtrim'"),
    ],
)
def test_a_parameter_that_means_nothing_says_what_would(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        read_function(name, parameters)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("format_date", {"column": "a", "refformat": "yyyy"}, {"column": "a", "format": "yyyy"}),
        ("any_date", {"column": "a", "rule": "(?<year>.*)"}, {"column": "a", "rules": ["(?<year>.*)"]}),
        ("any_date", {"column": "a", "rules": "【(?<year>.*)】"}, {"column": "a", "rules": ["【(?<year>.*)】"]}),
        ("set_column", {"column": "a", "value": 8}, {"column": "a", "value": "8"}),
        ("change_case", {"column": "a", "case": "UpperCase"}, {"column": "a", "case": "upper"}),
        ("hash", {"column": "a", "algo": "sha256"}, {"column": "a", "algo": "SHA-256"}),
    ],
)
def test_spellings_of_one_thing_are_read_alike(name, one, other):
    assert read_function(name, one) == read_function(name, other)
