"""What Sail filters by is asked of PostgreSQL, where both compare alike, and changes no row of the result."""

from __future__ import annotations

import pytest
from depot_manifests import postgresql_depot
from pyspark.sql.datasource import EqualTo, GreaterThan, IsNotNull, IsNull, LessThan, LessThanOrEqual

from dataos_dagster.depots.postgresql.pushdown import condition

ORDERS = "dataos://shopdb:public/orders"
MOMENT = 1_704_067_200_000_001  # 2024-01-01 00:00:00.000001, in microseconds
CONDITIONS = [
    "n >= 2 AND n < 9",
    "n = 2147483647",
    "n > 9999999999",
    "at > '2024-01-01 10:00:00.000001'",
    "at <= timestamp'2024-01-01 10:00:00.000001' AND zoned >= timestamp'2024-01-01 08:00:00'",
    "zoned = timestamp'2024-01-01 08:00:00'",
    "at < '0099-01-01' OR at > '9000-01-01'",
    "day BETWEEN '2024-02-28' AND '2024-03-01'",
    "day > date'1969-12-31' AND day < date'1970-01-02'",
    "note = 'a'",
    "note = 'ä'",
    "note > 'a' AND note < 'c'",
    "padded = 'a'",
    "amount > 1.5",
    "n IS NULL",
    "n IS NOT NULL AND note IS NULL",
    "share > 0.5D",
]


@pytest.fixture
def db(sail_shop, postgresql):
    database = postgresql.create_database()
    sail_shop.declare(postgresql_depot(postgresql, database), "shopdb.yaml")
    sail_shop.execute = lambda statement: postgresql.execute(statement, database=database)
    return sail_shop


@pytest.mark.parametrize(
    ("given", "type_", "sql"),
    [
        (GreaterThan(("c",), 7), "int8", '"c" > (7)'),
        (LessThanOrEqual(("c",), -7), "int2", '"c" <= (-7)'),
        (EqualTo(("c",), 19_782), "date", "\"c\" = DATE '2024-02-29'"),
        (GreaterThan(("c",), MOMENT), "timestamptz", "\"c\" > TIMESTAMPTZ '2024-01-01 00:00:00.000001+00'"),
        (GreaterThan(("c",), MOMENT), "timestamp", "\"c\" > TIMESTAMP '2024-01-01 00:00:00.000001'"),
        (EqualTo(("c",), "it's \\"), "text", "\"c\" = E'it''s \\\\'"),
        (IsNull(("c",)), "varchar", '"c" IS NULL'),
        (IsNotNull(('odd "c',)), "int4", '"odd ""c" IS NOT NULL'),
    ],
)
def test_what_both_sides_compare_alike_is_asked_of_the_database(given, type_, sql):
    assert condition(given, {given.attribute[0]: type_}) == sql


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        (GreaterThan(("c",), "a"), "text"),  # by a collation
        (EqualTo(("c",), "€"), "text"),  # perhaps not in the encoding of the database
        (EqualTo(("c",), "a\0"), "text"),
        (LessThan(("c",), 1.5), "int4"),
        (LessThan(("c",), True), "int4"),
        (LessThan(("c",), 10**18), "date"),
        (LessThan(("c",), 2**63 - 1), "timestamp"),
        (EqualTo(("c", "field"), 1), "int4"),
        (EqualTo(("other",), 1), "int4"),
        (IsNull(("other",)), "int4"),
    ],
)
def test_everything_else_is_left_to_the_engine(given, type_):
    assert condition(given, {"c": type_}) is None


def test_rows_outside_of_a_window_are_not_even_computed(db):
    db.execute("CREATE TABLE numbers (id bigint PRIMARY KEY)")
    db.execute("INSERT INTO numbers SELECT generate_series(1, 100)")
    db.execute("CREATE VIEW orders AS SELECT id, 1 / (CASE WHEN id > 50 THEN 0 ELSE 1 END) AS one FROM numbers")
    frame = db.frame(ORDERS)
    frame.createOrReplaceTempView("orders_pushed")
    sql = frame.sparkSession.sql
    found = sql("SELECT count(*), max(id), sum(one) FROM orders_pushed WHERE id > 40 AND id <= 50").collect()
    assert [tuple(row) for row in found] == [(10, 50, 10)]
    # Two reads in one query have conditions of their own.
    both = "SELECT id FROM orders_pushed WHERE id = 7 UNION ALL SELECT id FROM orders_pushed WHERE id < 3"
    assert sorted(row.id for row in sql(both).collect()) == [1, 2, 7]


def test_a_condition_gives_the_rows_that_it_gives_without_the_database(db):
    db.execute(
        "CREATE TABLE orders (id int, n int, at timestamp, zoned timestamptz, day date, note text, padded char(3), "
        "amount numeric(6, 2), share float8)"
    )
    db.execute(
        "INSERT INTO orders VALUES (1, 2, '2024-01-01 10:00:00.000001', '2024-01-01 10:00+02', '2024-02-29', 'a', 'a', 1.5, 'NaN'),"
        "(2, 9, '2024-01-01 10:00:00.000002', '2024-01-01 10:00+00', '1970-01-01', 'B', 'b', 1.51, 0.5),"
        "(3, 2147483647, '0001-01-01', '9999-12-31 23:59:59+00', '2024-03-01', 'ä', '', -1, '-Infinity'),"
        "(4, NULL, '9999-12-31', NULL, NULL, NULL, NULL, NULL, NULL)"
    )
    whole = db.frame(ORDERS)
    held = db.session().spark.createDataFrame(whole.toArrow())

    def found(frame):
        return {
            where: [row.id for row in frame.where(where).select("id").orderBy("id").collect()] for where in CONDITIONS
        }

    assert found(whole) == found(held)
