"""Functions of one's own in the SQL of a job."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from dataos_dagster.errors import StepError
from dataos_dagster.manifests.project import load_project
from dataos_dagster.workflows.runner import run_jobs
from dataos_dagster.workflows.selection import select

MODULE = """\
PREFIX = "<"


def shout(text):
    return None if text is None else PREFIX + text.upper()


def total(one, other):
    return (one or 0) + (other or 0)


def totals(one, other):
    import pyarrow.compute as pc

    return pc.add(pc.cast(one, "int64"), pc.cast(other, "int64"))
"""
JOB = """\
udfs: {udfs}
inputs:
  - {{name: orders, dataset: "dataos://lakehouse:u/orders"}}
steps:
  - sequence:
      - name: loud
        sql: SELECT SHOUT(customer) AS customer, total(id, 1) AS next FROM orders
outputs:
  - {{name: loud, dataset: "dataos://lakehouse:u/loud"}}
"""
BOTH = {
    "shout": {"python": "my_texts:shout", "returns": "string"},
    "total": {"python": "my_texts:total", "returns": "long"},
}


def job(**udfs):
    return JOB.format(udfs={**BOTH, **udfs})


@pytest.fixture
def orders(project, module_in):
    module_in(project, "my_texts", MODULE)
    return _seeded(project)


@pytest.fixture
def sail_orders(sail_project, module_in):
    module_in(sail_project, "my_texts", MODULE)
    return _seeded(sail_project)


def _seeded(project):
    project.seed("dataos://lakehouse:u/orders", "SELECT * FROM VALUES (1, 'ann'), (2, null) AS t(id, customer)")
    return project


@pytest.mark.usefixtures("_no_default_session")
def test_a_thread_that_has_no_active_session_runs_functions_too(sail_orders):
    functions = """
        functions:
          - {name: any_date, column: day, asColumn: date}
          - {name: split_url, column: day}"""
    written = (
        job()
        .replace("total(id, 1) AS next", "'2026-01-02' AS day")
        .replace(" FROM orders\n", f" FROM orders{functions}\n")
    )
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(sail_orders.run_job, written).result()
    assert result.outputs[0].rows == 2


@pytest.fixture
def _no_default_session(monkeypatch):
    monkeypatch.setattr(SparkSession, "_default_session", None)


def test_a_function_may_take_arrays_of_many_rows(orders):
    orders.run_job(job(total={"arrow": "my_texts:totals", "returns": "long"}))

    assert orders.table("dataos://lakehouse:u/loud") == (
        ["customer string", "next bigint"],
        [("<ANN", 2), (None, 3)],
    )


def test_a_function_takes_rows_or_arrays(sail_orders):
    both = {"python": "my_texts:total", "arrow": "my_texts:totals", "returns": "long"}
    error = sail_orders.error_of(job(total=both))

    assert error.message == "function `total`: has `python` and `arrow`, and is one function"
    assert error.hint == "remove one of the two"


def test_a_function_of_the_project_is_called_from_sql_and_gone_afterwards(orders):
    result = orders.run_job(job())
    assert result.engine == orders.engine
    columns, rows = orders.table("dataos://lakehouse:u/loud")
    assert columns == ["customer string", "next bigint"]
    assert rows == [("<ANN", 2), (None, 3)]
    [output] = result.outputs
    assert [source.column for source in output.lineage.columns["customer"]] == ["customer"]
    with pytest.raises(PySparkException, match=r"(?i)shout"):
        orders.session().spark.sql("SELECT shout('a')").collect()


def test_sail_is_chosen_for_functions_of_ones_own(sail_orders):
    sail_orders.engine = "auto"
    plan = sail_orders.plan(job())
    assert plan.engine == "sail"


@pytest.mark.parametrize(
    ("declared", "message", "hint"),
    [
        ({"pyhton": "my_texts:shout"}, "has no key 'pyhton'", "did you mean 'python'?"),
        ({"python": "my_texts.shout"}, "names no function", "write {python:"),
        ({"python": "my_texts:shout", "returns": "texts"}, "'texts' is no type", "types: boolean"),
        ({"python": "my_texts:shout", "returns": "strng"}, "'strng' is no type", "did you mean 'string'?"),
    ],
)
def test_a_function_that_is_declared_wrongly_is_told_at_its_place(sail_orders, declared, message, hint):
    sail_orders.write_job(job(shout=declared))
    project = load_project(sail_orders.folder, settings=sail_orders.settings, use_cache=False)
    [found] = project.errors
    assert found.code == "wrong-function"
    assert message in found.message
    assert hint in found.hint
    assert found.line > 1


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("my_texts:whisper", "cannot be imported"),
        ("no_such_module:f", "No module named 'no_such_module'"),
    ],
)
def test_a_function_that_is_not_in_its_module_is_told_at_its_place(sail_orders, target, message):
    error = sail_orders.error_of(job(shout={"python": target}))
    assert isinstance(error, StepError)
    assert message in error.message
    assert "modules are looked for in" in str(error.hint)
    assert error.location is not None
    assert error.location.file == "job.yaml"


def test_a_function_in_scala_is_not_run_and_says_so(sail_orders):
    sail_orders.write_job(job(shout="(value: String) => value.toUpperCase()"))
    [outcome] = sail_orders.run("wf-job").outcomes
    assert outcome.state == "not_run"
    assert "a function in Scala (`shout`)" in str(outcome.reason)


def test_each_project_has_its_own_module_of_a_name(sail_orders, tmp_path):
    sail_orders.run_job(job())
    other = replace(sail_orders, folder=tmp_path / "other")
    _seeded(other)
    other.write("my_texts.py", MODULE.replace('"<"', '">"'))
    other.run_job(job())
    sail_orders.run_job(job())
    for project, customer in ((sail_orders, "<ANN"), (other, ">ANN")):
        assert project.table("dataos://lakehouse:u/loud")[1] == [(customer, 2), (None, 3)]
    assert sys.modules["my_texts"].PREFIX == "<"


def test_jobs_side_by_side_send_the_functions_of_one_module(sail_orders, monkeypatch):
    from pyspark import cloudpickle

    real = cloudpickle.register_pickle_by_value

    def slow(module):
        real(module)
        time.sleep(0.3)

    monkeypatch.setattr(cloudpickle, "register_pickle_by_value", slow)
    sail_orders.write_job(job(), name="one")
    sail_orders.write_job(job().replace("u/loud", "u/louder"), name="two")
    graph = sail_orders.graph
    summary = run_jobs(graph, select(graph, ()), sail_orders.context, at_once=2)
    assert [(outcome.state, outcome.error) for outcome in summary.outcomes] == [("succeeded", None)] * 2


def test_a_module_that_is_named_as_one_of_python_is_refused(sail_orders):
    sail_orders.write("string.py", MODULE)
    error = sail_orders.error_of(job(shout={"python": "string:capwords"}))
    assert "Python has a module 'string' itself" in error.message
    assert error.hint == "give yours another name"


def test_a_function_that_fails_is_told_with_its_own_frames_only(orders):
    orders.write(
        "my_texts.py",
        f"{MODULE}\n\ndef inner(text):\n    return text.nope\n\n\ndef boom(text):\n    return inner(text)\n",
    )
    error = orders.error_of(job(shout={"python": "my_texts:boom", "returns": "string"}))
    assert "a function in Python failed: AttributeError: 'str' object has no attribute 'nope'" in error.message
    frames = [line.split(", ", 1) for line in error.message.splitlines() if line.startswith("  File ")]
    assert [place.endswith('my_texts.py"') for place, _ in frames] == [True, True]
    assert [where.split()[-1] for _, where in frames] == ["boom", "inner"]


def test_values_that_are_not_of_the_declared_type_are_told_without_frames(orders):
    error = orders.error_of(job(shout={"python": "my_texts:shout", "returns": "int"}))
    assert error.message.endswith("a function in Python returned '<ANN', a str, and declares int32")
    assert error.hint == "the table is as it was before"
    assert "Traceback" not in error.message
    assert "  File " not in error.message
