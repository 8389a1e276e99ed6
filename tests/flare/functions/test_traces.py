"""Where the columns of a function's result come from."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.registry import FUNCTIONS, read_function

QUERY = (
    "SELECT 1 AS id, 'a' AS name, 'b' AS city, array(1) AS items, named_struct('x', 1) AS payload, '2024-01-01' AS day"
)
COLUMNS = ("id", "name", "city", "items", "payload", "day")
KEPT = {column: (column,) for column in COLUMNS}

# Function and parameters, and what changes in where columns come from; None is a column that is gone.
TRACES = [
    ("cleanse_column_names", {}, {}),
    ("snake_case", {}, {}),
    ("change_column_case", {"case": "lower"}, {}),
    ("columns_replace", {"sedExpression": "s/^na/sur_na/"}, {"name": None, "sur_name": ("name",)}),
    ("rename", {"column": "Name", "asColumn": "n"}, {"name": None, "n": ("name",)}),
    ("rename_all", {"columns": {"name": "n"}}, {"name": None, "n": ("name",)}),
    ("swap", {"columnA": "name", "columnB": "city"}, {"name": ("city",), "city": ("name",)}),
    ("select", {"columns": ["name"]}, {column: None for column in COLUMNS if column != "name"}),
    ("drop", {"columns": ["NAME", "absent"]}, {"name": None}),
    ("copy", {"fromColumn": "name", "toColumn": "city"}, {"city": ("name",)}),
    ("add_column", {"column": "one", "value": 1, "type": "int"}, {"one": ()}),
    ("set_column", {"column": "City", "value": "x"}, {"city": None, "City": ()}),
    ("set_variable", {"column": "v", "expression": "concat(name, CITY, 'x')"}, {"v": ("name", "city")}),
    ("set_variable", {"column": "v", "expression": "to_json(struct(*))"}, {"v": COLUMNS}),
    ("set_variable", {"column": "v", "expression": "transform(items, x -> x + id)"}, {"v": ("items", "id")}),
    ("unfurl", {"expression": "md5(to_json(struct(*))) AS h"}, {"h": COLUMNS}),
    ("increment_variable", {"column": "id"}, {}),
    ("increment_variable", {"column": "n"}, {"n": ()}),
    ("generate_uuid", {"asColumn": "u"}, {"u": ()}),
    ("fill_null_or_empty", {"columns": {"name": "x"}}, {}),
    ("set_type", {"columns": {"id": "string"}}, {}),
    ("change_case", {"column": "name", "case": "upper"}, {}),
    ("trim", {"column": "name", "method": "trim"}, {}),
    ("cut_character", {"column": "name", "asColumn": "c", "startIndex": 1, "endIndex": 1}, {"c": ("name",)}),
    ("find_and_replace", {"column": "name", "sedExpression": "s/a/b/"}, {}),
    ("mask_number", {"column": "name", "pattern": "#"}, {}),
    ("merge", {"columns": ["name", "city"], "separator": "", "asColumn": "name"}, {"name": ("name", "city")}),
    ("any_date", {"column": "day", "asColumn": "d"}, {"d": ("day",)}),
    ("any_timestamp", {"column": "day", "asColumn": "t"}, {"t": ("day",)}),
    ("diff_date", {"columnA": "day", "columnB": "city", "asColumn": "n"}, {"n": ("day", "city")}),
    ("epoch_to_timestamp", {"column": "id", "asColumn": "t"}, {"t": ("id",)}),
    ("format_date", {"column": "day", "format": "yyyy"}, {}),
    ("format_unix_date", {"column": "id", "format": "yyyy"}, {}),
    ("encode", {"column": "name", "asColumn": "e", "algo": "hex"}, {"e": ("name",)}),
    ("decode", {"column": "name", "asColumn": "e", "algo": "hex"}, {"e": ("name",)}),
    ("hash", {"column": "name", "algo": "md5"}, {}),
    ("split_email", {"column": "name"}, {"name_account": ("name",), "name_domain": ("name",)}),
    ("split_url", {"column": "absent"}, dict.fromkeys((f"absent_{part}" for part in (
        "protocol", "authority", "host", "port", "path", "filename", "query")), ())),
    ("split_url", {"column": "city"}, dict.fromkeys((f"city_{part}" for part in (
        "protocol", "authority", "host", "port", "path", "filename", "query")), ("city",))),
    ("parse_html", {"column": "name", "asColumn": "t"}, {"t": ("name",)}),
    ("parse_as_json", {"column": "name", "asColumn": "j", "sparkSchema": "a int"}, {"j": ("name",)}),
    ("unfurl", {"expression": "payload.*"}, {"x": ("payload",)}),
    ("unfurl", {"expression": "explode(items) AS item"}, {"item": ("items",)}),
    ("flatten", {"column": "items", "asColumn": "item"}, {"item": ("items",)}),
    ("flatten_outer", {"column": "items", "asColumn": "item"}, {"item": ("items",)}),
    ("drop_duplicates", {"columns": ["name"]}, {}),
    (
        "pivot",
        {"groupBy": ["id"], "column": "name", "values": ["a"], "aggregateExpression": "max(day) as day"},
        {**dict.fromkeys(COLUMNS[1:]), "a": ("name", "day")},
    ),
    (
        "unpivot",
        {"columns": ["name", "city"], "pivotColumns": ["id"], "keyColumnName": "k", "valueColumnName": "v"},
        {**dict.fromkeys(COLUMNS[1:]), "k": (), "v": ("name", "city")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "changes"), TRACES, ids=[name for name, _, _ in TRACES])
def test_the_columns_of_a_function_are_traced_in_the_order_they_have(sail_session, name, parameters, changes):
    function = read_function(name, parameters)
    frame = function.apply(sail_session.spark.sql(QUERY), "sail")
    trace = function.trace(KEPT, frame)
    assert list(trace) == frame.columns
    assert dict(trace) == {column: found for column, found in {**KEPT, **changes}.items() if found is not None}


def test_every_function_is_traced_here():
    assert {name for name, _, _ in TRACES} == FUNCTIONS.keys()
    assert len(FUNCTIONS) == 42
