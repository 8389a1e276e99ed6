"""PostgreSQL on a real server: the same rows and types through Arrow and through JDBC, and writes in one transaction."""

# ruff: noqa: DTZ001 - Spark's rows have no zone

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal

import pytest
from depot_manifests import postgresql_depot
from depot_shop import ANN, Shop, target
from pydantic import SecretStr

from dataos_dagster.depots.door import JdbcConnection, ReadRequest, Target, WriteRequest
from dataos_dagster.errors import (
    CredentialsRefused,
    DatasetLocked,
    DatasetNotFound,
    DepotError,
    DepotUnreachable,
    DepotUnsupported,
    SchemaMismatch,
    WriteFailed,
)

TABLE = """
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN positive AS numeric(6, 3) CHECK (VALUE > 0);
CREATE TABLE "All Types" (
    i2 smallint, i4 integer PRIMARY KEY, i8 bigint, n numeric(10, 2), open numeric, big numeric(50, 4), f4 real,
    f8 double precision, b boolean, vc varchar(10), ch char(4), tx text, d date, ts timestamp, tz timestamptz, t time,
    u uuid, j jsonb, raw bytea, ia integer[], ta text[], na numeric[], iv interval, m mood, money money, dom positive,
    "odd "" name" text
)"""
FULL = r"""INSERT INTO "All Types" VALUES (
    1, 2, 3, 4.5, 6.789, 7.12345, 1.5, 2.5, true, 'vc', 'ch', 'text ''x''', '2024-02-29', '2024-01-01 10:00:00.123456',
    '2024-01-01 10:00+02', '10:11:12', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '\x01ff', '{1,null}', '{a,b}',
    '{1.5}', '1 day', 'calm', 5, 1.25, 'odd')"""
ORDERS = "dataos://shopdb:public/orders"


@pytest.fixture
def database(postgresql):
    return postgresql.create_database()


@pytest.fixture
def db(shop, postgresql, database):
    """Return the shop with a depot on the real server."""
    shop.declare(postgresql_depot(postgresql, database), "shopdb.yaml")
    shop.execute = lambda statement: postgresql.execute(statement, database=database)
    return shop


@pytest.fixture
def sail_db(sail_shop, postgresql, database):
    sail_shop.declare(postgresql_depot(postgresql, database), "shopdb.yaml")
    sail_shop.execute = lambda statement: postgresql.execute(statement, database=database)
    return sail_shop


def test_every_type_comes_the_same_through_arrow_and_jdbc(db):
    db.execute(TABLE)
    db.execute(FULL)
    db.execute('INSERT INTO "All Types" (i4) VALUES (9)')
    address = "dataos://shopdb:public/All Types"
    assert db.types(address) == {
        "i2": "smallint", "i4": "int", "i8": "bigint", "n": "decimal(10,2)", "open": "decimal(38,18)", "big": "decimal(38,4)",
        "f4": "float", "f8": "double", "b": "boolean", "vc": "string", "ch": "string", "tx": "string", "d": "date",
        "ts": "timestamp", "tz": "timestamp", "t": "timestamp", "u": "string", "j": "string", "raw": "binary",
        "ia": "array<int>", "ta": "array<string>", "na": "string", "iv": "string", "m": "string", "money": "string",
        "dom": "decimal(6,3)", 'odd " name': "string",
    }  # fmt: skip
    full, empty = sorted(db.frame(address).collect(), key=lambda row: row.i4)
    assert tuple(full) == (
        1, 2, 3, Decimal("4.50"), Decimal("6.789000000000000000"), Decimal("7.1235"), 1.5, 2.5, True, "vc", "ch", "text 'x'",
        date(2024, 2, 29), datetime(2024, 1, 1, 10, 0, 0, 123456), datetime(2024, 1, 1, 8), datetime(1970, 1, 1, 10, 11, 12),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a": 1}', b"\x01\xff", [1, None], ["a", "b"], "{1.5}", "1 day", "calm",
        "$5.00", Decimal("1.250"), "odd",
    )  # fmt: skip
    assert [value for value in empty if value is not None] == [9]


