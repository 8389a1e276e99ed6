"""A job goes to Sail when all of its SQL is proven equal there, and every doubt is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.engines.availability import Availability, EngineStatus
from dataos_dagster.engines.routing import Route, constructs_of, route, unproven, verdict
from dataos_dagster.engines.routing.operands import family_of
from dataos_dagster.engines.routing.proven import DIFFERENT, PROVEN
from dataos_dagster.errors import EngineUnavailable

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "workflow"
SHOP = {
    "orders": {
        "id": "int",
        "amount": "decimal(10,2)",
        "price": "double",
        "day": "date",
        "note": "string",
        "n": "bigint",
    },
    "customers": {"id": "int", "name": "string", "since": "timestamp"},
}


def machine(*, spark: bool = True, sail: bool = True, connect: bool = False) -> Availability:
    return Availability(
        (
            EngineStatus("sail", sail, "Sail 0.7.2" if sail else "the package pysail is not installed"),
            EngineStatus("spark", spark, "Apache Spark 4.1.1" if spark else "there is no Java", "install Java"),
            EngineStatus("connect", connect, "Spark Connect" if connect else "not configured"),
        )
    )


def routed(sql: str, **machine_has: bool) -> Route:
    return route(constructs_of(sql, SHOP), requested="auto", vetoes={}, availability=machine(**machine_has))


def names(sql: str, columns: dict[str, dict[str, str]] | None = SHOP) -> list[str]:
    return [construct.name for construct in unproven(constructs_of(sql, columns), assume=columns is None)]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from orders",
        "select upper(note) as note, count(*) as orders from orders group by upper(note) having count(*) > 1",
        "select o.id, c.name from orders o left join customers c on o.id = c.id where c.name is not null order by o.id",
        "with late as (select id, price from orders where day > date '2020-01-01') select sum(price) from late",
        "select id, row_number() over (partition by note order by id) as place from orders",
        "select case when price > 10 then 'dear' else 'cheap' end as kind, coalesce(note, 'none') from orders",
        "select round(avg(price), 2) as mean, max(day), min(id) from orders",
        "select /*+ repartition(2) */ * from orders union all select * from orders",
    ],
)
def test_common_sql_goes_to_sail(sql: str) -> None:
    assert names(sql) == []
    assert routed(sql).engine == "sail"


@pytest.mark.parametrize(
    ("sql", "construct"),
    [
        ("select datediff(day, date '2020-01-01') from orders", "datediff/2"),
        ("select amount / 3 from orders", "/"),
        ("select initcap(note) from orders", "initcap/1"),
        ("select 'it''s' from orders", "adjacent string literals"),
        ("select id + 1 as a, a * 2 as b from orders", "lateral alias"),
        ("select * except (id) from orders", "select * except"),
        ("select id from orders union all select name from customers", "union all"),
        ("select cast(note as double) from orders", "cast as double"),
        ("select cast(price as string) from orders", "cast as string"),
        ("select regexp_replace(note, '\\\\d+', '') from orders", "regexp_replace/3 with classes or look-around"),
        ("select note rlike note from orders", "rlike with a computed pattern"),
        ("select to_date(note) from orders", "to_date/1"),
        ("select no_such_function(id) from orders", "no_such_function/1"),
        ("select round(price, 2, 3) from orders", "round/3"),
        ("select id from orders pivot (sum(id) for note in ('a'))", "pivot"),
        ("select if(id > 1, id, n) from orders", "if/3"),
        ("select id % 0 from orders", "% by zero"),
        ("select bigint(price) from orders", "bigint/1"),
        ("select note collate utf8_lcase from orders", "Collate syntax"),
        ("select id << 2 from orders", "BitwiseLeftShift syntax"),
        ("select regexp(note, 'a') from orders", "regexp/2"),
        ("select id, n from ORDERS", "view in another case"),
        ("select c.name from orders o, lateral (select name from customers where id = o.id) c", "lateral join"),
        ("select day - date '2020-01-01' from orders", "-"),
        ("select id = '1' from orders where note = 1", "="),
        ("select cast(1e7 as string)", "cast as string"),
        ("select cast(300 as tinyint)", "cast as tinyint"),
        ("select cast(99999999999 as int)", "cast as int"),
        ("select try_cast(id as bigint) from orders", "try_cast as bigint"),
        ("with recursive r as (select 1 as n union all select n + 1 from r) select * from r", "with recursive"),
        ("select distinct on (id) * from orders", "distinct on"),
        ("selec id", "a statement that is no query"),
        ("select (", "syntax that sqlglot does not parse"),
    ],
)
def test_what_is_not_proven_is_named(sql: str, construct: str) -> None:
    assert construct in names(sql)
    found = routed(sql)
    assert found.engine == "spark"
    assert construct in found.reasons[0]


@pytest.mark.parametrize(
    ("condition", "construct"),
    [
        ("(id, n) not in (select id, id from customers)", "several columns not in a subquery"),
        ("not ((id, n) in (select id, id from customers))", "several columns not in a subquery"),
        ("id not in (select c.id from customers c where name = note)", "not in a correlated subquery"),
        ("id not in (select c.id from (select id from customers) c where n > 1)", "not in a correlated subquery"),
        ("id not in (select n)", "not in a correlated subquery"),
        ("id not in (select id from customers where name = 'ada' order by name)", None),
        ("id not in (select max(id) as most from customers group by name having most > 1)", None),
        ("id not in (select id from customers where id in (select id from orders where n > 1))", None),
        ("id not in (select x from (select id as x from customers) where x > 1)", None),
    ],
)
def test_a_subquery_that_a_row_is_not_in_is_proven_for_one_column_and_of_its_own_rows(
    condition: str, construct: str | None
) -> None:
    assert names(f"select id from orders where {condition}") == ([construct] if construct else [])


def test_a_subquery_of_views_that_are_not_known_is_looked_at_again_when_they_are() -> None:
    sql = "select id from orders where id not in (select number from clients where limit_of_it = n)"
    found = route(constructs_of(sql, SHOP), requested="auto", vetoes={}, availability=machine())
    assert found.engine == "sail"
    assert found.assumed
    own = {"number": "int", "limit_of_it": "bigint", "n": "bigint"}
    assert names(sql, SHOP | {"clients": own}) == []
    del own["n"]
    assert names(sql, SHOP | {"clients": own}) == ["not in a correlated subquery"]


@pytest.mark.parametrize("asked", ["id in (select id from customers)", "exists (select 1 from customers)"])
def test_a_subquery_in_the_filter_of_an_aggregate_is_not_proven(asked: str) -> None:
    assert "aggregate filter with a subquery" in names(f"select count(*) filter (where {asked}) from orders")


def test_a_doubt_is_named_with_its_line_and_column() -> None:
    found = routed("select id,\n  initcap(note) as n\nfrom orders")
    [construct] = found.unproven
    assert (construct.name, construct.line, construct.column) == ("initcap/1", 2, 3)
    assert "initcap/1 of string at 2:3" in found.reasons[0]


def test_without_spark_a_doubtful_job_runs_on_sail_with_a_warning() -> None:
    found = routed("select initcap(note) from orders", spark=False)
    assert found.engine == "sail"
    assert found.warning is not None
    assert "initcap/1" in found.warning
    assert "there is no Java" in found.warning


def test_a_cluster_takes_what_sail_may_not_when_there_is_no_java() -> None:
    assert routed("select initcap(note) from orders", spark=False, connect=True).engine == "connect"


def test_types_decide_where_types_matter() -> None:
    assert names("select price / id from orders") == []
    assert names("select amount / id from orders") == ["/"]


def test_types_are_followed_through_subqueries_aliases_and_ctes() -> None:
    sql = "with a as (select amount as x from orders) select y / 2 from (select x + 1 as y from a) b"
    assert names(sql) == ["/"]
    assert names(sql.replace("amount", "price")) == []


def test_without_types_what_depends_on_them_is_assumed_and_said() -> None:
    constructs = constructs_of("select amount / 3 from orders")
    [division] = [construct for construct in constructs if construct.name == "/"]
    assert verdict(division) == "assumed"
    assert unproven(constructs) == ()
    assert division in unproven(constructs, assume=False)
    found = route(constructs, requested="auto", vetoes={}, availability=machine())
    assert found.engine == "sail"
    assert division in found.assumed
    assert found.reasons[1].startswith("it moves to Spark")
    assert "/ of int at 1:8" in found.reasons[1]


def test_a_numbers_suffix_is_no_cast() -> None:
    found = constructs_of("select 1L, 5S, 5Y, 2F, 1.5D, 1.5BD, -1L from orders")
    assert [construct.name for construct in found if "cast" in construct.name] == []
    assert "cast as bigint" in [construct.name for construct in constructs_of("select 1::bigint, 1L")]


def test_a_division_by_a_text_is_read() -> None:
    assert "/" in [construct.name for construct in constructs_of("select price / 'a' from orders", SHOP)]


@pytest.mark.parametrize(
    ("sql", "operands"),
    [
        ("select cast(a as int) as a from t", ("unknown",)),
        ("select cast(b as int), upper(x) as b from t", ("unknown",)),
        ("select upper(x) as b from t where cast(b as int) > 1", ("unknown",)),
        ("select 1.5D as b, cast(b as int) from t", ("double",)),
        ("select x, 1.5D as b from t order by cast(b as int)", ("double",)),
        ("select max(x) as b from t group by y having cast(b as int) > 1", ("unknown",)),
        ("select b + 1 as b from t order by cast(b as int)", ("unknown",)),
    ],
)
def test_a_column_is_of_its_own_alias_only_where_sql_lets_it_be(sql: str, operands: tuple[str, ...]) -> None:
    [cast] = [construct for construct in constructs_of(sql) if construct.name == "cast as int"]
    assert cast.operands == operands


def test_a_veto_of_the_depot_goes_before_sql() -> None:
    found = route((), requested="auto", vetoes={"sail": ("two S3 identities",)}, availability=machine())
    assert (found.engine, found.reasons) == ("spark", ("not on Sail: two S3 identities",))


def test_a_job_that_no_engine_can_run_says_why_for_each() -> None:
    with pytest.raises(EngineUnavailable, match=r"sail: two S3 identities. spark: there is no Java. connect: not conf"):
        route((), requested="auto", vetoes={"sail": ("two S3 identities",)}, availability=machine(spark=False))


def test_the_engine_that_is_asked_for_is_taken_or_refused_with_the_reason() -> None:
    constructs = constructs_of("select initcap(note) from orders")
    asked = route(constructs, requested="sail", vetoes={}, availability=machine())
    assert asked.engine == "sail"
    assert "initcap/1" in (asked.warning or "")
    with pytest.raises(EngineUnavailable, match="spark was asked for: there is no Java"):
        route((), requested="spark", vetoes={}, availability=machine(spark=False))
    with pytest.raises(EngineUnavailable, match="no JDBC"):
        route((), requested="spark", vetoes={"spark": ("no JDBC",)}, availability=machine())


def test_every_function_that_is_known_to_differ_is_not_proven_for_those_operands() -> None:
    for name, combinations in DIFFERENT.items():
        assert not set(combinations) & set(PROVEN.get(name, ())), name


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    constructs_of(text)
    constructs_of(f"select {text} from orders", SHOP)


@given(st.sampled_from(sorted(DIFFERENT)), st.sampled_from(["id", "price", "note", "day", "amount"]))
def test_an_unknown_function_is_never_proven(name: str, column: str) -> None:
    del name
    assert "surely_unknown/1" in names(f"select surely_unknown({column}) from orders")


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("decimal(10,2)", "decimal"),
        ("decimal(15,2)", "wide decimal"),
        ("decimal(38,10)", "long decimal"),
        ("array<struct<a:int>>", "array"),
        ("timestamp_ntz", "local timestamp"),
        ("varchar(3)", "string"),
        ("interval day to second", "interval"),
    ],
)
def test_families_of_types(kind: str, family: str) -> None:
    assert family_of(kind) == family


def test_the_queries_of_tpc_h_are_all_taken_by_sail_where_types_are_not_known() -> None:
    queries = sorted((Path(__file__).parents[2] / "benchmarks" / "tpch").glob("q*.sql"))
    assert len(queries) == 22
    doubtful = {path.stem: list(map(str, unproven(constructs_of(path.read_text())))) for path in queries}
    assert {name: found for name, found in doubtful.items() if found} == {}


def flare_sql() -> list[str]:
    """Return the SQL of all published Flare jobs."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if key == "sql" and isinstance(item, str):
                    found.append(item)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for path in sorted(CORPUS.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            walk(document)
    return found


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the published manifests are not here")
def test_nine_of_ten_published_statements_may_run_on_sail() -> None:
    statements = flare_sql()
    assert len(statements) > 200
    accepted = [sql for sql in statements if not unproven(constructs_of(sql))]
    assert len(accepted) / len(statements) >= 0.9, json.dumps([len(accepted), len(statements)])


def test_reading_a_query_does_not_depend_on_letters_case() -> None:
    sql = "SELECT UPPER(Note) FROM orders WHERE Id IN (1, 2)"
    assert {c.name for c in constructs_of(sql, SHOP)} == {c.name for c in constructs_of(sql.lower(), SHOP)}
