"""MySQL depots on a real MariaDB server: Spark moves the rows, and they are put in place at once."""

# ruff: noqa: DTZ001 - Spark's rows have no zone

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from depot_manifests import mysql_depot
from depot_shop import ANN, target
from pydantic import SecretStr

from dataos_dagster.depots.door import JdbcConnection, ReadRequest, Target, WriteRequest
from dataos_dagster.errors import (
    CredentialsRefused,
    DatasetLocked,
    DatasetNotFound,
    DepotUnreachable,
    DepotUnsupported,
    SchemaMismatch,
    WriteFailed,
)


@pytest.fixture
def database(mariadb):
    return mariadb.create_database()


@pytest.fixture
def db(spark_shop, mariadb, database):
    """Return the shop with a depot on the real server."""
    return declared(spark_shop, mariadb, database)


@pytest.fixture
def sail_db(sail_shop, mariadb, database):
    return declared(sail_shop, mariadb, database)


def declared(shop, server, database, **changes):
    shop.declare(mysql_depot(server, **changes), "shopdb.yaml")
    shop.execute = lambda statement: server.execute(statement, database=database)
    shop.orders = f"dataos://shopdb:{database}/orders"
    return shop


def test_a_table_is_read_with_its_types(db):
    db.execute(
        "CREATE TABLE orders (id int, big bigint, n decimal(10, 2), f double, note varchar(20), d date, at datetime, b tinyint(1))"
    )
    db.execute("INSERT INTO orders VALUES (1, 2, 3.5, 4.5, 'x', '2024-02-29', '2024-01-01 10:00:00', 1)")
    assert db.types(db.orders) == {
        "id": "int", "big": "bigint", "n": "decimal(10,2)", "f": "double", "note": "string", "d": "date",
        "at": "timestamp", "b": "boolean",
    }  # fmt: skip
    assert db.rows(db.orders) == [(1, 2, Decimal("3.50"), 4.5, "x", date(2024, 2, 29), datetime(2024, 1, 1, 10), True)]


def test_append_adds_and_overwrite_replaces_and_keeps_the_table(db):
    created = db.write("SELECT id, concat('n', id) AS note FROM range(3)", db.orders)
    assert (created.created, created.notes) == (True, ())
    db.execute("CREATE INDEX mine ON orders (id)")
    batched = {"rewriteBatchedStatements": "true"}
    assert db.write("SELECT id, 'x' AS note FROM range(2)", db.orders, "append", options=batched).rows == 2
    assert db.frame(db.orders).count() == 5
    assert db.write("SELECT 'only' AS NOTE, CAST(7 AS BIGINT) AS id", db.orders).rows == 1
    assert db.rows(db.orders) == [(7, "only")]
    assert len(db.execute("SHOW INDEX FROM orders")) == 1
    assert db.write("SELECT id, 'x' AS note FROM range(0)", db.orders).rows == 0
    assert db.rows(db.orders) == []


def test_an_overwrite_with_other_columns_makes_the_table_anew_and_says_so(db):
    db.execute("CREATE TABLE orders (id int)")
    written = db.write("SELECT CAST(1 AS BIGINT) AS id, 'x' AS more", db.orders)
    assert written.notes == (f"{db.orders} was made anew, because its columns were others",)
    assert db.rows(db.orders) == [(1, "x")]
    assert db.execute("SHOW TABLES") == [("orders",)]


def test_an_append_must_fit(db):
    db.execute("CREATE TABLE orders (id int, note text)")
    with pytest.raises(SchemaMismatch, match="has no column note; it cannot safely cast id from bigint to int"):
        db.write("SELECT CAST(1 AS BIGINT) AS id", db.orders, "append")


