"""Clauses, aggregates and windows where no engine takes them are refused with the text; what engines take is not."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import StatementFailed
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import parse_statement

VIEW = "SELECT * FROM VALUES (1, 'x', 2.0D), (2, 'y', 3.0D) AS t(id, customer, amount)"

AGGREGATE, WINDOW = "rows are chosen before they are aggregated", "the window function"
REFUSED = [
    ("SELECT customer FROM o WHERE sum(amount) > 3 GROUP BY customer", "sum", AGGREGATE, "HAVING sum(…) …"),
    ("SELECT * FROM (SELECT id FROM o WHERE max_by(id, amount) > 1)", "max_by", AGGREGATE, "HAVING max_by(…) …"),
    ("SELECT a.id FROM o a JOIN o b ON sum(a.amount) = b.amount", "sum", AGGREGATE, "join with that"),
    ("SELECT id FROM o WHERE row_number() OVER (ORDER BY id) = 1", "row_number", WINDOW, "WHERE found = …"),
    ("SELECT id FROM o WHERE first(id) OVER w = 1 WINDOW w AS (ORDER BY id)", "first", WINDOW, "WHERE found = …"),
    ("SELECT id FROM o GROUP BY id HAVING rank() OVER (ORDER BY id) = 1", "rank", WINDOW, "WHERE found = …"),
    ("SELECT customer FROM o GROUP BY sum(amount)", "sum", "groups are made first", "behind SELECT"),
    ("SELECT max(sum(amount)) FROM o", "sum", "stands inside max(…)", "SELECT max(found) FROM (SELECT sum(…)"),
    ("SELECT id FROM o HAVING sum(amount) > 3 WHERE 1=1", "WHERE", "stands behind HAVING", "in front of HAVING"),
    ("SELECT id FROM o ORDER BY id WHERE id > 1", "WHERE", "stands behind ORDER BY", "in front of ORDER BY"),
]
# Sail forgives it, and Spark does not.
FORGIVEN = ("SELECT id FROM o LIMIT 3 ORDER BY id", "ORDER BY", "stands behind LIMIT", "in front of LIMIT")

IN_ORDER = [
    "SELECT sum(sum(amount)) OVER (ORDER BY customer) FROM o GROUP BY customer",
    "SELECT customer FROM o GROUP BY customer HAVING max(amount) > 1 ORDER BY customer LIMIT 3",
    "SELECT id FROM o WHERE amount = (SELECT max(amount) FROM o)",
    "SELECT count(*) FILTER (WHERE amount > 1) AS n FROM o WHERE id > 0",
    "SELECT id FROM o WHERE id > 0 UNION ALL SELECT max(id) FROM o WHERE id > 0 GROUP BY customer ORDER BY 1",
    "SELECT `limit` FROM (SELECT id AS `limit` FROM o) WHERE limit > 0 ORDER BY limit",
    "SELECT transform(collect_list(id), x -> x + 1) AS more FROM o",
]
# Forms that only Spark knows: outer aggregates in subqueries, and steps behind pipes.
IN_ORDER_FOR_SPARK = [
    "SELECT customer FROM o GROUP BY customer HAVING EXISTS (SELECT 1 FROM o AS p WHERE p.amount = max(o.amount))",
    "FROM o |> ORDER BY id |> WHERE id > 0 |> AGGREGATE count(*) AS n GROUP BY customer |> WHERE n > 0",
]


@pytest.mark.parametrize(("sql", "word", "message", "hint"), [*REFUSED, FORGIVEN])
def test_what_stands_at_the_wrong_place_is_refused_at_the_word(sql, word, message, hint):
    with pytest.raises(SqlRefused) as refused:
        parse_statement(f"-- a comment\n{sql}")
    assert message in refused.value.message
    assert hint in str(refused.value.hint)
    assert (refused.value.code, refused.value.line) == ("sql-misplaced", 2)
    assert sql[refused.value.column - 1 :][: refused.value.length] == word


def test_engines_refuse_the_same_queries_and_take_those_in_order(engine_session):
    is_spark = engine_session.engine == "spark"
    engine_session.spark.sql(VIEW).createOrReplaceTempView("o")
    for sql, *_ in [*REFUSED, FORGIVEN] if is_spark else REFUSED:
        with pytest.raises(StatementFailed), engine_session.failures():
            engine_session.spark.sql(sql).collect()
    for sql in [*IN_ORDER, *IN_ORDER_FOR_SPARK] if is_spark else IN_ORDER:
        assert parse_statement(sql).tree is not None
        assert engine_session.spark.sql(sql).collect()
