"""Jobs on a database: through a depot, and spelled out in the job."""

from __future__ import annotations

import pytest
from depot_manifests import postgresql_depot

from dataos_dagster.errors import CredentialsRefused, DatasetNotFound

BACK_AND_FORTH = """
    inputs:
      - {{name: orders, {source}}}
    steps:
      - sequence:
          - {{name: doubled, sql: "SELECT id, amount * 2 AS amount FROM orders"}}
    outputs:
      - {{name: doubled, {target}}}
      - {{name: doubled, dataset: "dataos://lakehouse:shop/doubled"}}
    """


@pytest.fixture
def database(project, postgresql):
    """Return a database with a table of orders, which the project knows as the depot `shopdb`."""
    name = postgresql.create_database()
    postgresql.execute("CREATE TABLE orders (id int, amount double precision)", database=name)
    postgresql.execute("INSERT INTO orders VALUES (1, 10.5), (2, NULL)", database=name)
    project.write("depot.yaml", postgresql_depot(postgresql, name))
    return name


def rows_in(postgresql, database):
    return postgresql.execute("SELECT id, amount FROM doubled ORDER BY id", database=database)


def test_a_job_reads_and_writes_tables_of_a_depot(project, postgresql, database):
    job = BACK_AND_FORTH.format(
        source='dataset: "dataos://shopdb:public/orders", options: {driver: org.postgresql.Driver}',
        target='dataset: "dataos://shopdb:public/doubled?acl=rw", format: jdbc, driver: org.postgresql.Driver, '
        "options: {saveMode: overwrite}",
    )
    result = project.run_job(job)
    assert rows_in(postgresql, database) == [(1, 21.0), (2, None)]
    assert project.table("dataos://lakehouse:shop/doubled") == (
        ["id int", "amount double"],
        [(1, 21.0), (2, None)],
    )
    assert [output.rows for output in result.outputs] == [2, 2]


def test_a_connection_spelled_out_in_the_job_is_used_and_its_password_never_shown(project, postgresql, database):
    section = (
        f"url: 'jdbc:postgresql://{postgresql.host}:{postgresql.port}/{database}', username: {postgresql.user}, "
        f"password: {postgresql.password}, driver: org.postgresql.Driver"
    )
    job = BACK_AND_FORTH.format(
        source=f"inputType: jdbc, jdbc: {{{section}, table: orders}}",
        target=f"outputType: jdbc, jdbc: {{{section}, table: doubled}}, options: {{saveMode: overwrite}}",
    )
    plan = project.plan(job)
    assert postgresql.password not in plan.as_text() + str(plan.as_json()) + repr(plan.inputs) + repr(plan.outputs)
    result = project.run_job(job)
    assert rows_in(postgresql, database) == [(1, 21.0), (2, None)]
    assert postgresql.password not in repr(result)


def test_a_table_that_is_not_there_is_told_at_the_input(project, database):
    error = project.error_of("inputs: [{name: a, dataset: 'dataos://shopdb:public/absent'}]")
    assert isinstance(error, DatasetNotFound)
    assert error.location is not None


def test_a_wrong_password_is_told_as_such_and_not_repeated(project, postgresql, database):
    depot = project.folder / "depot.yaml"
    depot.write_text(depot.read_text().replace(postgresql.password, "wrong-horse"))
    error = project.error_of("inputs: [{name: a, dataset: 'dataos://shopdb:public/orders'}]")
    assert isinstance(error, CredentialsRefused)
    assert "wrong-horse" not in str(error)
