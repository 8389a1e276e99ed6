"""Only `depots` opens data: policies will attach at its door, so there must be no other."""

import ast

import pytest

# Attributes of a session or a frame that lead to data without passing the door. Called ones (`door.read(...)`) are
# methods of the door; these are properties of Spark, so they stand uncalled.
PROPERTIES = {"read", "readStream", "write", "writeStream"}
CALLS = {
    "load",
    "save",
    "saveAsTable",
    "insertInto",
    "writeTo",
    "read_csv",
    "read_json",
    "read_parquet",
    "read_sql",
    "to_csv",
    "to_json",
    "to_parquet",
    "to_sql",
}

# Packages that a contract keeps from importing an engine: they have no session to read with, and `load` and `save` are
# common words.
WITHOUT_ENGINE = ("manifests/", "secrets/", "state/")
NOT_DATA = {"json", "yaml", "tomllib", "pickle", "entry_point"}


def doors_of(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, expression) of everything that opens data, inside a syntax tree."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        is_call = id(node) in called
        opens = (node.attr in PROPERTIES and not is_call) or (
            node.attr in CALLS and is_call and not (isinstance(node.value, ast.Name) and node.value.id in NOT_DATA)
        )
        if opens and isinstance(node.ctx, ast.Load):
            found.append((node.lineno, ast.unparse(node)))
    return found


def test_nothing_outside_depots_opens_data(modules):
    doors = [
        f"{module.name}:{line}: {expression}"
        for module in modules
        if not module.name.startswith(("depots/", *WITHOUT_ENGINE))
        for line, expression in doors_of(module.tree)
    ]
    assert doors == []


@pytest.mark.parametrize(
    "code",
    [
        "spark.read.format('csv').load(path)",
        "reader = session.spark.read",
        "frame.write.mode('append').save(path)",
        "frame.writeTo('lake.sales.orders').append()",
        "frame.write.saveAsTable('orders')",
        "stream = spark.readStream",
        "pandas.read_parquet(path)",
    ],
)
def test_every_way_around_the_door_is_seen(code):
    assert doors_of(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        "frame = door.read(request, session, principal)",
        "result = door.write(frame, request, session, principal)",
        "spark.table('orders')",
        "json.load(handle)",
        "text = handle.read()",
    ],
)
def test_the_door_itself_is_no_way_around(code):
    assert doors_of(ast.parse(code)) == []
