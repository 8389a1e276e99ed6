"""Statements for each row: placeholders of the drivers, one transaction, and stores that run none."""

from __future__ import annotations

import pytest
from depot_manifests import mysql_depot, postgresql_depot
from depot_shop import ANN, target

from dataos_dagster.depots.door import WriteRequest
from dataos_dagster.depots.statements import MYSQL, POSTGRESQL, with_placeholders
from dataos_dagster.errors import DepotUnsupported, SchemaMismatch, WriteFailed

UPSERT = "INSERT INTO stock VALUES (?, ?, ?::jsonb) ON CONFLICT (id) DO UPDATE SET n = stock.n + excluded.n;"
ROWS = "SELECT * FROM VALUES (1, 5, map('a', 'b')), (2, 7, NULL) AS t(id, n, extra)"
STOCK = "dataos://shopdb:public/stock"


@pytest.mark.parametrize("tokens", [POSTGRESQL, MYSQL])
@pytest.mark.parametrize(
    ("statement", "sql", "values"),
    [
        ("INSERT INTO t VALUES (?, ?);", "INSERT INTO t VALUES (<1>, <2>)", 2),
        ("""SELECT '?' || "a?" -- ?\n, /* ? */ ?""", """SELECT '?' || "a?" -- ?\n, /* ? */ <1>""", 1),
        ("UPDATE t SET j = 'it''s ?' WHERE id = ?", "UPDATE t SET j = 'it''s ?' WHERE id = <1>", 1),
        ("SELECT ? --", "SELECT <1> --", 1),
        ("DELETE FROM t", "DELETE FROM t", 0),
    ],
)
def test_question_marks_are_values_unless_they_stand_in_texts_and_comments(tokens, statement, sql, values):
    assert with_placeholders(statement, tokens, lambda number: f"<{number}>") == (sql, values)


@pytest.mark.parametrize(
    ("statement", "sql"),
    [
        (r"SELECT E'it\'s ?', e'\\', ?", r"SELECT E'it\'s ?', e'\\', <1>"),
        (r"SELECT 'C:\', ?, '?'", r"SELECT 'C:\', <1>, '?'"),
        (r"SELECT nameE'\', ?", r"SELECT nameE'\', <1>"),
        ("SELECT $$it's ?$$, $a$ $$ ? $a$, ?", "SELECT $$it's ?$$, $a$ $$ ? $a$, <1>"),
        ("SELECT a$b, ?, a$b", "SELECT a$b, <1>, a$b"),
        ("SELECT /* ? /* ? */ ? */ ?", "SELECT /* ? /* ? */ ? */ <1>"),
        ("SELECT j ?? 'a' AND ? --?", "SELECT j ? 'a' AND <1> --?"),
        ("SELECT 1 # ?", "SELECT 1 # <1>"),
    ],
)
def test_texts_and_comments_are_those_of_postgresql(statement, sql):
    assert with_placeholders(statement, POSTGRESQL, lambda number: f"<{number}>") == (sql, 1)


@pytest.mark.parametrize(
    ("statement", "sql"),
    [
        (r"SELECT 'it\'s ?', ?", r"SELECT 'it\'s ?', <1>"),
        (r'SELECT "say \"?\"", ?', r'SELECT "say \"?\"", <1>'),
        ("SELECT `a``?`, ?", "SELECT `a``?`, <1>"),
        ("SELECT 1 # ?\n, ?", "SELECT 1 # ?\n, <1>"),
        ("SELECT 1--?", "SELECT 1--<1>"),
        ("SELECT /*! ? */ 1 /* ? /* ? */", "SELECT /*! <1> */ 1 /* ? /* ? */"),
    ],
)
def test_texts_and_comments_are_those_of_mysql(statement, sql):
    assert with_placeholders(statement, MYSQL, lambda number: f"<{number}>") == (sql, 1)


@pytest.fixture
def stock(shop, postgresql):
    """Return a database with a table of stock, which the project knows as the depot `shopdb`."""
    database = postgresql.create_database()
    postgresql.execute("CREATE TABLE stock (id int PRIMARY KEY, n int CHECK (n < 100), extra jsonb)", database=database)
    postgresql.execute("INSERT INTO stock VALUES (1, 1, '{}')", database=database)
    shop.declare(postgresql_depot(postgresql, database), "depot.yaml")
    return lambda: postgresql.execute("SELECT id, n, extra FROM stock ORDER BY id", database=database)


