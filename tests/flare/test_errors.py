"""What goes wrong in a job is told with its line, its SQL and what to do, and nothing is half-written."""

from __future__ import annotations

import pytest
from manifest_builder import job_text

from dataos_dagster.errors import DatasetNotFound, NotYetRun, SchemaMismatch, StepError

MANIFEST = job_text(
    """\
inputs:
  - name: orders
    dataset: dataos://lakehouse:sales/orders
steps:
  - sequence:
      - name: totals
        sql: |
          SELECT
            {expression}
          FROM {relation}
        functions:
          - {function}
outputs:
  - name: {output}
    dataset: dataos://lakehouse:sales/totals?acl=rw
"""
)
FINE = {"expression": "*", "relation": "orders", "function": "{name: cleanse_column_names}", "output": "totals"}


def failure(project, **changes):
    project.seed("dataos://lakehouse:sales/orders", "SELECT 1 AS id, 'x' AS name")
    project.write("job.yaml", MANIFEST.format(**{**FINE, **changes}))
    [outcome] = project.run().outcomes
    assert outcome.state == "failed"
    return outcome.error


def test_a_column_that_is_not_there_is_told_at_its_place_with_the_sql(project):
    error = failure(project, expression="amout")
    assert isinstance(error, StepError)
    assert "amout" in error.message
    assert (error.step, str(error.location)) == ('steps[0].sequence[0] "totals"', "job.yaml:20:25")
    assert error.location.end == (20, 30)
    assert error.hint == "columns: id, name"
    assert "amout" in error.sql


@pytest.mark.parametrize(
    ("expression", "column", "name"),
    [
        ("id, count(*) AS n", 25, "id"),
        ("count(*) AS n, upper(name) AS u", 46, "name"),
        ("name, max(id) + orders.id AS n", 41, "id"),
    ],
)
def test_a_column_that_is_neither_grouped_nor_aggregated_is_named(project, expression, column, name):
    group = "" if "upper" in expression else " GROUP BY name"
    error = failure(project, expression=expression, relation=f"orders{group}")
    assert isinstance(error, StepError)
    assert error.message == f"steps[0].sequence[0] \"totals\": '{name}' is neither grouped nor aggregated"
    assert error.hint == f"add it to GROUP BY, or say which of a group's values is meant: max({name})"
    assert (error.location.line, error.location.column, error.location.end) == (20, column, (20, column + len(name)))


@pytest.mark.parametrize(
    ("function", "column"),
    [
        ("{name: trim, column: trim, method: trim}", 46),
        ("{name: trim, method: trim, Column: trim}", 60),
        ("{name: rename, asColumn: nope, column: nope}", 64),
    ],
)
def test_a_column_of_a_function_is_told_at_the_parameter_that_names_columns(sail_project, function, column):
    error = failure(sail_project, function=function)
    assert "there is no column" in error.message
    assert (error.location.line, error.location.column) == (23, column)


def test_two_columns_of_one_name_are_told_before_anything_is_read(sail_project):
    error = sail_project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: twice, sql: "SELECT id, name AS ID FROM orders"}
        outputs:
          - {name: twice, dataset: "dataos://lakehouse:sales/copy"}
        """)
    assert error.message.startswith("steps[0].sequence[0] \"twice\": two columns are named 'ID', and outputs[0]")
    assert error.hint == "give one of them another name with AS"


def test_a_syntax_error_is_told_at_its_line_inside_the_sql(sail_project):
    error = failure(sail_project, expression="a b c d")
    assert str(error.location) == "job.yaml:20:29"
    assert error.message == "a comma is missing in front of 'c'"


def test_an_unknown_view_is_told_at_its_place_with_the_nearest_name(sail_project):
    error = failure(sail_project, relation="ordrs")
    assert str(error.location) == "job.yaml:21:28"
    assert error.hint == "did you mean `orders`?"


def test_an_unknown_depot_in_sql_is_told_with_the_nearest_name(sail_project):
    error = failure(sail_project, relation="lakehose.sales.orders")
    assert error.message == "there is no depot `lakehose`"
    assert (error.hint, str(error.location)) == ("did you mean `lakehouse`?", "job.yaml:21:28")


def test_a_function_that_does_not_fit_names_its_step_and_the_columns(project):
    error = failure(project, function="{name: rename, column: nme, asColumn: title}")
    assert error.message == "steps[0].sequence[0] \"totals\": rename: there is no column 'nme'"
    assert error.hint == "did you mean 'name'? columns: id, name"
    assert (str(error.location), error.location.end) == ("job.yaml:23:48", (23, 51))


def test_what_an_engine_refuses_of_a_function_is_told_at_the_function(project):
    error = failure(project, function='{name: unfurl, expression: "explode(id) AS i"}')
    assert error.message.startswith('steps[0].sequence[0] "totals": unfurl: ')
    assert str(error.location) == "job.yaml:23:32"


@pytest.mark.parametrize(
    ("function", "before"),
    [
        ("{name: rename_all, columns: {id: key, nme: title}}", "{name: rename_all, columns: {id: key, "),
        ("{name: select, columns: [id, nme]}", "{name: select, columns: [id, "),
        ("{name: rename_all, columns: {id: nme, nme: key}}", "{name: rename_all, columns: {id: nme, "),
        ("{name: trim, method: trim, column: nme}", "{name: trim, method: trim, column: "),
    ],
)
def test_the_name_of_a_column_has_its_place_in_a_function(sail_project, function, before):
    error = failure(sail_project, function=function)
    assert "there is no column 'nme'" in error.message
    assert (error.location.line, error.location.column) == (23, 25 + len(before))


def test_an_output_without_a_view_is_told_before_anything_is_read(sail_project):
    error = failure(sail_project, output="totls")
    assert "no input or item is called `totls`" in error.message
    assert (error.hint, str(error.location)) == ("did you mean `totals`?", "job.yaml:25:23")


def test_a_missing_table_is_told_at_the_input(project):
    error = project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/absent}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:sales/copy"}
        """)
    assert isinstance(error, DatasetNotFound)
    assert "sales.absent" in error.message
    assert error.location is not None