def test_only_the_columns_that_are_wanted_are_asked_for(db):
    db.execute("CREATE TABLE orders (id int, note text, amount numeric(4, 1))")
    assert db.frame(ORDERS, columns=("amount", "ID")).columns == ["id", "amount"]


def test_spark_reads_a_table_in_the_parts_that_a_manifest_asks_for(spark_shop, postgresql, database):
    spark_shop.declare(postgresql_depot(postgresql, database), "shopdb.yaml")
    postgresql.execute("CREATE TABLE orders AS SELECT id FROM generate_series(0, 9) AS t(id)", database=database)
    parts = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "10", "numPartitions": "4", "fetchsize": "3"}
    frame = spark_shop.frame(ORDERS, options=parts)
    assert sorted(row.id for row in frame.collect()) == list(range(10))
    assert frame.selectExpr("spark_partition_id() AS part").distinct().count() == 4


def test_views_are_read_and_a_table_is_looked_for_by_its_exact_name(db):
    db.execute("CREATE VIEW public.orders AS SELECT 1 AS id")
    assert db.rows(ORDERS) == [(1,)]
    with pytest.raises(DatasetNotFound, match=r"depot 'shopdb' has no table public\.Orders") as missing:
        db.frame("dataos://shopdb:public/Orders")
    assert missing.value.hint == "did you mean public.orders?"
    with pytest.raises(DepotError, match="names no table"):
        db.frame("dataos://shopdb:public")


def test_a_new_table_gets_the_same_types_on_both_engines(db):
    written = db.write(
        """SELECT CAST(1 AS TINYINT) AS t, CAST(1 AS SMALLINT) AS s, 1 AS i, CAST(1 AS BIGINT) AS l, CAST(1.5 AS FLOAT) AS f,
        1.5D AS d, true AS b, 'x' AS x, CAST('ab' AS BINARY) AS raw, DATE'2024-01-01' AS day,
        TIMESTAMP'2024-01-01 10:00:00' AS at, CAST(1.25 AS DECIMAL(10, 2)) AS n, array(1, 2) AS a""",
        ORDERS,
    )
    assert (written.rows, written.created) == (1, True)
    found = db.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'orders'")
    assert dict(found) == {
        "t": "smallint", "s": "smallint", "i": "integer", "l": "bigint", "f": "real", "d": "double precision", "b": "boolean",
        "x": "text", "raw": "bytea", "day": "date", "at": "timestamp with time zone", "n": "numeric", "a": "ARRAY",
    }  # fmt: skip
    assert db.rows(ORDERS) == [
        (1, 1, 1, 1, 1.5, 1.5, True, "x", b"ab", date(2024, 1, 1), datetime(2024, 1, 1, 10), Decimal("1.25"), [1, 2])
    ]


def test_append_adds_and_overwrite_replaces_and_keeps_the_table(db):
    db.execute(
        "CREATE TABLE orders (id bigint, note varchar(20), u uuid, extra jsonb); CREATE INDEX mine ON orders (id)"
    )
    uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    query = f"SELECT id, concat('n', id) AS note, '{uuid}' AS u, '[]' AS extra FROM range({{}})"
    assert db.write(query.format(3), ORDERS, "append").rows == 3
    assert db.write(query.format(2), ORDERS, "append").rows == 2
    assert db.frame(ORDERS).count() == 5
    assert db.write(query.format(1), ORDERS).rows == 1
    assert db.rows(ORDERS) == [(0, "n0", uuid, "[]")]
    assert db.write(query.format(0), ORDERS).rows == 0
    assert db.rows(ORDERS) == []
    assert db.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'orders'") == [("mine",)]