def test_a_statement_is_run_for_every_row(shop, stock):
    written = shop.write(ROWS, STOCK, "append", statement=UPSERT)
    assert written.rows == 2
    assert stock() == [(1, 6, {}), (2, 7, None)]


def test_a_question_mark_in_a_text_is_none(sail_shop, stock):
    statement = r"""UPDATE stock SET extra = jsonb_build_object($$who?$$, E'it\'s ' || ?::text) WHERE extra ?? 'b'"""
    sail_shop.write("SELECT 'ann'", STOCK, "append", statement=statement.replace("'b'", "'a'"))
    assert stock() == [(1, 1, {})]
    sail_shop.write(ROWS, STOCK, "append", statement=UPSERT)
    sail_shop.write("SELECT 'ann'", STOCK, "append", statement=statement.replace("?? 'b'", "= '{}'"))
    assert stock() == [(1, 6, {"who?": "it's ann"}), (2, 7, None)]


def test_a_row_that_is_refused_leaves_none_of_the_others(shop, stock):
    with pytest.raises(WriteFailed, match="violates check constraint"):
        shop.write(f"{ROWS} UNION ALL SELECT 3, 500, NULL", STOCK, "append", statement=UPSERT)
    assert stock() == [(1, 1, {})]


def test_each_value_needs_a_column(shop, stock):
    with pytest.raises(SchemaMismatch, match=r"the statement has 3 `[?]`, and the view 1 columns: id"):
        shop.write("SELECT 1 AS id", STOCK, "append", statement=UPSERT)
    assert stock() == [(1, 1, {})]


def test_mysql_runs_statements_too(spark_shop, mariadb):
    database = mariadb.create_database()
    mariadb.execute("CREATE TABLE stock (id int PRIMARY KEY, n int, note text)", database=database)
    mariadb.execute("INSERT INTO stock VALUES (1, 1, 'x')", database=database)
    spark_shop.declare(mysql_depot(mariadb), "depot.yaml")
    upsert = "INSERT INTO stock VALUES (?, ?, concat(?, '%')) ON DUPLICATE KEY UPDATE n = n + values(n)"
    spark_shop.write(ROWS, f"dataos://shopdb:{database}/stock", "append", statement=upsert)
    rows = mariadb.execute("SELECT id, n, note FROM stock ORDER BY id", database=database)
    assert rows == [(1, 6, "x"), (2, 7, None)]
    replaced = "INSERT INTO stock VALUES (?, 0, NULL) ON DUPLICATE KEY UPDATE n = ?, note = concat('50% ', ?)"
    three = "SELECT * FROM VALUES (1, 50, 'a'), (2, 70, 'b'), (3, 90, 'c') AS t(id, n, note)"
    spark_shop.write(three, f"dataos://shopdb:{database}/stock", "append", statement=replaced)
    rows = mariadb.execute("SELECT id, n, note FROM stock ORDER BY id", database=database)
    assert rows == [(1, 50, "50% a"), (2, 70, "50% b"), (3, 0, None)]
    quoted = r"UPDATE stock SET note = concat('it\'s 100% ', ?) WHERE id = 3 # which one?"
    spark_shop.write("SELECT 'so'", f"dataos://shopdb:{database}/stock", "append", statement=quoted)
    assert mariadb.execute("SELECT note FROM stock WHERE id = 3", database=database) == [("it's 100% so",)]
    bad = "INSERT INTO nowhere VALUES (?, ?, ?)"
    with pytest.raises(WriteFailed, match="nowhere"):
        spark_shop.write(ROWS, f"dataos://shopdb:{database}/stock", "append", statement=bad)


@pytest.mark.parametrize("address", ["dataos://lakehouse:retail/city", "dataos://shopfiles:out/city"])
def test_what_is_no_database_runs_no_statement(sail_shop, address):
    request = WriteRequest(target(address), "append", statement="INSERT INTO t VALUES (?)")
    with pytest.raises(DepotUnsupported, match="run by PostgreSQL and MySQL only"):
        sail_shop.door.requirements([request])


def test_an_exactly_once_write_by_statement_leaves_its_mark(shop, stock):
    request = WriteRequest(target(STOCK), "append", statement=UPSERT, mark="run-7")
    session = shop.session(request)
    shop.door.write(session.spark.sql(ROWS), request, session, ANN)
    assert shop.door.evidence(request).marks == {"run-7"}
