"""Assertions of jobs: what is measured, what failing ones stop, and what is told of them; on both engines."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import AssertionsFailed, DatasetNotFound, StepError
from dataos_dagster.flare.manifest.assertions import METRICS
from dataos_dagster.workflows.results import Reporter

SOURCE = "dataos://lakehouse:sales/orders"
TARGET = "dataos://lakehouse:sales/checked"
ROWS = """
    SELECT * FROM VALUES
      (1, 'ann@example.com', 10.0D, 'EMEA'), (2, 'bob', 20.0D, 'EMEA'), (3, '', 30.0D, 'APAC'),
      (4, CAST(NULL AS STRING), CAST(NULL AS DOUBLE), 'APAC'), (5, 'bob', 40.0D, 'EMEA')
    AS t(id, mail, amount, region)
"""
# Of `amount` (10, 20, 30, 40 and a null) and of `mail`, worked out by hand.
MEASURED = {
    "amount": {
        "avg": 25.0, "min": 10.0, "max": 40.0, "sum": 100.0, "stddev": 12.909944487358056, "variance": 166.66666666666666,
        "skewness": 0.0, "kurtosis": -1.36, "distinct_count": 4, "duplicate_count": 0, "null_count": 1,
        "null_percentage": 0.2, "missing_count": 1, "missing_percentage": 0.2,
    },
    "mail": {
        "avg_length": 5.25, "min_length": 0, "max_length": 15, "distinct_count": 3, "duplicate_count": 1,
        "missing_count": 2, "missing_percentage": 0.4, "null_count": 1, "invalid_count": 2, "invalid_percentage": 0.4,
        "regex_match": 1,
    },
}  # fmt: skip


def job(assertions: str = "", before_write: str = "", *, writes: bool = True) -> str:
    """Return a job over the orders with these assertions, each a flow mapping."""
    output = (
        f'{{name: orders, dataset: "{TARGET}?acl=rw", options: {{saveMode: append}}, assertions: [{before_write}]}}'
    )
    lines = [f"inputs: [{{name: orders, dataset: {SOURCE}}}]"]
    lines += [f"assertions: [{assertions}]"] if assertions else []
    lines += [f"outputs: [{output}]"] if writes else []
    return "\n".join(lines)


@pytest.fixture
def orders(project):
    project.seed(SOURCE, ROWS)
    return project


def values(result) -> dict[str, float]:
    return {f"{each.column}.{each.test.split()[0]}": each.value for each in result.assertions}


def test_every_metric_has_the_same_value_on_both_engines(orders):
    entries = [
        f"{{column: {column}, validFormat: {{regex: '@example[.]com'}}, tests: [{', '.join(f'{m} >= -9' for m in metrics)}]}}"
        for column, metrics in MEASURED.items()
    ]
    measured = values(orders.run_job(job(", ".join(entries), writes=False)))
    expected = {f"{column}.{metric}": value for column, found in MEASURED.items() for metric, value in found.items()}
    assert measured == pytest.approx(expected)
    assert {metric.split(".")[1] for metric in measured} == set(METRICS)


def test_a_filter_restricts_the_rows_that_are_measured(orders):
    tests = "tests: [sum == 70, null_percentage = 0, distinct_count != 4]"
    result = orders.run_job(job(f"{{column: amount, filter: \"region == 'EMEA'\", {tests}}}", writes=False))
    assert [(each.value, each.passed) for each in result.assertions] == [(70.0, True), (0.0, True), (3.0, True)]


def test_the_first_row_of_a_query_has_the_values(orders):
    sql = "SELECT count(*) AS n, max(amount) - min(amount) AS spread FROM Orders"
    result = orders.run_job(job(f"{{sql: '{sql}', tests: [n == 5, spread <= 30.0]}}", writes=False))
    assert [(each.name, each.value) for each in result.assertions] == [("n_eq_5", 5.0), ("spread_le_30", 30.0)]


def test_passing_assertions_let_the_write_happen(orders):
    result = orders.run_job(job(before_write="{column: id, tests: [missing_count == 0, 'min > 0']}"))
    assert [each.passed for each in result.assertions] == [True, True]
    assert len(orders.table(TARGET)[1]) == 5


def test_a_failing_assertion_in_front_of_an_output_writes_nothing(orders):
    orders.run_job(job())
    before = orders.table(TARGET)
    error = orders.error_of(job(before_write="{column: amount, tests: [missing_count == 0, max < 100, sum > 99]}"))
    assert isinstance(error, AssertionsFailed)
    assert error.message.startswith(f"1 out of 3 assertions failed for dataset {TARGET}:")
    assert "amount: missing_count == 0, found 1" in error.message
    assert error.location.file == "job.yaml"
    assert orders.table(TARGET) == before


def test_a_failing_assertion_of_the_job_stops_it_before_anything_is_written(orders):
    error = orders.error_of(job("{column: amount, tests: ['max < 10']}"))
    assert "amount: max < 10, found 40" in error.message
    with pytest.raises(DatasetNotFound):
        orders.table(TARGET)


def test_a_project_may_take_the_jobs_assertions_for_warnings(orders):
    orders.write("dataos.yaml", "flare: {assertions: warn}")
    result = orders.run_job(job("{column: amount, tests: ['max < 10']}"))
    assert [each.passed for each in result.assertions] == [False]
    assert len(orders.table(TARGET)[1]) == 5


def test_assertions_of_a_job_with_steps_are_about_its_last_view(sail_project):
    sail_project.seed(SOURCE, ROWS)
    steps = "steps: [{sequence: [{name: big, sql: SELECT * FROM orders WHERE amount > 15}]}]"
    result = sail_project.run_job(f"{job('{column: amount, tests: [min == 20]}', writes=False)}\n{steps}")
    assert [(each.dataset, each.address, each.passed) for each in result.assertions] == [("the view big", None, True)]


def test_a_dataset_without_rows_has_counts_and_no_averages(orders):
    orders.seed(SOURCE, f"SELECT * FROM ({ROWS}) WHERE id > 99")
    tests = "tests: [missing_count == 0, null_percentage == 0, avg > 0]"
    error = orders.error_of(job(f"{{column: amount, {tests}}}", writes=False))
    assert "1 out of 3 assertions failed" in error.message
    assert "avg > 0, found no value" in error.message


def test_texts_are_compared_when_they_read_as_numbers(project):
    project.seed(SOURCE, "SELECT * FROM VALUES ('7', 'x'), ('12', 'y') AS t(code, word)")
    error = project.error_of(job("{column: code, tests: [max <= 7]}, {column: word, tests: [min > 0]}", writes=False))
    assert "1 out of 2 assertions failed" in error.message
    assert "word: min > 0, found x" in error.message


@pytest.mark.parametrize(
    ("assertion", "message"),
    [
        ("{sql: SELECT 1 AS n FROM nowhere, tests: [n == 1]}", "there is no view 'nowhere'"),
        ("{sql: DROP TABLE orders, tests: [n == 1]}", "assertions: "),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_runs(sail_project, assertion, message):
    sail_project.write_job(job(assertion))
    [node] = sail_project.graph.nodes.values()
    with pytest.raises(StepError) as caught:
        node.stack.plan(node.job, sail_project.context)
    assert message in caught.value.message
    assert caught.value.location.file == "job.yaml"


@pytest.mark.parametrize(
    ("assertion", "word", "hint"),
    [
        ("{column: amuont, tests: [avg > 1]}", "amuont", "did you mean 'amount'?"),
        ("{column: amount, filter: regoin = 'EMEA', tests: [avg > 1]}", "regoin", "did you mean 'region'?"),
        ("{column: x, tests: [avg > 1]}", "x", "columns: id, mail, amount, region"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_place(orders, assertion, word, hint):
    error = orders.error_of(job(assertion))
    assert isinstance(error, StepError)
    assert error.message == f"assertions: dataset dataos://lakehouse:sales/orders has no column {word!r}"
    assert error.hint == hint
    line = (orders.folder / "job.yaml").read_text("utf-8").splitlines()[error.location.line - 1]
    assert line[error.location.column - 1 :].startswith(word)


def test_all_tests_of_columns_are_one_query(sail_project):
    sail_project.seed(SOURCE, ROWS)
    entries = "{column: id, tests: [min > 0, max < 9]}, {column: amount, tests: [avg > 1]}"
    [planned] = sail_project.plan(job(entries)).assertions
    [query] = planned.queries
    assert len(query.tests) == 3


def test_whoever_listens_is_told_each_result(sail_project):
    told = []

    class Listener(Reporter):
        def assertions_evaluated(self, job_id, results):
            told.append((job_id, [each.passed for each in results]))

    sail_project.reporter = Listener()
    sail_project.seed(SOURCE, ROWS)
    sail_project.error_of(job("{column: id, tests: [min > 0]}", "{column: id, tests: [min > 1]}"))
    assert told == [("public/wf-job/job", [True]), ("public/wf-job/job", [False])]