def test_an_overwrite_with_other_columns_makes_the_table_anew_and_says_so(db):
    db.execute("CREATE TABLE orders (id int)")
    written = db.write("SELECT CAST(1 AS BIGINT) AS id, 'x' AS more", ORDERS)
    assert written.notes == (f"{ORDERS} was made anew, because its columns were others",)
    assert db.types(ORDERS) == {"id": "bigint", "more": "string"}


def test_a_table_that_others_refer_to_is_emptied_row_by_row(db):
    db.execute("CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE lines (id int REFERENCES orders)")
    db.execute("INSERT INTO orders VALUES (1)")
    db.write("SELECT 2 AS id", ORDERS)
    assert db.rows(ORDERS) == [(2,)]


@pytest.mark.parametrize(
    "query",
    ["SELECT CAST(raise_error('boom') AS INT) AS id FROM range(3)", "SELECT CAST(id % 2 AS INT) AS id FROM range(4)"],
)
def test_a_failed_overwrite_leaves_the_old_rows_and_nothing_else(db, query):
    # The second query fails in the database: its rows break the primary key.
    db.execute("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (7)")
    with pytest.raises(WriteFailed, match=r"boom|duplicate key") as failed:
        db.write(query, ORDERS)
    assert failed.value.hint == "the table is as it was before"
    assert db.execute("SELECT id FROM orders") == [(7,)]
    assert db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("orders",)]


def test_an_append_must_fit(db):
    db.execute("CREATE TABLE orders (id int, note text)")
    with pytest.raises(SchemaMismatch, match="has no column note; it cannot safely cast id from bigint to int"):
        db.write("SELECT CAST(1 AS BIGINT) AS id", ORDERS, "append")


def test_what_postgresql_cannot_hold_or_do_is_said(db):
    with pytest.raises(SchemaMismatch, match="holds no column like s struct<x:int>"):
        db.write("SELECT named_struct('x', 1) AS s", ORDERS)
    with pytest.raises(DatasetNotFound, match='schema "nope" does not exist'):
        db.write("SELECT 1 AS id", "dataos://shopdb:nope/orders")
    with pytest.raises(DepotUnsupported, match="neither merge clauses nor branches"):
        db.write("SELECT 1 AS id", ORDERS, branch="b")


def test_options_of_a_manifest_do_not_replace_those_of_the_connection():
    from dataos_dagster.depots.postgresql.write import staging_options

    given = {"URL": "jdbc:other", "user": "x", "dbTable": "t", "truncate": "true", "query": "q", "batchsize": "7"}
    ours = {"url": "jdbc:postgresql://h/d", "user": "ann", "dbtable": "staging"}
    assert staging_options(given, ours) == {"batchsize": "7", **ours}


def test_a_standalone_connection_needs_no_depot(db, postgresql, database):
    url = f"jdbc:postgresql://127.0.0.1:{postgresql.port}/{database}?sslmode=disable"
    jdbc = JdbcConnection(url, "orders", postgresql.user, SecretStr(postgresql.password), "org.postgresql.Driver")
    request = WriteRequest(Target(jdbc=jdbc), "overwrite", format="jdbc")
    session = db.session(request)
    assert db.door.write(session.spark.sql("SELECT 1 AS id"), request, session, ANN).rows == 1
    read = ReadRequest(Target(jdbc=jdbc), format="jdbc")
    assert db.door.read(read, db.session(read), ANN).count() == 1


def test_the_check_says_what_is_there(sail_db):
    sail_db.execute("CREATE TABLE orders (id int); CREATE SCHEMA s; CREATE TABLE s.t (id int)")
    # What our own writers need is nobody's dataset.
    sail_db.execute("CREATE TABLE dataos_writes (mark text); CREATE TABLE dataos_staging_0123_4567 (id int)")
    status = sail_db.door.check("shopdb")
    assert (status.status, status.found) == ("active", "2 tables in 2 schemas")
    assert [str(address) for address in sail_db.door.datasets("shopdb")] == [ORDERS, "dataos://shopdb:s/t"]


