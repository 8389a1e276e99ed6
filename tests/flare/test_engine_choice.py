"""Which engine runs a job when it may choose, and what moves it from Sail to Spark."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.functions.function import EngineUnsuited

ORDERS = "dataos://lakehouse:sales/orders"
TARGET = "dataos://lakehouse:sales/target"


def job(sql: str = "SELECT * FROM orders", functions: str = "[]", options: str = "{}") -> str:
    return f"""
        inputs:
          - {{name: orders, dataset: "{ORDERS}"}}
        steps:
          - sequence:
              - {{name: made, sql: "{sql}", functions: {functions}}}
        outputs:
          - {{name: made, dataset: "{TARGET}?acl=rw", options: {options}}}
        """


@pytest.fixture
def choosing(sail_project, spark_session):
    """Return a project whose jobs choose their engine, with both there."""
    sail_project.seed(ORDERS, "SELECT 1e10D AS amount, 'x' AS name")
    sail_project.engine = "auto"
    return sail_project


def test_a_job_that_is_proven_runs_on_sail(choosing):
    assert choosing.plan(job()).engine == "sail"


def test_an_unproven_construct_is_named_with_its_line_and_sends_the_job_to_spark(choosing):
    plan = choosing.plan(job(sql="SELECT java_hash_of(amount) AS h FROM orders"))
    assert plan.engine == "spark"
    assert "java_hash_of" in plan.route.reasons[0]


def test_a_cast_that_sail_does_differently_starts_the_job_again_on_spark(choosing):
    result = choosing.run_job(job(functions="[{name: set_type, columns: {amount: string}}]"))
    assert result.engine == "spark"
    assert "Sail is not known to cast double to string" in result.engine_reasons[0]
    choosing.engine = "sail"
    assert choosing.table(TARGET)[1] == [("1.0E10", "x")]


def test_an_expression_of_a_function_is_looked_at_again_with_the_types_of_its_rows(choosing):
    functions = "[{name: unfurl, expression: cast(amount as string) as text}]"
    plan = choosing.plan(job(functions=functions))
    assert plan.engine == "sail"
    result = choosing.run_job(job(functions=functions))
    assert result.engine == "spark"
    assert "cast as string" in result.engine_reasons[0]


def test_on_sail_alone_such_a_cast_is_an_error_that_says_what_to_do(choosing):
    choosing.engine = "sail"
    error = choosing.error_of(job(functions="[{name: set_type, columns: {amount: string}}]"))
    assert isinstance(error, EngineUnsuited)
    assert "--engine spark" in error.hint
    assert error.location is not None


def test_writing_a_branch_goes_to_spark_and_leaves_the_main_branch(choosing):
    choosing.engine = "sail"
    choosing.seed(TARGET, "SELECT 0e0D AS amount, 'main' AS name")
    choosing.engine = "auto"
    result = choosing.run_job(job(options="{saveMode: append, extraOptions: {branch: staging}}"))
    assert (result.engine, result.outputs[0].branch) == ("spark", "staging")
    choosing.engine = "sail"
    assert choosing.table(TARGET)[1] == [(0.0, "main")]
