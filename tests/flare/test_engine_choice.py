"""Which engine runs a job when it may choose, and what moves it from Sail to Spark."""

from __future__ import annotations

import shutil

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
    plan = choosing.plan(job(sql="SELECT sentences(name) AS words FROM orders"))
    assert plan.engine == "spark"
    assert "sentences/1" in plan.route.reasons[0]


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


@pytest.mark.parametrize(("type_", "engine"), [("DOUBLE", "sail"), ("DECIMAL(10, 2)", "spark")])
def test_what_a_merge_computes_is_looked_at_again_with_the_types_of_both_sides(choosing, type_, engine):
    choosing.engine = "sail"
    shutil.rmtree(choosing.folder / ".dataos" / "lakehouse")
    for address in (ORDERS, TARGET):
        choosing.seed(address, f"SELECT CAST(8 AS {type_}) AS amount, 'x' AS name")
    choosing.engine = "auto"
    clauses = "{onClause: old.name = new.name, whenClause: matched then update set amount = old.amount / new.amount}"
    options = f"{{iceberg: {{merge: {clauses}}}}}"
    assert choosing.plan(job(options=options)).engine == "sail"
    result = choosing.run_job(job(options=options))
    assert result.engine == engine
    assert ("/" in result.engine_reasons[0]) is (engine == "spark")
    # What a plan leaves open is known once the job has run.
    assert not any(doubt in reason for reason in result.engine_reasons for doubt in ("as far as", "it moves"))


def test_a_doubt_in_an_assertion_of_a_later_output_moves_the_job_before_the_first_is_written(choosing):
    result = choosing.run_job(f"""
        inputs:
          - {{name: orders, dataset: "{ORDERS}"}}
        outputs:
          - {{name: orders, dataset: "{TARGET}?acl=rw", options: {{saveMode: append}}}}
          - name: orders
            dataset: "dataos://lakehouse:sales/tested?acl=rw"
            options: {{saveMode: append}}
            assertions: [{{column: amount, tests: ["min_length > 0"]}}]
        """)
    assert result.engine == "spark"
    assert "cast as string" in result.engine_reasons[0]
    choosing.engine = "sail"
    assert choosing.table(TARGET)[1] == [(1e10, "x")]
    assert choosing.table("dataos://lakehouse:sales/tested")[1] == [(1e10, "x")]


def test_a_number_is_missing_on_sail_where_it_is_null_and_needs_no_cast_to_text(choosing):
    asserted = "[{column: amount, filter: \"name = 'x'\", tests: [missing_count == 0, null_count == 0]}]"
    result = choosing.run_job(f"""
        inputs:
          - {{name: orders, dataset: "{ORDERS}"}}
        assertions: {asserted}
        """)
    assert (result.engine, [each.value for each in result.assertions]) == ("sail", [0, 0])


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


@pytest.fixture
def without_a_jvm(sail_project, java, monkeypatch):
    """Return a project whose jobs may choose Spark, and fail the test when one starts it."""
    from dataos_dagster.engines import spark
    from dataos_dagster.engines.session import Sessions

    def refuse(*_: object) -> None:
        raise AssertionError("Spark was started")

    sail_project.seed(ORDERS, "SELECT 1e10D AS amount, 'x' AS name, CAST(1.5 AS decimal(20,2)) AS price")
    monkeypatch.setattr(spark, "start_spark", refuse)
    with Sessions(sail_project.settings) as sessions:
        sail_project.sessions, sail_project.engine = sessions, "auto"
        yield sail_project


def test_a_misspelt_function_fails_before_any_engine_starts(without_a_jvm):
    error = without_a_jvm.error_of(job(sql="SELECT cuont(*) AS n FROM orders"))
    assert "there is no function 'cuont'" in error.message
    assert "'count'" in error.hint
    assert error.location.column > 1


def test_a_misspelt_column_of_a_job_for_spark_fails_without_spark(without_a_jvm):
    error = without_a_jvm.error_of(job(sql="SELECT sentences(nmae) AS words FROM orders"))
    assert "no view that it reads has a column 'nmae'" in error.message
    assert error.hint == "did you mean 'name'?"