def test_wrong_credentials_and_a_server_that_is_down_are_told_apart(sail_db, postgresql, database):
    sail_db.declare(postgresql_depot(postgresql, database, password="wrong-password"), "shopdb.yaml")
    with pytest.raises(
        CredentialsRefused, match="refuses the credentials: FATAL: password authentication failed"
    ) as refused:
        sail_db.frame(ORDERS)
    assert "wrong-password" not in str(refused.value)
    assert sail_db.door.check("shopdb").status == "error"
    sail_db.declare(postgresql_depot(postgresql, database, port=1), "shopdb.yaml")
    with pytest.raises(DepotUnreachable, match="does not answer: connection to server") as down:
        sail_db.frame(ORDERS)
    assert down.value.retryable
    sail_db.declare(postgresql_depot(postgresql, "no_such_database"), "shopdb.yaml")
    with pytest.raises(DepotError, match='database "no_such_database" does not exist'):
        sail_db.frame(ORDERS)


def test_no_plan_and_no_configuration_shows_the_password(sail_db, postgresql, capfd):
    sail_db.execute("CREATE TABLE orders (id int)")
    frame = sail_db.frame(ORDERS)
    frame.explain(extended=True)
    needed = sail_db.door.requirements([ReadRequest(target(ORDERS))])
    assert postgresql.password not in capfd.readouterr().out + repr(needed) + str(
        frame._plan.to_proto(sail_db.session().spark.client)
    )


def test_a_second_writer_waits_and_then_says_who_holds_the_table(sail_db, postgresql):
    sail_db.execute("CREATE TABLE orders (id int)")
    (sail_db.root / "dataos.yaml").write_text("limits: {lock_seconds: 0.5}\n")
    blocker = threading.Event()
    started = threading.Event()

    def hold():
        from dataos_dagster.depots.postgresql.locking import lock_table

        request = WriteRequest(target(ORDERS), "append")
        connection = sail_db.door._opener.store_of(request, "rw").connection
        with connection.open("dataos bob run-7") as opened:
            cursor = opened.cursor()
            lock_table(cursor, connection, ("public", "orders"), request, 5)
            started.set()
            blocker.wait(30)
            cursor.close()

    thread = threading.Thread(target=hold)
    thread.start()
    started.wait(30)
    try:
        with pytest.raises(DatasetLocked, match=r"is being written by dataos bob run-7 \(backend \d+, from 127"):
            sail_db.write("SELECT 1 AS id", ORDERS, "append")
    finally:
        blocker.set()
        thread.join()
    assert sail_db.write("SELECT 1 AS id", ORDERS, "append").rows == 1


@pytest.mark.parametrize("query", ["SELECT 2 AS id", "SELECT 2 AS id, 'x' AS more"])
def test_an_overwrite_does_not_wait_for_a_long_reader_forever_and_names_it(db, postgresql, database, query):
    import psycopg

    db.execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)")
    (db.root / "dataos.yaml").write_text("limits: {lock_seconds: 0.5}\n")
    with psycopg.connect(postgresql.url(database, driver="postgresql"), application_name="a long report") as reader:
        assert reader.execute("SELECT id FROM orders").fetchall() == [(1,)]
        said = r"was not written: it is in use by a long report \(backend \d+, from 127.*waited 0.5 s"
        with pytest.raises(DatasetLocked, match=said) as locked:
            db.write(query, ORDERS)
        assert locked.value.retryable
        assert db.write("SELECT 3 AS id", ORDERS, "append").rows == 1
    assert db.rows(ORDERS) == [(1,), (3,)]
    db.write(query, ORDERS)
    assert [row[0] for row in db.rows(ORDERS)] == [2]


