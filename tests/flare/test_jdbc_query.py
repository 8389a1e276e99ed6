"""`JDBCQuery`: an output that runs a statement for each row instead of adding rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from depot_manifests import postgresql_depot

SINK = """
    inputs: [{name: orders, dataset: "dataos://lakehouse:sales/orders"}]
    steps:
      - sequence: [{name: changes, sql: "SELECT id, n FROM orders"}]
        sink:
          - sequenceName: changes
            datasetName: stock
            outputName: out
            outputType: JDBCQuery
            outputOptions:
              query: INSERT INTO stock VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET n = excluded.n
    outputs: [{name: out, depot: "dataos://shopdb:public?acl=rw", driver: org.postgresql.Driver}]
    """


def test_an_old_sink_upserts_into_a_database(project, postgresql):
    database = postgresql.create_database()
    postgresql.execute("CREATE TABLE stock (id int PRIMARY KEY, n int)", database=database)
    postgresql.execute("INSERT INTO stock VALUES (1, 1)", database=database)
    project.write("depot.yaml", postgresql_depot(postgresql, database))
    project.seed("dataos://lakehouse:sales/orders", "SELECT * FROM VALUES (1, 5), (2, 7) AS t(id, n)")
    result = project.run_job(SINK)
    assert result.outputs[0].rows == 2
    assert postgresql.execute("SELECT id, n FROM stock ORDER BY id", database=database) == [(1, 5), (2, 7)]


def test_a_statement_may_be_given_one_column_twice(sail_project):
    server = SimpleNamespace(port=5432, user="u", password="p")
    sail_project.write("depot.yaml", postgresql_depot(server, "shop"))
    sail_project.engine = "spark"
    statement = "(?, ?) ON CONFLICT (id) DO UPDATE SET n = ?"
    twice = SINK.replace("SELECT id, n", "SELECT id, n, n").replace(
        SINK[SINK.index("(?") : SINK.index("excluded") + 10], statement
    )
    [output] = sail_project.plan(twice).outputs
    assert output.request.statement.endswith(statement)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("format: jdbcquery", "there is no statement to run"),
        ("format: jdbc, options: {query: DELETE FROM t}", "`query` needs the format jdbcquery"),
    ],
)
def test_a_statement_and_its_format_go_together(sail_project, output, message):
    error = sail_project.error_of(f"""
        inputs: [{{name: a, dataset: "dataos://lakehouse:sales/orders"}}]
        outputs: [{{name: a, dataset: "dataos://lakehouse:sales/b", {output}}}]
        """)
    assert message in error.message
    assert error.location is not None