def test_a_misspelt_column_of_a_job_that_would_move_to_spark_fails_without_spark(without_a_jvm):
    error = without_a_jvm.error_of(job(sql="SELECT price * price * price AS cube, nmae FROM orders"))
    assert "no view that it reads has a column 'nmae'" in error.message


def test_a_misspelt_column_on_sail_is_told_in_the_same_words(sail_project):
    sail_project.seed(ORDERS, "SELECT 1e10D AS amount, 'x' AS name")
    error = sail_project.error_of(job(sql="SELECT nmae FROM orders"))
    assert (error.hint, error.step) == ("did you mean 'name'?", 'steps[0].sequence[0] "made"')


def test_a_plan_knows_the_types_of_tables_that_are_there(without_a_jvm):
    plan = without_a_jvm.plan(job(sql="SELECT price * price * price AS cube FROM orders"))
    assert plan.engine == "spark"
    assert "for the types of its columns it is not proven equal there" in plan.route.reasons[0]
    assert "/job.yaml:" not in plan.route.reasons[0]


def test_a_plan_of_a_table_that_is_not_there_yet_says_what_may_move_it(without_a_jvm):
    text = job(sql="SELECT amount / 3 AS third FROM orders").replace("sales/orders", "sales/later")
    plan = without_a_jvm.plan(text)
    assert plan.engine == "sail"
    assert plan.route.reasons[1].startswith("it moves to Spark before anything is written if the types of its columns")


def test_a_plan_for_an_existing_cluster_says_what_the_cluster_must_have(sail_project):
    sail_project.write("dataos.yaml", "engines: {connect: {url: 'sc://cluster.internal:15002'}}\n")
    sail_project.engine = "connect"
    extra = {"driver": {"memory": "1600Mi"}, "sparkConf": [{"spark.hadoop.fs.s3a.secret.key": "verysecret"}]}
    notes = "\n".join(sail_project.plan(job(), extra=extra).notes)
    assert "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions" in notes
    assert "spark.driver.memory=1600m" in notes
    assert "spark.hadoop.fs.s3a.secret.key" in notes
    assert "verysecret" not in notes
    assert "the cluster must have been started with org.apache.iceberg:iceberg-spark-runtime" in notes
    assert "spark.sql.catalog" not in notes


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        (
            {"sql": "SELECT name FROM orders GROUP BY name HAVING sum(amuont) > 2"},
            "no view that it reads has a column 'amuont'",
            "did you mean 'amount'?",
        ),
        (
            {"sql": "SELECT name, amount, sum(amount * amount) AS s FROM orders GROUP BY name"},
            "'amount' is neither grouped nor aggregated",
            "max(amount)",
        ),
        (
            {"sql": "SELECT name FROM orders a JOIN orders b ON a.amount = b.name"},
            "'name' may mean more than one column: a and b have it",
            "say of which: a.name or b.name",
        ),
        (
            {
                "sql": "SELECT name = amount AS same FROM orders",
                "functions": "[{name: trim, method: trim, column: nme}]",
            },
            "trim: there is no column 'nme'",
            "columns: same",
        ),
    ],
)
def test_a_mistake_on_either_engine_is_told_without_spark(without_a_jvm, step, message, hint):
    rows = without_a_jvm.write("rows.csv", "amount,name\n1.5,x\n")
    file = f'dataset: "{rows}", format: csv, options: {{header: true, inferSchema: true}}'
    text = job(**step).replace(f'dataset: "{ORDERS}"', file)
    error = without_a_jvm.error_of(text)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "assertion", ["{column: amuont, tests: [max < 3]}", "{sql: SELECT max(amuont) AS n FROM made, tests: [n < 3]}"]
)
def test_an_assertion_about_no_column_is_told_without_spark(without_a_jvm, assertion):
    error = without_a_jvm.error_of(f"{job()}assertions: [{assertion}]")
    assert "has no column 'amuont'" in error.message
    assert error.hint == "did you mean 'amount'?"