@pytest.mark.parametrize(
    "query",
    ["SELECT CAST(raise_error('boom') AS INT) AS id FROM range(3)", "SELECT CAST(id % 2 AS INT) AS id FROM range(4)"],
)
def test_a_failed_overwrite_leaves_the_old_rows_and_nothing_else(db, query):
    # The second query fails in the database: its rows break the primary key.
    db.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    db.execute("INSERT INTO orders VALUES (7)")
    with pytest.raises(WriteFailed, match=r"boom|Duplicate entry") as failed:
        db.write(query, db.orders)
    assert failed.value.hint == "the table is as it was before"
    assert db.execute("SELECT id FROM orders") == [(7,)]
    assert db.execute("SHOW TABLES") == [("orders",)]


def test_what_a_writer_that_died_has_staged_is_dropped_and_what_others_stage_stays(db):
    db.write("SELECT 1 AS id", db.orders)
    [(prefix,)] = db.execute("SELECT concat('dataos_staging_', left(sha2('orders', 256), 12), '_')")
    db.execute(f"CREATE TABLE {prefix}dead (id int)")
    db.execute("CREATE TABLE dataos_staging_ofsomethingelse_1 (id int)")
    db.write("SELECT 2 AS id", db.orders, "append")
    assert db.execute("SHOW TABLES") == [("dataos_staging_ofsomethingelse_1",), ("orders",)]


def test_a_second_writer_waits_and_then_says_who_holds_the_table(db, mariadb, database):
    from dataos_dagster.depots.mysql.write import TableWriter

    db.execute("CREATE TABLE orders (id int)")
    (db.root / "dataos.yaml").write_text("limits: {lock_seconds: 1}\n")
    request = WriteRequest(target(db.orders), "append")
    store = db.door._opener.store_of(request, "rw")
    writer = TableWriter(store.connection, store.spark, (database, "orders"), request, None, None, store.settings)
    with store.connection.open() as other:
        writer._lock(other.cursor())
        with pytest.raises(DatasetLocked, match=r"is being written by connection \d+ of .* from 127.*; waited 1 s"):
            db.write("SELECT 1 AS id", db.orders, "append")
    assert db.write("SELECT 1 AS id", db.orders, "append").rows == 1


def test_a_connection_that_a_job_spells_out_is_written_like_the_depot_of_its_server(db, mariadb, database):
    from dataos_dagster.depots.mysql.write import TableWriter

    (db.root / "dataos.yaml").write_text("limits: {lock_seconds: 1}\n")
    url = f"jdbc:mysql://{mariadb.host}:{mariadb.port}/{database}?useSSL=false"
    spelled = Target(jdbc=JdbcConnection(url, "orders", mariadb.user, SecretStr(mariadb.password)))
    request = WriteRequest(spelled, "overwrite")
    session = db.session(request)

    def write(query):
        return db.door.write(session.spark.sql(query), request, session, ANN)

    write("SELECT 7 AS id")
    with pytest.raises(WriteFailed, match="boom"):
        write("SELECT CAST(raise_error('boom') AS INT) AS id FROM range(3)")
    read = ReadRequest(Target(jdbc=replace(spelled.jdbc, table="(SELECT id + 1 AS more FROM orders) x")))
    assert db.door.read(read, session, ANN).collect() == [(8,)]
    store = db.door._opener.store_of(WriteRequest(target(db.orders), "append"), "rw")
    place = (database, "orders")
    writer = TableWriter(store.connection, store.spark, place, request, None, None, store.settings)
    with store.connection.open() as other:
        writer._lock(other.cursor())
        with pytest.raises(DatasetLocked, match="is being written by connection"):
            write("SELECT 8 AS id")
    assert db.execute("SELECT id FROM orders") == [(7,)]


def test_readers_see_the_old_rows_until_all_new_ones_are_there(db, mariadb, database):
    db.write("SELECT CAST(0 AS BIGINT) AS round, id FROM range(500)", db.orders)
    stop, seen = threading.Event(), set()

    def read():
        while not stop.is_set():
            seen.add(mariadb.execute("SELECT count(*), count(DISTINCT round) FROM orders", database=database)[0])

    reader = threading.Thread(target=read)
    reader.start()
    for number in (1, 2):
        db.write(f"SELECT CAST({number} AS BIGINT) AS round, id FROM range(500)", db.orders)
    stop.set()
    reader.join()
    assert seen == {(500, 1)}


