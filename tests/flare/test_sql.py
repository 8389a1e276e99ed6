"""The SQL of steps: what is a query, what it reads, and what is refused, with its place."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import columns_in_expression, parse_expression, parse_statement, qualifiers


def relations(sql: str) -> list[str]:
    return [relation.name for relation in parse_statement(sql).relations]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM orders", ["orders"]),
        ("select a.id from lakehouse.sales.`or ders` a join b on a.x = b.x", ["lakehouse.sales.or ders", "b"]),
        ("FROM orders SELECT id", ["orders"]),
        ("TABLE orders", ["orders"]),
        ("VALUES (1), (2)", []),
        ("SELECT * FROM range(10)", []),
        ("SELECT y FROM orders LATERAL VIEW explode(items) t AS y", ["orders"]),
        ("SELECT (SELECT max(x) FROM a) FROM b WHERE z IN (SELECT q FROM c)", ["a", "b", "c"]),
        ("(SELECT 1 FROM a) UNION ALL (SELECT 2 FROM b)", ["a", "b"]),
        ("SELECT /*+ REPARTITION(8) */ * FROM orders |> WHERE id > 1", ["orders"]),
        ("SELECT * FROM orders PIVOT (sum(x) FOR y IN (1, 2))", ["orders"]),
    ],
)
def test_relations_are_those_that_the_query_reads(sql, expected):
    assert relations(sql) == expected


def test_a_common_table_expression_is_no_relation():
    assert relations("WITH a AS (SELECT * FROM x), b AS (SELECT * FROM a) SELECT * FROM b JOIN A") == ["x"]


def test_inside_its_own_definition_a_name_is_the_view_of_that_name():
    assert relations("WITH orders AS (SELECT * FROM orders) SELECT * FROM orders") == ["orders"]


def test_a_recursive_expression_reads_itself():
    sql = "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 4) SELECT * FROM r"
    assert relations(sql) == []


def test_an_expression_of_a_subquery_is_not_seen_outside():
    assert relations("SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) JOIN a") == ["a"]


def test_a_semicolon_and_a_comment_behind_it_are_legal():
    assert parse_statement("SELECT 1 ; -- done\n").sql == "SELECT 1"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("INSERT INTO t SELECT 1", "INSERT is not a query"),
        ("CREATE TABLE t AS SELECT 1", "CREATE is not a query"),
        ("DROP VIEW v", "DROP is not a query"),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "MERGE is not a query"),
        ("FROM v INSERT INTO t SELECT *", "is not a query"),
        ("SET spark.sql.ansi.enabled = true", "SET is not a query"),
        ("SHOW TABLES", "SHOW is not a query"),
        ("CALL system.expire_snapshots('t')", "CALL is not a query"),
        ("EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE is not a query"),
        ("SELECT 1; SELECT 2", "one step is one query, and this is 2 statements"),
        ("", "the SQL is empty"),
        (" -- nothing\n", "the SQL is empty"),
        ("SELECT * FROM parquet.`/etc/data`", "opens files past the job's inputs"),
        ("SELECT * FROM orders VERSION AS OF 3", "asks for an older state in SQL"),
        ("SELECT * FROM read_files('/etc')", r"read_files\(…\) in the place of a table"),
        ("SELECT * FROM IDENTIFIER('a.b')", "in the place of a table"),
        ("SELECT TRANSFORM(a) USING 'cat' FROM v", "not allowed in a step"),
        ("SELECT reflect('java.lang.Runtime', 'getRuntime')", "calls Java"),
        ("SELECT 'open FROM v", "never closed"),
    ],
)
def test_what_is_no_query_over_views_is_refused(sql, message):
    with pytest.raises(SqlRefused, match=message):
        parse_statement(sql)


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT *\nFROM csv.`/x`", 2, 6),
        ("  DROP TABLE x", 1, 3),
    ],
)
def test_what_is_refused_has_its_place(sql, line, column):
    with pytest.raises(SqlRefused) as error:
        parse_statement(sql)
    assert (error.value.line, error.value.column) == (line, column)


def test_what_the_parser_does_not_know_has_its_place():
    doubt = parse_statement("SELECT a,\n  b FRM v x y WHERE").doubt
    assert doubt is not None
    assert (doubt.code, doubt.line, doubt.column) == ("sql-not-read", 2, 9)


def test_spans_of_relations_cut_out_exactly_their_names():
    sql = "SELECT *\nFROM `lakehouse`.sales.orders o"
    [relation] = parse_statement(sql).relations
    assert (sql[relation.start : relation.end], relation.alias) == ("`lakehouse`.sales.orders", "o")
    assert (relation.line, relation.column) == (2, 6)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CACHE TABLE v", "cache"),
        ("CACHE TABLE v OPTIONS ('storageLevel' 'DISK_ONLY')", "cache"),
        ("cache lazy table v", "cache"),
        ("UNCACHE TABLE IF EXISTS v", "uncache"),
        ("ANALYZE TABLE v COMPUTE STATISTICS", "analyze"),
    ],
)
def test_caching_statements_are_known_with_their_view(sql, kind):
    statement = parse_statement(sql)
    assert (statement.kind, statement.target, statement.relations) == (kind, "v", ())


def test_caching_a_query_is_that_query_under_the_cached_name():
    statement = parse_statement("CACHE TABLE big AS\nSELECT * FROM orders")
    assert (statement.kind, statement.target, relations(statement.sql)) == ("query", "big", ["orders"])
    assert statement.relations[0].line == 2


@pytest.mark.parametrize("between", ["AS", "", "OPTIONS ('storageLevel' = 'DISK_ONLY') AS", "OPTIONS ('a' 'b')"])
def test_a_query_that_is_cached_reads_its_relations_through_the_door_with_and_without_as(between):
    statement = parse_statement(f"CACHE LAZY TABLE big {between} SELECT id AS n FROM lakehouse.sales.orders")
    assert (statement.kind, statement.target) == ("query", "big")
    assert relations(statement.sql) == ["lakehouse.sales.orders"]


def test_a_hint_names_relations_and_reads_none():
    sql = "SELECT /*+ BROADCAST(c), MAPJOIN(d), REPARTITION(8) */ * FROM orders o JOIN customers c ON o.id = c.id"
    assert relations(sql) == ["orders", "customers"]


def test_an_expression_speaks_of_columns_only():
    assert parse_expression("explode(items) as item") == "explode(items) as item"
    assert columns_in_expression("payload.*") == ("payload",)
    with pytest.raises(ValueError, match="cannot read 'secrets'"):
        parse_expression("(SELECT 1 FROM secrets)")


def test_qualifiers_are_found_outside_of_quotes():
    clause = "target.id = source.id AND target.x != 'target.y'"
    assert [name for name, _, _ in qualifiers(clause)] == ["target", "source", "target"]


@pytest.mark.parametrize(
    ("sql", "spelt"),
    [
        ("SELECT O.*, `O`.id FROM orders o", "SELECT o.*, `o`.id FROM orders o"),
        ("SELECT ORDERS.id FROM Orders", "SELECT Orders.id FROM Orders"),
        ("WITH c AS (SELECT 1 AS q) SELECT C.* FROM c", "WITH c AS (SELECT 1 AS q) SELECT c.* FROM c"),
        ("SELECT T.y FROM v LATERAL VIEW explode(a) t AS y", "SELECT t.y FROM v LATERAL VIEW explode(a) t AS y"),
        ("SELECT Payload.x, o.* FROM orders o", "SELECT Payload.x, o.* FROM orders o"),
    ],
)
def test_names_in_front_of_columns_are_spelt_as_their_relations_are(sql, spelt):
    assert parse_statement(sql).sql == spelt


@pytest.mark.parametrize("relation", ["{orders}", "{orders} AS o"])
def test_what_stands_in_the_place_of_a_relation_is_a_name(relation):
    with pytest.raises(SqlRefused, match="is no name of a view"):
        parse_statement(f"SELECT * FROM {relation}")
