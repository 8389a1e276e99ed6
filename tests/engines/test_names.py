"""Names that are wrong on every engine are found in the text, and no right name is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataos_dagster.engines.routing.constructs import columns_of
from dataos_dagster.engines.routing.names import UnknownName, unknown_columns, unknown_functions

VIEWS = {
    "orders": {"id": "int", "amount": "decimal(10,2)", "address": "struct<city:string>", "items": "array<int>"},
    "customers": {"customer_id": "int", "Name": "string"},
}
QUERIES = Path(__file__).parents[2] / "benchmarks" / "tpch"


def columns(sql: str) -> list[str]:
    return [unknown.name for unknown in unknown_columns(sql, VIEWS)]


def test_a_misspelt_function_is_found_with_its_place_and_what_was_meant() -> None:
    [found] = unknown_functions("SELECT id,\n  cuont(*) AS n FROM orders")
    assert found == UnknownName("function", "cuont", 2, 3, found.close)
    assert found.close[0] == "count"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FILTER (WHERE id > 1), first(id) IGNORE NULLS, sum(id) OVER (PARTITION BY id) FROM orders",
        "SELECT cast(id AS decimal(10, 2)), id::varchar(3), extract(year FROM current_date), int(id) FROM orders",
        "SELECT /*+ BROADCAST(orders) */ trim(BOTH 'x' FROM 'xax'), timestampadd(HOUR, 1, now()) FROM orders",
        "WITH small(a, b) AS (SELECT 1, 2) SELECT position('a' IN 'ba'), a IN (1, 2), exists(items, i -> i > 1) FROM small",
        "SELECT * FROM orders TABLESAMPLE (10 PERCENT) LATERAL VIEW explode(items) exploded AS item",
        "SELECT * FROM orders PIVOT (sum(id) FOR amount IN (1, 2))",
        "SELECT lake.system.bucket(16, id), `count`(id), if(id > 1, 2, 3), map('a', 1)['a'] FROM orders",
    ],
)
def test_what_spark_has_is_no_misspelt_function(sql: str) -> None:
    assert unknown_functions(sql) == ()


def test_a_function_of_ones_own_is_known() -> None:
    assert unknown_functions("SELECT my_mask(id) FROM orders", ["My_Mask"]) == ()


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("SELECT amoutn FROM orders", "amoutn"),
        ("SELECT o.amoutn FROM orders o", "amoutn"),
        ("SELECT id FROM orders JOIN customers ON customer_idd = id", "customer_idd"),
        ("SELECT adress.city FROM orders", "adress"),
        ("SELECT count(*) FROM orders GROUP BY amuont", "amuont"),
        ("SELECT n FROM (SELECT id AS nn FROM orders)", "n"),
    ],
)
def test_a_column_that_nothing_gives_is_found(sql: str, wrong: str) -> None:
    assert columns(sql) == [wrong]


def test_a_misspelt_column_says_which_is_like_it_and_where_it_stands() -> None:
    [found] = unknown_columns("SELECT id,\n       amoutn * 2 AS double\nFROM orders", VIEWS)
    assert (found.line, found.column, found.close) == (2, 8, ("amount",))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ID, Amount, name FROM orders, customers",
        "SELECT amount * 2 AS twice, twice + 1 FROM orders ORDER BY twice",
        "SELECT address.city, orders.address.city, o.id FROM orders o JOIN orders ON true",
        "SELECT transform(items, item -> item + id), aggregate(items, 0, (total, i) -> total + i) FROM orders",
        "SELECT item FROM orders LATERAL VIEW posexplode(items) exploded AS position, item",
        "SELECT k, v FROM orders LATERAL VIEW explode(map('a', id)) AS k, v",
        "SELECT date_trunc(MONTH, current_date), datediff(DAY, current_date, now()), interval 3 days FROM orders",
        "SELECT from_json('{}', 'total INT').total, named_struct('part', id).part FROM orders",
        "WITH daily(day_, total) AS (SELECT id, amount FROM orders) SELECT day_, total FROM daily",
        "SELECT sum(id) OVER w FROM orders WINDOW w AS (PARTITION BY amount)",
        "SELECT `count(1)` FROM (SELECT count(1) FROM orders)",
        "SELECT col FROM (SELECT explode(items) FROM orders)",
        "SELECT _metadata.file_path, current_user FROM orders",
        "SELECT anything FROM orders JOIN unknown_view USING (id)",
        "SELECT * FROM orders PIVOT (sum(id) FOR amount IN (1 AS one, 2 AS two)) WHERE one > 0",
        "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM customers WHERE customer_id = id)",
        "this is no query",
    ],
)
def test_what_may_be_a_column_is_not_refused(sql: str) -> None:
    assert columns(sql) == []


def test_columns_of_a_query_are_followed_with_their_types() -> None:
    assert columns_of("SELECT *, 'x' AS kind FROM customers", VIEWS) == {
        "customer_id": "int",
        "name": "string",
        "kind": "string",
    }
    assert columns_of("SELECT amount FROM orders", VIEWS) == {"amount": "decimal(10,2)"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT address.* FROM orders",
        "SELECT inline(array(address)) FROM orders",
        "SELECT * FROM orders LATERAL VIEW explode(items)",
        "SELECT stack(2, 1, 2) AS (a, b) FROM orders",
        "SELECT * FROM elsewhere",
    ],
)
def test_columns_that_the_text_does_not_name_are_not_guessed(sql: str) -> None:
    assert columns_of(sql, VIEWS) is None


@pytest.mark.parametrize("file", sorted(QUERIES.glob("*.sql")), ids=lambda file: file.stem)
def test_no_function_of_a_real_query_is_refused(file: Path) -> None:
    assert unknown_functions(file.read_text("utf-8")) == ()