def test_the_check_says_what_is_there_and_a_missing_table_is_named(sail_db, database):
    sail_db.execute("CREATE TABLE orders (id int)")
    status = sail_db.door.check("shopdb")
    assert status.status == "active"
    assert f"dataos://shopdb:{database}/orders" in [str(address) for address in sail_db.door.datasets("shopdb")]
    store = sail_db.door._opener.store_of(ReadRequest(target(sail_db.orders)), "r")
    with pytest.raises(DatasetNotFound, match=r"has no table .*\.oders") as missing:
        store.read(ReadRequest(target(sail_db.orders.replace("orders", "oders"))), sail_db.session())
    assert missing.value.hint == f"did you mean {database}.orders?"


def test_wrong_credentials_and_a_server_that_is_down_are_told_apart(sail_db, mariadb, database):
    declared(sail_db, mariadb, database, password="wrong-password")
    with pytest.raises(CredentialsRefused, match="refuses the credentials: Access denied") as refused:
        sail_db.door.datasets("shopdb")
    assert "wrong-password" not in str(refused.value)
    declared(sail_db, mariadb, database, port=1)
    with pytest.raises(DepotUnreachable, match="does not answer"):
        sail_db.door.datasets("shopdb")


def test_what_mysql_cannot_do_is_said(db):
    with pytest.raises(DepotUnsupported, match="neither merge clauses nor branches"):
        db.write("SELECT 1 AS id", db.orders, branch="b")


def end_session_at(monkeypatch, server, statement):
    """Let the server end the session of whoever is about to run a statement that begins with these words."""
    from pymysql.connections import Connection

    execute = Connection._execute_command

    def broken(connection, command, sql):
        text = sql if isinstance(sql, str) else bytes(sql).decode()
        if text.startswith(statement):
            server.execute(f"KILL HARD CONNECTION {connection.thread_id()}")
        execute(connection, command, sql)

    monkeypatch.setattr(Connection, "_execute_command", broken)


def test_a_session_that_ends_behind_the_commit_fails_nothing(db, mariadb, monkeypatch):
    db.execute("CREATE TABLE orders (id int)")
    end_session_at(monkeypatch, mariadb, "DROP TABLE IF EXISTS")
    assert db.write("SELECT 1 AS id", db.orders, "append").rows == 1
    assert db.execute("SELECT id FROM orders") == [(1,)]
    monkeypatch.undo()
    db.write("SELECT 2 AS id", db.orders, "append")
    assert db.execute("SHOW TABLES") == [("orders",)]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_commit_whose_answer_is_lost_is_told_and_does_not_look_safe_to_repeat(db, mariadb, monkeypatch, mode):
    from dataos_dagster.workflows.retries import is_transient

    end_session_at(monkeypatch, mariadb, "COMMIT" if mode == "append" else "RENAME TABLE")
    db.execute("CREATE TABLE orders (id int)")
    columns = "1 AS id" if mode == "append" else "'x' AS other"
    with pytest.raises(WriteFailed, match="whether its rows were committed is not known") as failed:
        db.write(f"SELECT {columns}", db.orders, mode)
    assert "look at the table before the job runs again" in failed.value.hint
    assert not is_transient(failed.value)


def test_the_cause_of_a_failure_is_told_though_the_session_has_ended_too(db, mariadb, monkeypatch):
    from pymysql.connections import Connection

    db.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    rollback = Connection.rollback

    def broken(connection):
        mariadb.execute(f"KILL HARD CONNECTION {connection.thread_id()}")
        rollback(connection)

    monkeypatch.setattr(Connection, "rollback", broken)
    with pytest.raises(WriteFailed, match="Duplicate entry") as failed:
        db.write("SELECT CAST(id % 2 AS INT) AS id FROM range(4)", db.orders, "append")
    assert failed.value.hint == "the table is as it was before"
