"""Column lineage of queries."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.query_lineage import Untraceable, trace_query
from dataos_dagster.flare.sql import parse_statement
from dataos_dagster.workflows.results import ColumnSource


def view(dataset: str, *columns: str) -> dict[str, tuple[ColumnSource, ...]]:
    return {column: (ColumnSource(None, dataset, column),) for column in columns}


ORDERS = {"id": ["O.id"], "Amount": ["O.Amount"], "cust": ["O.cust"], "items": ["O.items"]}
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
        ("SELECT sum(amount) FILTER (WHERE cust > 1) AS s FROM orders", {"s": ["O.Amount", "O.cust"]}),
        ("SELECT cust, count(*) AS n FROM orders GROUP BY cust", {"cust": ["O.cust"], "n": []}),
        (
            "SELECT max(amount) OVER w AS m FROM orders WINDOW w AS (PARTITION BY cust ORDER BY id)",
            {"m": ["O.cust", "O.id", "O.Amount"]},
        ),
        ("SELECT id, name FROM orders JOIN customers USING (id)", {"id": ["O.id", "C.id"], "name": ["C.name"]}),
        (
            "SELECT o.*, c.name FROM orders o LEFT JOIN customers c ON o.cust = c.id",
            {"id": ["O.id"], "Amount": ["O.Amount"], "cust": ["O.cust"], "items": ["O.items"], "name": ["C.name"]},
        ),
        (
            "SELECT EXISTS (SELECT 1 FROM customers c WHERE c.id = o.cust) AS known FROM orders o",
            {"known": ["C.id", "O.cust"]},
        ),
        ("SELECT id IN (SELECT id FROM customers) AS known FROM orders", {"known": ["O.id", "C.id"]}),
        (
            "SELECT id, cust FROM orders UNION ALL BY NAME SELECT name AS cust, id FROM customers",
            {"id": ["O.id", "C.id"], "cust": ["O.cust", "C.name"]},
        ),
        ("SELECT id FROM orders EXCEPT SELECT id FROM customers", {"id": ["O.id"]}),
        (
            "SELECT * FROM orders UNPIVOT (v FOR k IN (id, cust))",
            {"Amount": ["O.Amount"], "items": ["O.items"], "k": [], "v": ["O.id", "O.cust"]},
        ),
        (
            "SELECT * FROM orders UNPIVOT ((v, w) FOR k IN ((id, cust), (amount, items)))",
            {"k": [], "v": ["O.id", "O.Amount"], "w": ["O.cust", "O.items"]},
        ),
        (
            (
                "SELECT p.* FROM (SELECT id, cust, amount, items FROM orders) "
                "PIVOT (sum(amount) AS s, max(items) AS m FOR cust IN ('a' AS x, 'b' AS y)) p"
            ),
            {
                "id": ["O.id"],
                "x_s": ["O.Amount", "O.cust"],
                "x_m": ["O.items", "O.cust"],
                "y_s": ["O.Amount", "O.cust"],
                "y_m": ["O.items", "O.cust"],
            },
        ),
        ("SELECT id, posexplode(items) AS (p, i) FROM orders", {"id": ["O.id"], "p": ["O.items"], "i": ["O.items"]}),
        ("SELECT a.x FROM (SELECT id, amount FROM orders) AS a(y, x)", {"x": ["O.Amount"]}),
        ("WITH orders AS (SELECT name AS id FROM customers) SELECT id FROM orders", {"id": ["C.name"]}),
        ("FROM orders SELECT id, items[0].price AS p", {"id": ["O.id"], "p": ["O.items"]}),
        (
            "SELECT max(items) OVER b AS m, id FROM orders WINDOW a AS (b), b AS (A ORDER BY id)",
            {"m": None, "id": ["O.id"]},
        ),
        ("SELECT max(items) OVER w AS m FROM orders WINDOW w AS (w ORDER BY id)", {"m": None}),
        (
            "SELECT max(items) OVER b AS m FROM orders WINDOW a AS (PARTITION BY cust), b AS (a ORDER BY id)",
            {"m": ["O.cust", "O.id", "O.items"]},
        ),
        (
            "SELECT md5(to_json(struct(*))) AS j, count(*) AS n FROM (SELECT id, cust AS c FROM orders)",
            {"j": ["O.id", "O.cust"], "n": []},
        ),
        ("SELECT struct(c.*) AS s FROM orders o JOIN customers c ON o.cust = c.id", {"s": ["C.id", "C.name"]}),
        ("SELECT struct(items.*) AS s FROM orders", {"s": ["O.items"]}),
        ("SELECT struct(* EXCEPT (id)) AS s FROM customers", {"s": None}),
        (
            "SELECT (SELECT max((SELECT max(c.name) FROM customers c WHERE c.id = o.cust)) FROM customers) AS m FROM orders o",
            {"m": ["C.name"]},
        ),
        ("SELECT (SELECT o.amount + max(c.id) FROM customers c) AS v FROM orders o", {"v": ["O.Amount", "C.id"]}),
        ("SELECT id, y FROM orders o, LATERAL explode(o.items) AS t(y)", {"id": ["O.id"], "y": ["O.items"]}),
        (
            "SELECT * FROM orders LATERAL VIEW OUTER inline(items) AS a, b",
            {**ORDERS, "a": ["O.items"], "b": ["O.items"]},
        ),
        ("SELECT transform(items, amount -> amount + 1) AS z FROM orders", {"z": ["O.items"]}),
        ("SELECT id AS amount, amount AS z FROM orders", {"amount": ["O.id"], "z": ["O.Amount"]}),
        ("SELECT id, name FROM orders NATURAL JOIN customers", {"id": ["O.id", "C.id"], "name": ["C.name"]}),
        ("SELECT * EXCEPT (name) FROM orders JOIN customers USING (id)", {**ORDERS, "id": ["O.id", "C.id"]}),
        ("SELECT id AS k FROM orders QUALIFY row_number() OVER (ORDER BY amount) = 1", {"k": ["O.id"]}),
        ("SELECT t.x + o.id AS s, y FROM orders o CROSS JOIN (VALUES (1, 2)) AS t(x, y)", {"s": ["O.id"], "y": []}),
        ("SELECT id FROM orders |> EXTEND id + cust AS s |> SELECT s", {"s": ["O.id", "O.cust"]}),
        (
            "SELECT max_by(cust, amount) AS m, first(id) FILTER (WHERE cust > 1) AS f FROM orders",
            {"m": ["O.cust", "O.Amount"], "f": ["O.id", "O.cust"]},
        ),
        (
            "SELECT (id, cust) IN (SELECT id, name FROM customers) AS k FROM orders",
            {"k": ["O.id", "O.cust", "C.id", "C.name"]},
        ),
    ],
)
def test_columns_are_followed_to_the_datasets(sql, expected):
    assert traced(sql) == expected


def test_a_column_that_cannot_be_followed_is_unknown_and_not_a_constant():
    assert traced("SELECT nope, id FROM orders") == {"nope": None, "id": ["O.id"]}


def test_which_of_two_columns_of_one_name_is_meant_is_not_guessed():
    assert traced("SELECT o.id, c.id, name FROM orders o JOIN customers c ON cust = c.id") == {
        "id": None,
        "name": ["C.name"],
    }


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT _metadata.file_path AS f, id FROM orders", "f"),
        ("SELECT t.total AS f, id FROM orders o, LATERAL (SELECT sum(id) AS total FROM customers) t", "f"),
        ("SELECT exists(SELECT 1 FROM customers) AS f, id FROM orders", "f"),
        ("SELECT f, id FROM (SELECT id, explode(items) FROM orders)", "f"),
        ("SELECT a.*, b.* FROM customers a JOIN customers b USING (id)", "name"),
        (
            "WITH RECURSIVE r AS (SELECT id, cust AS f FROM orders UNION ALL SELECT id, f FROM r) SELECT id, f FROM r",
            "f",
        ),
    ],
)
def test_what_cannot_be_followed_is_not_guessed(sql, column):
    assert traced(sql)[column] is None


@pytest.mark.parametrize(
    "sql",
    ["VALUES (1, 2)", "SELECT a.b.c FROM orders a", "SELECT items.* FROM orders", "SELECT o.nope.* FROM orders o"],
)
def test_a_query_of_another_form_says_that_it_is_not_followed(sql):
    with pytest.raises(Untraceable):
        traced(sql)


def test_tracing_leaves_the_query_as_it_is():
    tree = parse_statement("SELECT * FROM ORDERS").tree
    before = tree.sql("spark")
    trace_query(tree, VIEWS)
    assert tree.sql("spark") == before
