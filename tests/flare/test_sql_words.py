"""SQL that Spark has and the parser does not know: what it reads is found in its words, and Spark runs it."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import _tokens, parse_statement
from dataos_dagster.flare.sql_words import relations_in_words

# Taken by the parser of Spark 4.1, and refused by sqlglot's.
ONLY_SPARK = [
    ("FROM orders |> SET amount = amount * 2 |> AS o |> JOIN lakehouse.sales.x c ON o.id = c.id", "orders lakehouse.sales.x"),
    ("FROM orders |> UNION ALL TABLE customers |> LIMIT 3", "orders customers"),
    ("SELECT window.start, sum(x) FROM orders GROUP BY window(ts, '10 minutes', '5 minutes')", "orders"),
    ("SELECT body:store.book[0].title FROM `or ders` o, lakehouse.sales.x", "or ders lakehouse.sales.x"),
    ("SELECT a !< b FROM (SELECT * FROM orders) t LEFT JOIN (b JOIN c ON b.x = c.x) ON t.id = b.id", "orders b c"),
    ("WITH q AS (SELECT CAST(NULL AS VOID) FROM x), p (k) AS (SELECT 1 FROM q) SELECT * FROM p, q, z.y.x", "x z.y.x"),
    ("WITH RECURSIVE r(n) MAX RECURSION LEVEL 9 AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", ""),
    ("WITH a AS (SELECT * FROM x) TABLE a", "x"),
    ("SELECT o.select, extract(YEAR FROM d), a IS NOT DISTINCT FROM b FROM orders o WHERE id IN (SELECT id FROM m.n.o)",
     "orders m.n.o"),
    ("SELECT any FROM VALUES (1, 'a'), (2, 'b') AS v(x, y), lakehouse.sales.x", "lakehouse.sales.x"),
    ("SELECT any FROM k LATERAL VIEW explode(x) t AS u, v WHERE u IN (SELECT 1 FROM orders)", "k orders"),
    ("SELECT any FROM range(10) JOIN orders TABLESAMPLE (10 PERCENT) CROSS JOIN LATERAL explode(x) AS t(y)", "orders"),
    ("SELECT any FROM orders UNION ALL (SELECT 1 FROM b.c.d EXCEPT SELECT 2 FROM e)", "orders b.c.d e"),
    ("SELECT void, CAST(NULL AS VOID) FROM values", "values"),
    ("SELECT any FROM orders AS view, m.n.o", "orders m.n.o"),
    ("SELECT any FROM orders limit, m.n.o offset (a, b), p JOIN q window, r", "orders m.n.o p q r"),
    ("SELECT any FROM (SELECT 1 FROM a) AS select, b values, `c d`", "a b c d"),
    ("SELECT any FROM orders select (a, b), m.n.o", "orders m.n.o"),
    ("SELECT any FROM VALUES (1), (2) values, `c d`", "c d"),
    ("FROM orders SELECT (any), b WHERE any IN (1) LIMIT (3)", "orders"),
    ("SELECT any, NOT distinct FROM m.n.o", "m.n.o"),
    ("SELECT any, IS DISTINCT FROM m.n.o", "m.n.o"),
    ("SELECT any, 1 AND is DISTINCT FROM m.n.o", "m.n.o"),
    ("SELECT any, 'a' IS DISTINCT FROM b, f(x) IS NOT DISTINCT FROM c, NULL IS DISTINCT FROM d FROM m.n.o", "m.n.o"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), ONLY_SPARK)
def test_its_relations_are_those_behind_its_from_and_join(sql, expected):
    statement = parse_statement(sql)

    assert statement.tree is None
    found = " ".join(sql[relation.start : relation.end] for relation in statement.relations)
    assert found.replace("`", "") == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.id FROM lakehouse.sales.`or ders` a JOIN b ON a.x = b.x, c d, (SELECT * FROM e) f",
        "FROM orders SELECT id",
        "SELECT * FROM range(10), stack(2, 1, 2) AS t(x)",
        "SELECT y FROM orders LATERAL VIEW OUTER explode(items) t AS y, z LATERAL VIEW inline(y) u",
        "SELECT (SELECT max(x) FROM a) FROM b WHERE z IN (SELECT q FROM c) AND EXISTS (SELECT 1 FROM d)",
        "(SELECT 1 FROM a) UNION ALL (SELECT 2 FROM b) ORDER BY 1",
        "SELECT /*+ BROADCAST(c), REPARTITION(8) */ * FROM orders c PIVOT (sum(x) FOR y IN (1, 2)), other",
        "WITH a AS (SELECT * FROM x), b AS (SELECT * FROM a) SELECT * FROM b JOIN A",
        "SELECT substring(a FROM 2 FOR 3), trim(BOTH 'x' FROM b), overlay(a PLACING 'b' FROM 2) FROM orders",
        "SELECT * FROM (VALUES (1, 'a')) v(x, y), b",
        "SELECT sum(x) OVER (PARTITION BY a ORDER BY b) FROM orders WINDOW w AS (ORDER BY c)",
        "SELECT 'FROM x', \"JOIN y\" FROM orders -- , z\n",
    ],
)
def test_they_are_those_that_the_parser_finds_where_it_knows_the_query(sql):
    assert relations_in_words(_tokens(sql)) == parse_statement(sql).relations


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT any FROM parquet.`/etc/data`", "opens files past the job's inputs"),
        ("SELECT any FROM orders o, csv.`/etc/x`", "opens files past the job's inputs"),
        ("SELECT any FROM read_files('/etc')", "in the place of a table"),
        ("FROM `read_files`('/etc') |> SET a = 1", "in the place of a table"),
        ("SELECT any FROM a JOIN IDENTIFIER('b.c.d')", r"IDENTIFIER\(…\) hides"),
        ("SELECT IDENTIFIER('reflect')('java.lang.System', 'exit') FROM v", r"IDENTIFIER\(…\) hides"),
        ("SELECT any FROM orders AS view, parquet.`/x`", "opens files past the job's inputs"),
        ("SELECT any FROM orders VERSION AS OF 3", "asks for an older state"),
        ("SELECT any FROM orders FOR SYSTEM_TIME AS OF now()", "asks for an older state"),
        ("SELECT any, reflect('java.lang.Runtime', 'getRuntime') FROM v", "calls Java"),
        ("SELECT any, `reflect`('java.lang.Runtime', 'getRuntime') FROM v", "calls Java"),
        ("SELECT any, TRANSFORM(a) USING 'cat' FROM v", "not allowed in a step"),
        ("FROM v |> SET a = 1 INSERT INTO t SELECT *", "not allowed in a step"),
        ("SELECT any FROM v; SELECT any FROM w", "several statements"),
    ],
)
def test_what_reaches_data_another_way_is_refused(sql, message):
    with pytest.raises(SqlRefused, match=message):
        parse_statement(sql)


def test_columns_with_the_full_name_of_a_dataset_are_found():
    sql = "SELECT any, Lakehouse.sales.x.id FROM lakehouse.sales.x WHERE lakehouse.sales.x.a = 1"
    statement = parse_statement(sql)

    assert [sql[start:end] for start, end, _ in statement.qualified] == ["Lakehouse.sales.x", "lakehouse.sales.x"]


def test_spark_runs_such_a_step_and_its_lineage_says_that_it_is_not_followed(sail_project, spark_session):
    orders, target = "dataos://lakehouse:sales/orders", "dataos://lakehouse:sales/target"
    sail_project.seed(orders, "SELECT 1 AS id, 2 AS amount UNION ALL SELECT 2, 5")
    sail_project.engine = "auto"
    result = sail_project.run_job(
        f"""
        steps:
          - sequence:
              - name: made
                sql: FROM lakehouse.sales.orders |> SET amount = amount * 2 |> WHERE amount > 4
        outputs:
          - {{name: made, dataset: "{target}?acl=rw", options: {{saveMode: overwrite}}}}
        """
    )

    assert result.engine == "spark"
    assert "does not parse" in result.engine_reasons[0]
    assert "only Spark reads" in str(result.outputs[0].lineage)
    sail_project.engine = "sail"
    assert sail_project.table(target)[1] == [(2, 10)]