def test_rows_that_a_killed_writer_left_waiting_are_removed_by_the_next(sail_db):
    from dataos_dagster.depots.scratch import scratch_folder

    sail_db.execute("CREATE TABLE orders (id int)")
    waiting = sail_db.root / ".dataos" / "staging"
    store = sail_db.door._opener.store_of(WriteRequest(target(ORDERS), "append"), "rw")
    with scratch_folder(store.settings, f'{store.connection.jdbc_url} "public"."orders"') as left:
        pass
    left.mkdir()
    (left / "rows.parquet").touch()
    other = waiting / "of-another-dataset"
    other.mkdir()
    sail_db.write("SELECT 1 AS id", ORDERS, "append")
    assert list(waiting.iterdir()) == [other]


def test_parameters_of_a_url_reach_the_server_on_either_engine(db, postgresql, database):
    db.execute("CREATE SCHEMA app")
    db.execute("CREATE VIEW orders AS SELECT current_setting('search_path') AS path")
    url = f"jdbc:postgresql://127.0.0.1:{postgresql.port}/{database}?sslmode=disable&currentSchema=app&connectTimeout=7"
    jdbc = JdbcConnection(url, "public.orders", postgresql.user, SecretStr(postgresql.password))
    read = ReadRequest(Target(jdbc=jdbc), format="jdbc")
    assert [row.path for row in db.door.read(read, db.session(read), ANN).collect()] == ["app"]
    encrypted = JdbcConnection(url.replace("sslmode=disable", "ssl=true"), "public.orders", postgresql.user)
    with pytest.raises(DepotUnreachable, match=r"root certificate|does not support SSL"):
        db.door.read(ReadRequest(Target(jdbc=encrypted)), db.session(read), ANN)


