"""Trino's SQL in the words of Spark's: the same rows as Trino documents, or a refusal that says what to write."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.trino import parse_trino

MOMENT = "TIMESTAMP '2024-03-05 14:07:09.5'"
WHITE = "\t\n\x0b\x0c\r\x1c\u1680\u2003 "
# Expressions, and the type and the value that Trino's documentation gives them.
ALIKE = [
    ("day_of_week(DATE '2024-01-01')", "bigint", 1),
    ("dow(DATE '2024-01-07')", "bigint", 7),
    ("greatest(1, CAST(NULL AS integer))", "int", None),
    ("least(greatest(3, 4), 5)", "int", 4),
    (f"to_unixtime({MOMENT})", "double", 1709647629.5),
    (f"trim('{WHITE}a\u00a0b{WHITE}')", "string", "a\u00a0b"),
    (f"ltrim('{WHITE}a ')", "string", "a "),
    ("rtrim(' a\t')", "string", " a"),
    ("trim(BOTH 'x' FROM 'xax')", "string", "a"),
    ("CAST(round(2.5e0) AS integer)", "int", 3),
    ("CAST(round(-2.5e0) AS bigint)", "bigint", -3),
    ("CAST(floor(-1.5e0) AS bigint)", "bigint", -2),
    ("CAST(truncate(-1.5e0) AS bigint)", "bigint", -1),
    ("round(2.345, 2)", "decimal(4,2)", Decimal("2.35")),
    ("CAST(7 AS double) / NULLIF(2, 0)", "double", 3.5),
    ("1e0 / NULLIF(0, 0)", "double", None),
    ("-7 % 3", "int", -1),
    ("mod(7, NULLIF(0, 0))", "int", None),
    ("year(DATE '2024-03-05') + 1", "bigint", 2025),
    ("week(DATE '2021-01-03')", "bigint", 53),
    ("EXTRACT(QUARTER FROM DATE '2024-05-01')", "bigint", 2),
    (f"second({MOMENT})", "bigint", 9),
    ("date_trunc('month', DATE '2024-02-03')", "date", date(2024, 2, 1)),
    (f"date_trunc('week', {MOMENT})", "timestamp", datetime(2024, 3, 4)),  # noqa: DTZ001 - the session's, which is UTC
    ("date_diff('day', DATE '2024-01-01', DATE '2024-01-31')", "bigint", 30),
    ("DATE '2024-01-31' + INTERVAL '1' MONTH", "date", date(2024, 2, 29)),
    ("last_day_of_month(DATE '2024-02-03')", "date", date(2024, 2, 29)),
    (f"date_format({MOMENT}, '%d.%m.%y %H:%i:%s %b %W %p')", "string", "05.03.24 14:07:09 Mar Tuesday PM"),
    (f"date_format({MOMENT}, '%e/%c/%Y %h:%i %M %a')", "string", "5/3/2024 02:07 March Tue"),
    (f"date_format({MOMENT}, '%Y-%m-%dT%H:%iZ')", "string", "2024-03-05T14:07Z"),
    (f"date_format({MOMENT}, 'yyyyMMdd')", "string", "yyyyMMdd"),
    ("IF(1 = 2, 1)", "int", None),
    ("IF(1 = 1, IF(1 = 2, 1, 2), 3)", "int", 2),
    ("CASE WHEN 1 = 2 THEN 1 END", "int", None),
    ("date_parse('3.2.2024 10:11', '%d.%m.%Y %H:%i')", "timestamp", datetime(2024, 2, 3, 10, 11)),  # noqa: DTZ001 - as above
    ("CAST('17' AS integer)", "int", 17),
    ("CAST(1.50 AS varchar)", "string", "1.50"),
    ("substr('abc', 2, 5)", "string", "bc"),
    ("length('aé\\n')", "bigint", 4),
    ("strpos('abc', 'c')", "bigint", 3),
    ("'a' || NULL", "string", None),
    ("concat('a', CAST(NULL AS varchar))", "string", None),
    ("concat_ws(',', 'a', NULL, 'b')", "string", "a,b"),
    ("replace('abab', 'b')", "string", "aa"),
    ("lpad('abc', 2, 'x')", "string", "ab"),
    ("'a%' LIKE 'a#%' ESCAPE '#'", "boolean", True),
    ("regexp_like('xa.b', 'a\\.[a-z]')", "boolean", True),
    ("1 IS DISTINCT FROM NULL", "boolean", True),
]


def rows_of(session, query):
    frame = session.spark.sql(parse_trino(query).as_spark(lambda _: "v"))
    return frame.dtypes, [tuple(row) for row in frame.collect()]


def test_what_is_accepted_has_the_values_and_types_of_trino(engine_session):
    listed = ", ".join(f"{text} AS c{number}" for number, (text, _, _) in enumerate(ALIKE))
    types, [row] = rows_of(engine_session, f"SELECT {listed}")
    assert [(text, kind, value) for (text, _, _), (_, kind), value in zip(ALIKE, types, row, strict=True)] == ALIKE


def test_rows_are_ordered_counted_and_unnested_as_in_trino(engine_session):
    rows = "(VALUES (1, ARRAY['a', 'b']), (3, ARRAY['c']), (NULL, ARRAY[])) AS v (x, items)"
    query = f"""SELECT x, item, row_number() OVER (ORDER BY x, item) AS n, sum(x) OVER (ORDER BY x, item) AS total
        FROM {rows} CROSS JOIN UNNEST(items) AS u (item) ORDER BY x DESC, item OFFSET 1 ROW FETCH FIRST 2 ROWS ONLY"""
    types = [("x", "int"), ("item", "string"), ("n", "bigint"), ("total", "bigint")]
    assert rows_of(engine_session, query) == (types, [(1, "a", 1, 1), (1, "b", 2, 2)])
    query = f"SELECT x FROM {rows} ORDER BY x DESC LIMIT 3"
    assert rows_of(engine_session, query)[1] == [(3,), (1,), (None,)]


def test_columns_without_a_name_are_called_by_their_place(engine_session):
    query = "SELECT x, count(*), CAST(x AS double) FROM (VALUES 1, 1) AS v (x) GROUP BY x"
    types = [("x", "int"), ("_col1", "bigint"), ("_col2", "double")]
    assert rows_of(engine_session, query) == (types, [(1, 2, 1.0)])


@pytest.mark.parametrize(
    ("selected", "hint"),
    [
        ("a / 2", r"CAST\(a AS double\) / NULLIF\(b, 0\)"),
        ("CAST(a AS double) / b", r"NULLIF\(b, 0\)"),
        ("a % b", r"a % NULLIF\(b, 0\)"),
        ("CAST(a AS integer)", r"CAST\(round\(x\) AS bigint\)"),
        ("CAST(1.6e0 AS integer)", r"CAST\(round\(x\) AS bigint\)"),
        ("CAST(a AS varchar)", "date_format"),
        ("CAST('abcdef' AS varchar(3))", r"substr\(CAST\(x AS varchar\), 1, n\)"),
        ("CAST(a AS decimal(10, 2))", "a double is rounded otherwise"),
        ("CAST(a AS timestamp)", r"timestamp\(6\)"),
        ("CAST('2024-01-01 00:00:00.1234' AS timestamp)", r"timestamp\(6\)"),
        ("CAST(a AS json)", "Spark's SQL"),
        ("TRY_CAST(a AS integer)", "Spark's SQL"),
        ("avg(a)", r"avg\(CAST\(x AS double\)\)"),
        ("round(a, 2)", "decimal"),
        ("floor(a)", r"CAST\(floor\(x\) AS bigint\)"),
        ("substr('abc', 0)", "start of 1 or more"),
        ("substr('abc', -2)", "start of 1 or more"),
        ("a LIKE 'x\\_%'", "ESCAPE '#'"),
        ("regexp_like(a, '\\d')", r"\[0-9\]"),
        ("regexp_extract(a, 'x(.)')", "Spark's SQL"),
        ("array_agg(a)", "Spark's SQL"),
        ("cardinality(a)", "Spark's SQL"),
        ("split(a, '.')", "Spark's SQL"),
        ("approx_distinct(a)", "Spark's SQL"),
        ("unknown(a)", "Spark's SQL"),
        ("items[1]", "Spark's SQL"),
        ("EXTRACT(dow FROM a)", r"day_of_week\(x\)"),
        ("date_format(a, '%Y ''%m')", "%Y"),
        ("date_format(a, '%j')", "%Y"),
        ("date_diff('day', a, b)", r"CAST\(a AS date\)"),
        ("date_diff('month', DATE '2024-01-31', DATE '2024-02-29')", "full units"),
        ("date_trunc('month', a)", r"CAST\(x AS date\)"),
        ("date_add('day', 1, a)", "Spark's SQL"),
        ("from_unixtime(a)", "Spark's SQL"),
        ("last_value(a) IGNORE NULLS OVER (ORDER BY b)", "Spark's SQL"),
        ("*, count(*) OVER ()", "with AS"),
    ],
)
def test_what_may_return_something_else_is_refused_with_what_to_write(selected, hint):
    with pytest.raises(SqlRefused, match=hint) as refused:
        parse_trino(f"SELECT 1 AS one,\n {selected}\nFROM d.s.t")
    assert "may return something else in Spark than in Trino" in refused.value.message
    assert refused.value.line == (1 if "*, " in selected else 2)


@pytest.mark.parametrize(
    ("rest", "hint"),
    [
        ("ORDER BY a FETCH FIRST 1 ROW WITH TIES", "WITH TIES"),
        ("CROSS JOIN UNNEST(a) WITH ORDINALITY AS u (x, n)", "without ORDINALITY"),
        ("CROSS JOIN UNNEST(a, b) AS u (x, y)", "of one array"),
        ("CROSS JOIN UNNEST(a) AS u (x) RIGHT JOIN d.s.v ON v.x = t.x", "the last join"),
        ("LEFT JOIN UNNEST(a) AS u (x) ON TRUE", "the last join"),
        ("CROSS JOIN (VALUES 1)", "name the columns"),
        ("NATURAL JOIN d.s.v", "ON or USING"),
        ("GROUP BY CUBE (a)", "Spark's SQL"),
        ("TABLESAMPLE BERNOULLI (10)", "Spark's SQL"),
    ],
)
def test_relations_that_come_out_otherwise_are_refused(rest, hint):
    with pytest.raises(SqlRefused, match=hint):
        parse_trino(f"SELECT 1 AS one FROM d.s.t {rest}")


def test_a_refusal_stands_at_its_word():
    with pytest.raises(SqlRefused) as refused:
        parse_trino("SELECT upper(a), date_trunc('month', b) FROM d.s.t")
    assert (refused.value.line, refused.value.column, refused.value.length) == (1, 18, len("date_trunc"))
    assert refused.value.message.startswith("DATE_TRUNC('MONTH', b) may return")
