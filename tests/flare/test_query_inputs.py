"""Inputs by `query`: in the words of the platform's query engine, answered by a database or by the job's engine."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import pytest
from depot_manifests import postgresql_depot

from dataos_dagster.errors import DepotError
from dataos_dagster.flare.query_inputs import datasets_of_query
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.trino import parse_trino
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.project import load_project

CITY = "dataos://lakehouse:retail/city"
OUT = "dataos://lakehouse:retail/out"
COPY = """
    inputs:
      - name: cities
        query: >-
          {query}
        options: {{SSL: "true", driver: io.trino.jdbc.TrinoDriver, cluster: system}}
    {steps}
    outputs:
      - {{name: cities, dataset: "dataos://lakehouse:retail/out?acl=rw"}}
    """


def job(query: str, steps: str = "") -> str:
    return COPY.format(query=query, steps=steps)


@pytest.fixture
def cities(project):
    """Return a project with a table of cities in its lakehouse."""
    project.seed(CITY, "SELECT * FROM VALUES (1, 'Pune', DATE'2024-01-30'), (2, 'Oslo', NULL) AS t(id, name, since)")
    return project


@pytest.fixture
def database(project, postgresql):
    """Return a database with two tables, which the project knows as the depot `shopdb`."""
    return shop_of(project, postgresql)


def shop_of(project, postgresql):
    name = postgresql.create_database()
    postgresql.execute("CREATE TABLE orders (id int, city int, price numeric(10,2), note varchar(9))", database=name)
    postgresql.execute("INSERT INTO orders VALUES (1, 1, 2.50, 'a'), (2, 1, NULL, NULL), (3, 2, 9, 'c')", database=name)
    postgresql.execute("CREATE TABLE city (id int, name text)", database=name)
    postgresql.execute("INSERT INTO city VALUES (1, 'Pune'), (2, 'Oslo')", database=name)
    project.write("depot.yaml", postgresql_depot(postgresql, name))
    return name


def test_a_query_over_a_lakehouse_is_run_by_the_engine_in_its_own_words(cities):
    query = """SELECT "id", upper(name) AS name, date_format(since, '%d.%m.%Y') AS since,
          date_diff('day', DATE '2024-01-01', CAST(since AS date)) AS days
          FROM lakehouse.retail."city" WHERE lakehouse.retail.city.id < 3;"""
    result = cities.run_job(job(query))
    columns = ["id int", "name string", "since string", "days bigint"]
    assert cities.table(OUT) == (columns, [(1, "PUNE", "30.01.2024", 29), (2, "OSLO", None, None)])
    assert [planned.dataset for planned in result.inputs] == [CITY]
    [note] = [note for note in result.notes if "query engine" in note]
    assert note == "input 'cities': SSL, cluster, driver are for the platform's query engine, which is not asked"


def test_steps_read_what_a_query_returns(cities):
    steps = "steps: [{sequence: [{name: cities, sql: SELECT id + 1 AS id FROM cities}]}]"
    cities.run_job(job("SELECT id FROM lakehouse.retail.city", steps))
    assert cities.table(OUT)[1] == [(2,), (3,)]


def test_a_plain_query_over_one_database_is_answered_there(project, database):
    query = """SELECT c.name, count(o.note) AS notes, o.price FROM shopdb.public.orders o
          JOIN shopdb.public.city AS c ON c.id = o.city WHERE o.id <= 3 GROUP BY c.name, o.price"""
    plan = project.plan(job(query))
    [read] = plan.as_json()["inputs"]
    assert read["dataset"] == "dataos://shopdb"
    assert read["query"].startswith('SELECT c.name, COUNT(o.note) AS notes, o.price FROM "public"."orders" AS o')
    project.run_job(job(query))
    rows = [("Oslo", 1, Decimal("9.00")), ("Pune", 0, None), ("Pune", 1, Decimal("2.50"))]
    assert project.table(OUT) == (["name string", "notes bigint", "price decimal(10,2)"], rows)


def test_a_query_that_databases_answer_differently_is_run_by_the_engine(project, database):
    project.run_job(job("SELECT sum(price) AS total, max(note) AS last FROM shopdb.public.orders"))
    assert project.table(OUT) == (["total decimal(20,2)", "last string"], [(Decimal("11.50"), "c")])


def test_a_connection_that_is_spelled_out_answers_a_query_in_its_own_words(project, postgresql, database):
    url = f"jdbc:postgresql://{postgresql.host}:{postgresql.port}/{database}"
    login = f"username: {postgresql.user}, password: {postgresql.password}"
    project.run_job(f"""
        inputs:
          - name: totals
            inputType: jdbc
            jdbc: {{url: '{url}', {login}, query: "SELECT string_agg(note, '+' ORDER BY id) AS notes FROM orders;"}}
        outputs: [{{name: totals, dataset: "{OUT}"}}]
        """)
    assert project.table(OUT) == (["notes string"], [("a+c",)])


@pytest.mark.parametrize(
    ("selected", "condition", "rest"),
    [
        ("o.id, c.name, o.note, o.price", "o.id <> 3 AND (o.note IS NULL OR o.note = 'a')", ""),
        (
            "c.name, count(*), count(o.price), count(DISTINCT o.city)",
            "o.price > 2.4 OR o.price IS NULL",
            "GROUP BY c.name",
        ),
        ("DISTINCT coalesce(o.price, 0) AS price", "o.id IN (SELECT id FROM shopdb.public.orders WHERE id < 3)", ""),
        ("o.id, o.note", "NOT o.note IN ('c', NULL) OR o.id BETWEEN 0 AND 1", "ORDER BY o.note"),
    ],
)
def test_a_database_answers_as_the_engine_does(sail_project, postgresql, selected, condition, rest):
    shop_of(sail_project, postgresql)
    query = f"SELECT {selected} FROM shopdb.public.city c LEFT JOIN shopdb.public.orders o ON o.city = c.id WHERE "
    answers = []
    # A function is what no database is asked for.
    for either, pushed in (("", True), ("abs(1) = 1 AND ", False)):
        whole = job(f"{query}{either}({condition}) {rest}")
        assert (sail_project.plan(whole).as_json()["inputs"][0].get("query") is not None) is pushed
        sail_project.run_job(whole)
        answers.append(sail_project.table(OUT))
    assert answers[0] == answers[1]
    assert answers[0][1]


ANSWERED = 14


def test_plain_queries_of_all_shapes_have_the_rows_of_the_engine(sail_project, postgresql):
    """Random queries, each as an input that the database answers, and as one that the engine does."""
    name = shop_of(sail_project, postgresql)
    rows = "(4, 2, 9.00, 'C'), (5, NULL, -1.25, ''), (6, 3, 0, 'a'), (7, 2, NULL, 'é'), (NULL, 1, 2.50, ' a')"
    postgresql.execute(f"INSERT INTO orders VALUES {rows}", database=name)
    postgresql.execute("INSERT INTO city VALUES (3, NULL), (4, 'pune'), (NULL, 'Oslo')", database=name)
    chance = random.Random(17)
    queries = [plain_query(chance) for _ in range(ANSWERED)]
    tables = []
    for pushed, either in ((True, ""), (False, "abs(1) = 1 AND ")):
        inputs = "".join(f"  - name: q{n}\n    query: {json.dumps(q.format(either))}\n" for n, q in enumerate(queries))
        outputs = "".join(
            f"  - {{name: q{n}, dataset: 'dataos://lakehouse:either/q{n}?acl=rw'}}\n" for n in range(ANSWERED)
        )
        whole = f"inputs:\n{inputs}outputs:\n{outputs}"
        read = sail_project.plan(whole).as_json()["inputs"]
        assert sum(entry.get("query") is not None for entry in read) == (ANSWERED if pushed else 0), queries
        sail_project.run_job(whole)
        tables.append([sail_project.table(f"dataos://lakehouse:either/q{n}") for n in range(ANSWERED)])
    for query, answered, computed in zip(queries, *tables, strict=True):
        assert answered == computed, query
    assert sum(len(rows) for _, rows in tables[0]) > ANSWERED


def plain_query(chance: random.Random) -> str:
    """Return a query of what means the same in every database; `{}` stands in front of its conditions."""
    numbers, texts = ("o.id", "o.city", "o.price", "c.id"), ("o.note", "c.name")
    columns = (*numbers, *texts)

    def condition(depth: int) -> str:
        if depth and chance.random() < 0.7:
            parts = f"({condition(depth - 1)}) {chance.choice(['AND', 'OR'])} ({condition(depth - 1)})"
            return f"NOT ({parts})" if chance.random() < 0.3 else parts
        number, text = chance.choice(numbers), chance.choice(texts)
        return chance.choice(
            [
                f"{number} {chance.choice(['<', '<=', '>', '>=', '=', '<>'])} {chance.choice(['2', '2.5', '-1', '0'])}",
                f"{number} {chance.choice(['', 'NOT '])}BETWEEN -1 AND {chance.choice(['2', '2.50'])}",
                f"{text} {chance.choice(['=', '<>'])} {chance.choice([chr(39) + word + chr(39) for word in ('a', 'C', '', 'é')])}",
                f"{chance.choice(columns)} IS {chance.choice(['', 'NOT '])}NULL",
                f"{text} {chance.choice(['', 'NOT '])}IN ('a', 'Pune', {chance.choice(['NULL', chr(39) * 2])})",
                f"{chance.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM shopdb.public.city x WHERE x.id = o.city AND x.id > 1)",
                "coalesce(o.price, 0) = coalesce(o.price, 1)",
            ]
        )

    some = chance.sample(columns, 2)
    named = ", ".join(f"{column} AS k{number}" for number, column in enumerate(some))
    grouped = f"{named}, count(*) AS n, count(DISTINCT {chance.choice(columns)}) AS d"
    joins = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]
    tables = f"shopdb.public.orders o {chance.choice(joins)} shopdb.public.city c ON c.id = o.city"
    # Below an OR or a NOT, Sail takes a comparison with NULL in a subquery for false.
    among = f"o.id {chance.choice(['', 'NOT '])}IN (SELECT x.id FROM shopdb.public.city x{chance.choice(['', ' WHERE x.id < 3'])})"
    where = f"FROM {tables} WHERE {{}}({condition(2)}){chance.choice(['', '', f' AND {among}'])}"
    return chance.choice(
        [
            f"SELECT {named} {where}",
            f"SELECT DISTINCT {named} {where}",
            f"SELECT {grouped} {where} GROUP BY {', '.join(some)} HAVING count(*) >= 1",
            f"WITH w AS (SELECT {named} {where}) SELECT k0, count(k1) AS n FROM w GROUP BY k0",
            f"SELECT c.id AS k FROM shopdb.public.city c UNION ALL SELECT o.city AS k {where}",
        ]
    )


def test_the_time_zone_of_a_server_and_its_letter_cases_change_no_rows(sail_project, postgresql):
    name = postgresql.create_database()
    postgresql.execute('CREATE TABLE events (id int, at timestamptz, "Kind" text)', database=name)
    postgresql.execute(
        "INSERT INTO events VALUES (1, '2024-01-01 23:30Z', 'a'), (2, '2024-01-02 03:00Z', 'b')", database=name
    )
    postgresql.execute(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'", database=name)
    sail_project.write("depot.yaml", postgresql_depot(postgresql, name))
    sail_project.run_job(job("SELECT Kind FROM shopdb.public.events WHERE at >= DATE '2024-01-02'"))
    assert [row for (row,) in sail_project.table(OUT)[1]] == ["b"]


def test_a_query_that_the_database_refuses_is_told_at_its_input(project, database):
    error = project.error_of(job("SELECT nope FROM shopdb.public.orders"))
    assert isinstance(error, DepotError)
    assert 'column "nope" does not exist' in error.message
    assert error.location is not None


@pytest.mark.parametrize(
    ("query", "code", "message", "column"),
    [
        ("SELECT * FROM city", "sql-refused", "'city' is no dataset", 34),
        ("SELECT * FROM nowhere.retail.city", "unknown-depot", "there is no depot `nowhere`", 34),
        ("DELETE FROM lakehouse.retail.city", "sql-refused", "is one SELECT", 20),
        ("SELECT a FROM lakehouse.retail.city WHERE 'x", "sql-syntax", "cannot be read", None),
        ("SELECT FROM WHERE", "sql-syntax", "the query cannot be read: Expected table name", None),
    ],
)
def test_a_query_that_is_none_is_told_at_its_word(sail_project, query, code, message, column):
    sail_project.write_job(job(query))
    [found] = load_project(sail_project.folder, environment={}, use_cache=False).errors
    assert (found.code, found.line) == (code, 14)
    assert message in found.message
    assert column is None or found.column == column
    [outcome] = sail_project.run().outcomes
    assert message in outcome.error.message


@pytest.mark.parametrize(
    ("query", "message", "column"),
    [
        ("SELECT * FROM LENS(SELECT * FROM x)", "(LENS) are not run here", 20),
        ("SELECT avg(a) AS a FROM lakehouse.retail.city", "AVG(a) may return something else", 27),
    ],
)
def test_a_query_that_only_trino_answers_is_told_at_its_word_and_its_job_left_out(sail_project, query, message, column):
    sail_project.write_job(job(query))
    project = load_project(sail_project.folder, environment={}, use_cache=False)
    [found] = [told for told in project.diagnostics if told.code == "query-not-run"]
    assert (found.severity, found.line, found.column) == (Severity.WARNING, 14, column)
    assert message in found.message
    [node] = sail_project.graph.nodes.values()
    assert not node.is_run
    assert message in str(node.missing)


def test_an_increment_of_a_query_is_refused(sail_project):
    incremental = "incremental: {context: c, sql: SELECT * FROM c}"
    error = sail_project.error_of(f"inputs: [{{name: a, query: SELECT 1, {incremental}}}]")
    assert "`incremental` bounds a dataset" in error.message


def test_the_datasets_of_a_query_are_what_its_job_waits_for(sail_project):
    sail_project.write_job(
        job('SELECT * FROM lakehouse.retail.city a JOIN "lakehouse"."retail"."zip" b ON a.id = b.id')
    )
    [node] = sail_project.graph.nodes.values()
    assert [str(address) for address in node.reads] == [CITY, "dataos://lakehouse:retail/zip"]


PLAIN = "SELECT a, count(*) FROM d.s.t WHERE b = 'x' AND c > 1.5 GROUP BY a"


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        (PLAIN, True),
        ("SELECT t.* FROM d.s.t JOIN d.s.u ON t.a = u.a LIMIT 3", True),
        ("SELECT a FROM d.s.t WHERE b BETWEEN 1 AND 2 OR b IS NULL ORDER BY a", True),
        ("SELECT a FROM d.s.t WHERE b > -1 AND c = -2.5", True),
        ("SELECT a FROM d.s.t WHERE b = -c", False),
        ("SELECT a FROM d.s.t WHERE b > 'x'", False),
        ("SELECT a FROM d.s.t ORDER BY a LIMIT 3", False),
        ("SELECT sum(a) FROM d.s.t", False),
        ("SELECT max(a) FROM d.s.t", False),
        ("SELECT lower(a) FROM d.s.t", False),
        ("SELECT a || b FROM d.s.t", False),
        ("SELECT CAST(a AS date) FROM d.s.t", False),
        ("SELECT a FROM d.s.t WHERE b >= DATE '2024-01-01'", False),
        ("SELECT a FROM d.s.t WHERE b = TIMESTAMP '2024-01-01 00:00:00'", False),
        ("SELECT Kind FROM d.s.t", False),
        ('SELECT "KIND" FROM d.s.t', False),
        ("SELECT kind AS Sort FROM d.s.t", False),
        ("SELECT kind FROM d.S.t", False),
        ("SELECT a FROM d.s.t WHERE a LIKE 'x%'", False),
        ("SELECT row_number() OVER (ORDER BY a) FROM d.s.t", False),
    ],
)
def test_only_what_every_database_answers_alike_is_plain(query, plain):
    assert parse_trino(query).is_plain is plain


def test_what_is_no_query_names_no_dataset():
    with pytest.raises(SqlRefused, match="one SELECT"):
        datasets_of_query("INSERT INTO a.b.c SELECT 1")