def break_commits(monkeypatch, server, *, took_place, meanwhile=lambda: None):
    """Let the server end the session of every commit, after the commit took place or before it."""
    from adbc_driver_manager.dbapi import Connection

    commit = Connection.commit

    def broken(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        if took_place:
            commit(connection)
        server.execute(f"SELECT pg_terminate_backend({pid}, 10000)")
        meanwhile()
        # Speaks to a server that is gone: that is how a lost answer looks to a client.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    monkeypatch.setattr(Connection, "commit", broken)


@pytest.mark.parametrize("took_place", [True, False])
def test_a_commit_whose_answer_is_lost_counts_when_it_took_place_and_only_then(
    sail_db, postgresql, monkeypatch, took_place
):
    sail_db.execute("CREATE TABLE orders (id int)")
    break_commits(monkeypatch, postgresql, took_place=took_place)
    if took_place:
        assert sail_db.write("SELECT 1 AS id", ORDERS, "append").rows == 1
    else:
        with pytest.raises(WriteFailed) as failed:
            sail_db.write("SELECT 1 AS id", ORDERS, "append")
        assert failed.value.hint == "the table is as it was before"
    assert sail_db.execute("SELECT count(*) FROM orders") == [(int(took_place),)]


def test_a_commit_of_which_nobody_knows_is_told_and_does_not_look_safe_to_repeat(sail_db, postgresql, monkeypatch):
    from dataos_dagster.depots.postgresql.connection import PostgresqlConnection
    from dataos_dagster.workflows.retries import is_transient

    sail_db.execute("CREATE TABLE orders (id int)")

    def go_away():
        monkeypatch.setattr(PostgresqlConnection, "uri", SecretStr("postgresql://127.0.0.1:1/nowhere"))

    break_commits(monkeypatch, postgresql, took_place=True, meanwhile=go_away)
    with pytest.raises(WriteFailed, match="whether its rows were committed is not known") as failed:
        sail_db.write("SELECT 1 AS id", ORDERS, "append")
    assert "look at the table before the job runs again" in failed.value.hint
    assert not is_transient(failed.value)


def test_nothing_is_asked_of_the_server_behind_the_commit(sail_db, postgresql, monkeypatch):
    from adbc_driver_manager.dbapi import Connection

    commit = Connection.commit

    def last(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        commit(connection)
        postgresql.execute(f"SELECT pg_terminate_backend({pid}, 10000)")

    monkeypatch.setattr(Connection, "commit", last)
    written = sail_db.write("SELECT 1 AS id, 'x' AS note", ORDERS)
    assert [(column.name, column.type) for column in written.schema] == [("id", "int"), ("note", "string")]
    assert sail_db.execute("SELECT count(*) FROM orders") == [(1,)]


@pytest.mark.parametrize(("engine", "method"), [("sail", "parquet"), ("spark", "save")])
def test_an_engine_whose_rows_nobody_waits_for_any_more_is_stopped(
    request, project, sessions, postgresql, database, monkeypatch, engine, method
):
    from pyspark.sql.connect.readwriter import DataFrameWriter

    from dataos_dagster.engines.session import EngineSession

    if engine == "spark":
        request.getfixturevalue("spark_jars")
    db = Shop(project, engine, sessions)
    db.declare(postgresql_depot(postgresql, database), "shopdb.yaml")
    db.write("SELECT 1 AS id", ORDERS)

    def interrupted(*_args):
        raise KeyboardInterrupt

    def stop(session):
        stopped.append(session.engine)

    stopped: list[str] = []
    monkeypatch.setattr(EngineSession, "stop_work", stop)
    monkeypatch.setattr(DataFrameWriter, method, interrupted)
    with pytest.raises(KeyboardInterrupt):
        db.write("SELECT 2 AS id", ORDERS)
    monkeypatch.undo()
    assert stopped == [engine]
    assert db.rows(ORDERS) == [(1,)]
    left = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'dataos\\_staging%'"
    assert postgresql.execute(left, database=database) == [(0,)]


COMPUTED = """SELECT dom, n::numeric(12, 3) AS n, sum(i8) AS total, 'x' AS word, NULL AS nothing, array_agg(tx) AS texts,
    count(*) > 0 AS any, max(ts) AS at FROM "All Types" GROUP BY n, dom -- a row each"""


@pytest.mark.parametrize(
    "taken",
    [
        "ALTER DATABASE {} SET default_transaction_read_only TO on",  # as a replica is
        "REVOKE TEMP ON DATABASE {} FROM public; ALTER DATABASE {} SET role TO pg_read_all_data",
    ],
)
def test_a_query_needs_no_right_but_to_read(db, database, taken):
    from dataos_dagster.address import Address
    from dataos_dagster.depots.requests import StoreQuery

    db.execute(TABLE)
    db.execute(FULL)

    def read(query, **options):
        request = ReadRequest(Target(address=Address("shopdb")), query=StoreQuery(query), **options)
        return db.door.read(request, db.session(request), ANN)

    table = db.frame("dataos://shopdb:public/All Types")
    everything = 'SELECT * FROM "All Types"'
    assert read(everything).dtypes == table.dtypes
    computed = dict(read(COMPUTED).dtypes)
    assert computed == {
        "dom": "decimal(6,3)", "n": "decimal(12,3)", "total": "decimal(38,18)", "word": "string", "nothing": "string",
        "texts": "array<string>", "any": "boolean", "at": "timestamp",
    }  # fmt: skip
    for statement in taken.format(database, database).split(";"):
        db.execute(statement)
    open_decimals = {"n": "decimal(38,18)", "big": "decimal(38,18)"}
    assert dict(read(everything).dtypes) == dict(table.dtypes) | open_decimals
    assert read(everything).collect() == table.collect()
    assert dict(read(COMPUTED).dtypes) == computed | {"n": "decimal(38,18)"}
    assert read(everything, columns=("I8",)).collect() == [(3,)]
    with pytest.raises(DepotError, match=r"refuses the query: .*nowhere"):
        read("SELECT * FROM nowhere")
