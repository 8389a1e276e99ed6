"""Profiles: what is found out about every column, the same on both engines, and where it is told."""

from __future__ import annotations

import pytest
from pyspark.sql.types import LongType

from dataos_dagster.errors import Location, StepError
from dataos_dagster.flare.profile.plan import PlannedProfile
from dataos_dagster.flare.profile.run import profile
from dataos_dagster.workflows.profiles import Bin, histogram_picture

PEOPLE = "dataos://lakehouse:crm/people"
ROWS = """
    SELECT * FROM VALUES
      (1, 'ann@example.com', 10.0D, DATE'2024-01-31', true),
      (2, 'bob@example.com', 20.0D, DATE'2024-02-01', true),
      (3, '', 30.0D, DATE'2023-12-24', false),
      (4, CAST(NULL AS STRING), CAST(NULL AS DOUBLE), CAST(NULL AS DATE), true)
    AS t(id, contact, amount, birthDate, active)
"""
JOB = f"inputs: [{{name: people, dataset: {PEOPLE}}}]\nprofile: {{level: basic}}"


@pytest.fixture
def people(project):
    project.seed(PEOPLE, ROWS)
    return project


def columns_of(result):
    return {column.name: column for column in result.profile.columns}


def test_every_column_is_profiled_alike_on_both_engines(people):
    result = people.run_job(JOB)
    assert (result.profile.rows, result.profile.dataset) == (4, PEOPLE)
    told = {name: column.statistics() for name, column in columns_of(result).items()}
    assert told == {
        "id": {
            "nulls": 0, "missing": 0, "distinct": 4, "low": "1", "high": "4", "mean": 2.5, "total": 10.0,
            "stddev": pytest.approx(1.2909944487), "variance": pytest.approx(1.6666666667), "categorical": False,
            "bins": [[1.0, 2.0, 1], [2.0, 3.0, 1], [3.0, 4.0, 1], [4.0, 4.0, 1]],
        },
        "contact": {
            "nulls": 1, "missing": 2, "distinct": 3, "low": "", "high": "bob@example.com", "min_length": 0,
            "max_length": 15, "mean_length": 10.0, "categorical": False, "attribute": "email", "why": "values",
        },
        "amount": {
            "nulls": 1, "missing": 1, "distinct": 3, "low": "10.0", "high": "30.0", "mean": 20.0, "total": 60.0,
            "stddev": 10.0, "variance": 100.0, "categorical": False, "bins": told["amount"]["bins"],
        },
        "birthDate": {
            "nulls": 1, "missing": 1, "distinct": 3, "low": "2023-12-24", "high": "2024-02-01", "categorical": False,
            "attribute": "date_of_birth", "why": "name",
        },
        "active": {
            "nulls": 0, "missing": 0, "distinct": 2, "low": "false", "high": "true", "categorical": True,
            "frequent": [["true", 3]],
        },
    }  # fmt: skip


def test_a_histogram_counts_every_value_once(people):
    bins = columns_of(people.run_job(JOB))["amount"].bins
    assert [each.count for each in bins] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert [each.low for each in bins] == [10.0 + 2 * place for place in range(11)]
    assert bins[-1].high == 30.0


def test_filters_restrict_the_rows(people):
    filters = "profile: {filters: [{type: expression, expression: id < 3}, {expression: active}]}"
    result = people.run_job(JOB.replace("profile: {level: basic}", filters))
    assert (result.profile.rows, result.profile.filters) == (2, ("id < 3", "active"))
    assert columns_of(result)["amount"].total == 30.0


def test_a_dataset_without_rows_has_a_profile(people):
    filters = "profile: {filters: [{expression: id > 99}]}"
    result = people.run_job(JOB.replace("profile: {level: basic}", filters))
    assert result.profile.rows == 0
    assert columns_of(result)["amount"].statistics() == {
        "nulls": 0, "missing": 0, "distinct": 0, "categorical": False,
    }  # fmt: skip


def test_a_profile_is_kept_in_the_state_database(sail_project):
    sail_project.seed(PEOPLE, ROWS)
    sail_project.run_job(JOB)
    again = sail_project.run_job(JOB)
    kept = sail_project.state.profiles.latest(PEOPLE)
    assert (kept.job, kept.rows) == ("public/wf-job/job", 4)
    assert {each.column: each.statistics for each in kept.columns} == {
        column.name: column.statistics() for column in again.profile.columns
    }
    assert sail_project.state.profiles.latest("dataos://lakehouse:crm/nobody") is None


def test_nested_and_unusual_columns_are_counted(people):
    nested = "dataos://lakehouse:crm/nested"
    sql = "SELECT array(1, 2) AS a, named_struct('x', 1) AS `odd.name`, CAST('NaN' AS DOUBLE) AS n"
    people.seed(nested, sql)
    result = people.run_job(JOB.replace(PEOPLE, nested))
    assert {name: (column.nulls, column.distinct) for name, column in columns_of(result).items()} == {
        "a": (0, None),
        "odd.name": (0, None),
        "n": (0, 1),
    }
    assert columns_of(result)["n"].bins == ()


def test_values_that_are_no_numbers_are_the_greatest_and_no_part_of_the_mean(people):
    odd = "dataos://lakehouse:crm/odd"
    values = "CAST(1.5 AS DOUBLE)), (CAST(2.5 AS DOUBLE)), (CAST('Infinity' AS DOUBLE)), (CAST('NaN' AS DOUBLE)"
    people.seed(odd, f"SELECT * FROM VALUES ({values}) AS t(n)")
    column = columns_of(people.run_job(JOB.replace(PEOPLE, odd)))["n"]
    assert (column.low, column.high, column.mean, column.total, column.distinct) == ("1.5", "NaN", 2.0, 4.0, 4)
    assert sum(each.count for each in column.bins) == 2


def test_the_data_are_read_once_for_all_columns(sail_project):
    """A function in the view notes every row that it is asked for."""
    noted = sail_project.folder / "noted"

    def note(value):
        with noted.open("a") as file:
            file.write(f"{value}\n")
        return value

    session = sail_project.session()
    note.__module__ = "__main__"  # sent as code
    session.spark.udf.register("note", note, LongType())
    session.spark.sql("SELECT note(id) AS id, 'x' AS a, 1.5D AS b FROM range(50)").createOrReplaceTempView("noted_rows")
    planned = PlannedProfile("noted_rows", "the view noted_rows", None, (), Location("job.yaml", 1, 1))
    found = profile(planned, session, lambda _: None)
    session.spark.catalog.dropTempView("noted_rows")
    assert (found.rows, found.columns[0].distinct) == (50, 50)
    assert sorted(map(int, noted.read_text().splitlines())) == list(range(50))


def test_a_filter_that_is_no_condition_is_told_at_its_line(sail_project):
    sail_project.write_job(JOB.replace("{level: basic}", "{filters: [{expression: 'id >'}]}"))
    [node] = sail_project.graph.nodes.values()
    with pytest.raises(StepError) as caught:
        node.stack.plan(node.job, sail_project.context)
    assert caught.value.location.file == "job.yaml"
    assert caught.value.sql == "id >"


@pytest.mark.parametrize(("counts", "picture"), [((1, 0, 8, 16), "▁ ▄█"), ((5,), "█"), ((0, 0), "  "), ((), "")])
def test_a_histogram_is_drawn_with_blocks(counts, picture):
    assert histogram_picture(Bin(0.0, 1.0, count) for count in counts) == picture
