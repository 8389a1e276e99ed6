"""Which column of a query is neither grouped nor aggregated, by its text."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.grouping import ungrouped_column


@pytest.mark.parametrize(
    ("sql", "name", "column"),
    [
        ("SELECT customer, sum(amount) FROM o", "customer", 8),
        ("SELECT sum(amount) + id, day FROM o GROUP BY day", "id", 22),
        ("SELECT count(*) FILTER (WHERE amount > 1) AS n, customer FROM o GROUP BY day", "customer", 49),
        ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS m, customer FROM o", "customer", 66),
    ],
)
def test_a_column_that_is_neither_is_named_at_its_place(sql, name, column):
    found = ungrouped_column(sql)
    assert found is not None
    assert (found.name, found.line, found.column) == (name, 1, column)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT day AS d, sum(amount) FROM o GROUP BY d",
        "SELECT upper(o.day), count(*) FROM o GROUP BY upper(day)",
        "SELECT count(*) FILTER (WHERE amount > 1) FROM o",
        "SELECT listagg(name, ',') WITHIN GROUP (ORDER BY amount) FROM o",
        "SELECT day, (SELECT max(x) FROM t) FROM o",
        "SELECT id, sum(amount) OVER (PARTITION BY day) FROM o",
    ],
)
def test_a_query_in_order_has_none(sql):
    assert ungrouped_column(sql) is None
