"""Column lineage of queries."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.lineage import Untraceable, trace_query
from dataos_dagster.flare.sql import parse_statement
from dataos_dagster.workflows.results import ColumnSource


def view(dataset: str, *columns: str) -> dict[str, tuple[ColumnSource, ...]]:
    return {column: (ColumnSource(None, dataset, column),) for column in columns}


VIEWS = {"orders": view("O", "id", "Amount", "cust", "items"), "customers": view("C", "id", "name")}


def traced(sql: str) -> dict[str, list[str] | None]:
    columns = trace_query(parse_statement(sql).tree, VIEWS)
    return {
        name: None if sources is None else [f"{source.dataset}.{source.column}" for source in sources]
        for name, sources in columns.items()
    }


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM customers", {"id": ["C.id"], "name": ["C.name"]}),
        ("SELECT o.Amount * 2 AS double, 1 AS one FROM orders o", {"double": ["O.Amount"], "one": []}),
        (
            "SELECT name, AMOUNT FROM orders JOIN customers ON cust = customers.id",
            {"name": ["C.name"], "AMOUNT": ["O.Amount"]},
        ),
        ("WITH a AS (SELECT amount + id AS x FROM orders) SELECT x AS y FROM a", {"y": ["O.Amount", "O.id"]}),
        ("SELECT id FROM orders UNION ALL SELECT id FROM customers", {"id": ["O.id", "C.id"]}),
        ("SELECT (SELECT max(name) FROM customers c WHERE c.id = o.cust) AS m FROM orders o", {"m": ["C.name"]}),
        ("SELECT y FROM orders LATERAL VIEW explode(items) t AS y", {"y": ["O.items"]}),
        ("SELECT id + 1 AS a, a * 2 AS b FROM orders", {"a": ["O.id"], "b": ["O.id"]}),
        (
            "SELECT row_number() OVER (PARTITION BY cust ORDER BY amount) AS rn FROM orders",
            {"rn": ["O.cust", "O.Amount"]},
        ),
        ("SELECT transform(items, i -> i + amount) AS z FROM orders", {"z": ["O.items", "O.Amount"]}),
        ("SELECT * EXCEPT (id, items) FROM orders", {"Amount": ["O.Amount"], "cust": ["O.cust"]}),
    ],
)
def test_columns_are_followed_to_the_datasets(sql, expected):
    assert traced(sql) == expected


def test_a_column_that_cannot_be_followed_is_unknown_and_not_a_constant():
    assert traced("SELECT nope, id FROM orders") == {"nope": None, "id": ["O.id"]}


@pytest.mark.parametrize("sql", ["VALUES (1, 2)", "SELECT a.b.c FROM orders a"])
def test_a_query_of_another_form_says_that_it_is_not_followed(sql):
    with pytest.raises(Untraceable):
        traced(sql)


def test_tracing_leaves_the_query_as_it_is():
    tree = parse_statement("SELECT * FROM ORDERS").tree
    before = tree.sql("spark")
    trace_query(tree, VIEWS)
    assert tree.sql("spark") == before