def test_rows_that_do_not_fit_the_table_are_refused_and_the_table_stays(project):
    project.seed("dataos://lakehouse:sales/orders", "SELECT 1 AS id, 'x' AS name")
    project.seed("dataos://lakehouse:sales/totals", "SELECT 1 AS id, 2 AS other")
    before = project.table("dataos://lakehouse:sales/totals")
    error = project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        outputs:
          - {name: orders, dataset: "dataos://lakehouse:sales/totals", options: {saveMode: append}}
        """)
    assert isinstance(error, SchemaMismatch)
    assert project.table("dataos://lakehouse:sales/totals") == before


def test_a_failure_while_writing_shows_the_sql_of_the_view(project):
    project.seed("dataos://lakehouse:sales/orders", "SELECT 1 AS id, 'x' AS name")
    error = project.error_of("""
        inputs:
          - {name: orders, dataset: dataos://lakehouse:sales/orders}
        steps:
          - sequence:
              - {name: broken, sql: "SELECT assert_true(name != 'x', concat('row ', name)) IS NULL AS e FROM orders"}
        outputs:
          - {name: broken, dataset: "dataos://lakehouse:sales/broken"}
        """)
    assert "row x" in error.message
    assert isinstance(error, StepError)
    assert error.sql.startswith("SELECT assert_true")


NOT_YET_RUN = [
    ("inputs: [{name: a, dataset: dataos://lakehouse:a/b, format: hudi}]", "the format `hudi`"),
    (
        "inputs: [{name: a, dataset: dataos://lakehouse:a/b}]\nudfs: {shout: '(text: String) => text.toUpperCase'}",
        "a function in Scala (`shout`)",
    ),
    ("inputs: [{name: a, inputType: file, file: {path: 'hdfs://bucket/a', format: csv}}]", "hdfs:…"),
    (
        (
            "inputs: [{name: a, dataset: dataos://lakehouse:a/b}]\n"
            "outputs: [{name: a, outputType: file, file: {path: 's3a://bucket/a', format: iceberg}}]"
        ),
        "writing an Iceberg table to a bucket without a catalog",
    ),
]


@pytest.mark.parametrize(("job", "what"), NOT_YET_RUN, ids=[what for _, what in NOT_YET_RUN])
def test_what_is_not_yet_run_is_said_at_its_line_and_fails_nothing(sail_project, job, what):
    sail_project.write_job(job)
    [outcome] = sail_project.run().outcomes
    assert outcome.state == "not_run"
    assert isinstance(outcome.error, NotYetRun)
    assert f"{what}" in outcome.reason
    assert outcome.reason.endswith("is read and not yet run")
    assert outcome.location.line > 1


def test_a_depot_of_a_type_that_is_not_read_yet_is_said_at_the_input_and_fails_nothing(sail_project):
    sail_project.write("database.yaml", "name: archive\nversion: v1\ntype: database\ndatabase: {}\n")
    sail_project.write_job("inputs: [{name: a, dataset: 'dataos://archivedatabase:shop/orders'}]")
    [outcome] = sail_project.run().outcomes
    assert outcome.state == "not_run"
    assert "depot 'archivedatabase' is of the type database, which is not read or written yet" in outcome.reason
    assert outcome.location.file == "job.yaml"
