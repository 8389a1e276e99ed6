"""Joins that a step declares instead of writing SQL."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import StepError
from dataos_dagster.flare.functions.function import EngineUnsuited
from dataos_dagster.flare.joining import join_query

ORDERS = "SELECT * FROM VALUES (1, 'ann'), (2, 'bob') AS t(id, customer)"
JOB = """\
inputs:
  - {{name: left_view, dataset: "dataos://lakehouse:j/orders"}}
  - {{name: right_view, dataset: "dataos://lakehouse:j/amounts"}}
steps:
  - sequence:
      - name: joined
        classpath: {classpath}
        params: {params}
        functions:
          - name: select
            columns: [customer, amount]
outputs:
  - {{name: joined, dataset: "dataos://lakehouse:j/joined"}}
"""
JOINER = "io.dataos.flare.step.codes.Joiner"


def job(classpath=JOINER, **params):
    params = {
        "join": "LEFT",
        "inputs": "left_view, right_view",
        "joinExpr": "left_view.id = right_view.order_id",
        **params,
    }
    return JOB.format(classpath=classpath, params={key: value for key, value in params.items() if value})


@pytest.fixture
def orders(project):
    project.seed("dataos://lakehouse:j/orders", ORDERS)
    project.seed("dataos://lakehouse:j/amounts", "SELECT * FROM VALUES (1, 10), (3, 30) AS t(order_id, amount)")
    return project


@pytest.mark.parametrize(
    ("join", "rows"),
    [
        ("left", [("ann", 10), ("bob", None)]),
        ("LEFT_OUTER", [("ann", 10), ("bob", None)]),
        ("Inner", [("ann", 10)]),
        ("full outer", [("ann", 10), ("bob", None), (None, 30)]),
    ],
)
def test_a_declared_join_is_one(orders, join, rows):
    result = orders.run_job(job(join=join))
    assert sorted(orders.table("dataos://lakehouse:j/joined")[1], key=repr) == sorted(rows, key=repr)
    [output] = result.outputs
    assert [source.column for source in output.lineage.columns["amount"]] == ["amount"]


@pytest.mark.parametrize(
    ("join", "rows"),
    [
        ("RIGHT", [(1, 1), (None, 3)]),
        ("rightOuter", [(1, 1), (None, 3)]),
        ("FullOuter", [(1, 1), (2, None), (None, 3)]),
        ("cross", [(1, 1)]),
        ("left_semi", [(1,)]),
        ("SEMI", [(1,)]),
        ("leftAnti", [(2,)]),
        ("anti", [(2,)]),
    ],
)
def test_every_join_of_spark_may_be_declared_in_any_case(engine_session, join, rows):
    engine_session.spark.sql("SELECT * FROM VALUES (1), (2) AS t(id)").createOrReplaceTempView("left_side")
    engine_session.spark.sql("SELECT * FROM VALUES (1), (3) AS t(k)").createOrReplaceTempView("right_side")
    query = join_query({"join": join, "inputs": "left_side, right_side", "joinExpr": "left_side.id = right_side.k"})
    assert sorted(map(tuple, engine_session.spark.sql(query).collect()), key=repr) == sorted(rows, key=repr)


def test_another_class_than_the_join_is_not_run_and_says_so(sail_project):
    sail_project.write_job(job(classpath="com.example.Step"))
    [outcome] = sail_project.run().outcomes
    assert outcome.state == "not_run"
    assert "the step class com.example.Step" in outcome.reason


def test_columns_of_one_name_on_both_sides_are_told_apart_by_selecting_others(project):
    _seed_with_ids(project)
    project.run_job(job())
    assert project.table("dataos://lakehouse:j/joined")[1] == [("ann", 10), ("bob", None)]


def test_a_view_with_two_columns_of_one_name_does_not_suit_sail(sail_project):
    _seed_with_ids(sail_project)
    whole = job().partition("    functions:")[0] + 'outputs: [{name: joined, dataset: "dataos://lakehouse:j/joined"}]\n'
    error = sail_project.error_of(whole)
    assert isinstance(error, EngineUnsuited)
    assert "Sail has no view with two columns of one name" in error.message


def _seed_with_ids(project):
    project.seed("dataos://lakehouse:j/orders", ORDERS)
    project.seed("dataos://lakehouse:j/amounts", "SELECT 1 AS id, 1 AS order_id, 10 AS amount")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"join": "sideways"}, "'sideways' is no join"),
        ({"joinExpr": None}, "needs the parameter 'joinExpr'"),
        ({"condition": "true"}, "has no parameter 'condition'"),
        ({"inputs": "left_view"}, "a join has two inputs"),
        ({"inputs": "left_view, rigth_view"}, "rigth_view"),
    ],
)
def test_a_join_that_is_none_says_what_is_missing(sail_project, params, message):
    sail_project.seed("dataos://lakehouse:j/orders", ORDERS)
    error = sail_project.error_of(job(**params))
    assert isinstance(error, StepError)
    assert message in error.message
    assert error.location is not None
    assert error.location.file == "job.yaml"
