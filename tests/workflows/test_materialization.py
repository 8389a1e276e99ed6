"""What a run of a job becomes in Dagster: materializations, metadata, failures.

The runner is a fake that answers with results; `tests/e2e` runs the same through real engines.
"""

from __future__ import annotations

from contextlib import contextmanager

import dagster as dg
import pytest
from manifest_builder import flare, workflow, write_project

from dataos_dagster import load_definitions
from dataos_dagster.address import Address
from dataos_dagster.depots.requests import Column
from dataos_dagster.errors import DepotUnreachable, Location, StatementFailed, StepError
from dataos_dagster.identity import Principal
from dataos_dagster.workflows.execution import JobRunner
from dataos_dagster.workflows.results import (
    AssertionResult,
    ColumnLineage,
    ColumnSource,
    JobResult,
    OutputResult,
    Preview,
)


def table(name: str) -> dg.AssetKey:
    return dg.AssetKey(["lakehouse", "shop", name])


def written(name: str, **known) -> OutputResult:
    address = Address("lakehouse", "shop", (name,))
    facts = {"rows": 3, "bytes": 100, "snapshot_id": "77", "schema": (), "lineage": None, "seconds": 1.25} | known
    return OutputResult(name="view", address=address, dataset=str(address), **facts)


def succeeded(node, outputs, **known) -> JobResult:
    reasons = ("every construct is proven",)
    facts = {"engine": "sail", "engine_reasons": reasons, "inputs": (), "seconds": 2.5} | known
    return JobResult(job_id=node.job.id, principal=Principal("mira", "owner"), outputs=tuple(outputs), **facts)


def assertion_result(*, passed: bool) -> AssertionResult:
    return AssertionResult(
        name="id_min_gt_0",
        test="min > 0",
        column="id",
        filter=None,
        dataset="the view view",
        address=None,
        is_output=False,
        value=1.0 if passed else 0.0,
        operator=">",
        limit=0.0,
        passed=passed,
        location=Location("wf.yaml", 1, 1),
    )


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run(tmp_path, monkeypatch, instance):
    """Run a project's jobs with an answer in place of engines; return the result."""

    def run(dag, answer):
        def answering(self, node, run_id, reporter=None, *, in_dagster=False, keys=None):
            assert in_dagster
            return answer(node, reporter)

        monkeypatch.setattr(JobRunner, "run", answering)
        write_project(tmp_path, {"wf.yaml": workflow("wf", *dag)})
        job = load_definitions(tmp_path).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(instance=instance, raise_on_error=False)

    return run


def materializations(result) -> dict[dg.AssetKey, dict]:
    return {
        event.asset_key: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.all_events
        if event.is_step_materialization
    }


def failure(result) -> dg.DagsterEvent:
    [event] = [event for event in result.all_events if event.is_step_failure]
    return event.step_failure_data


def test_a_materialization_says_what_the_write_says(run):
    columns = (Column("id", "bigint", nullable=False, comment="The key."), Column("day", "date"))
    source = Address("lakehouse", "shop", ("raw",))
    lineage = ColumnLineage({"id": (ColumnSource(source, str(source), "order_id"),), "day": ()})
    output = written("t", schema=columns, lineage=lineage, total_rows=10)
    result = run([flare("load", reads="raw", writes="t")], lambda node, _: succeeded(node, [output]))
    facts = materializations(result)[table("t")]
    assert (facts["dagster/row_count"], facts["rows_written"]) == (10, 3)
    assert (facts["bytes"], facts["snapshot_id"], facts["seconds"]) == (100, "77", 1.25)
    assert (facts["engine"], facts["principal"]) == ("sail", "mira")
    assert facts["dagster/column_schema"].columns[0] == dg.TableColumn(
        "id", "bigint", description="The key.", constraints=dg.TableColumnConstraints(nullable=False)
    )
    deps = facts["dagster/column_lineage"].deps_by_column
    assert deps == {"id": [dg.TableColumnDep(table("raw"), "order_id")], "day": []}


def test_what_the_store_does_not_say_is_left_out(run):
    output = written("t", rows=None, bytes=None, snapshot_id=None)
    result = run([flare("load", writes="t")], lambda node, _: succeeded(node, [output]))
    unknown = {"dagster/row_count", "rows_written", "bytes", "snapshot_id", "branch"}
    assert not unknown & materializations(result)[table("t")].keys()


def test_the_rows_of_a_branch_are_not_those_of_the_table(run):
    output = written("t", branch="audit", total_rows=10)
    facts = materializations(run([flare("load", writes="t")], lambda node, _: succeeded(node, [output])))[table("t")]
    assert (facts["rows_written"], facts["branch"]) == (3, "audit")
    assert "dagster/row_count" not in facts


def test_previews_and_plans_are_shown_when_the_manifest_asks(run):
    preview = Preview("orders", ("id", "note"), ((1, "a|b"), (2, None)))
    answer = lambda node, _: succeeded(node, [written("t")], previews=(preview,), explain={"step": "Scan\n"})  # noqa: E731
    facts = materializations(run([flare("load", writes="t")], answer))[table("t")]
    assert facts["preview_orders"] == "| id | note |\n| --- | --- |\n| 1 | a\\|b |\n| 2 |  |"
    assert "Scan" in facts["explain"]


def test_a_job_that_writes_nothing_is_materialized_itself(run):
    result = run([flare("look", reads="raw")], lambda node, _: succeeded(node, []))
    assert list(materializations(result)) == [dg.AssetKey(["public", "wf", "look"])]


def test_a_second_writer_reports_a_materialization_of_the_dataset(run, instance):
    dag = [flare("one", writes="t"), flare("two", writes="t")]
    result = run(dag, lambda node, _: succeeded(node, [written("t")]))
    records = instance.fetch_materializations(table("t"), limit=10).records
    jobs = [record.asset_materialization.metadata.get("dataos/job") for record in records]
    assert sorted(job.value for job in jobs if job) == ["public/wf/two"]
    assert len(records) == 2
    own = materializations(result)[dg.AssetKey(["public", "wf", "two"])]
    assert own["outputs"] == ["dataos://lakehouse:shop/t: 3 rows"]


def test_a_write_to_a_branch_is_reported_on_the_table(run):
    answer = lambda node, _: succeeded(node, [written("t", branch="staging")])  # noqa: E731
    assert materializations(run([flare("load", writes="t")], answer))[table("t")]["branch"] == "staging"


def test_a_failure_says_where_and_what_to_do(run):
    def answer(node, _):
        raise StepError(
            "no column `amuont`",
            step="steps[0].sequence[1]",
            sql="SELECT amuont FROM orders",
            hint="did you mean `amount`?",
            location=Location("wf.yaml", 12, 5),
        )

    found = failure(run([flare("load", writes="t")], answer)).user_failure_data
    assert found.description.startswith("wf.yaml:12:5: no column `amuont`")
    metadata = {name: value.value for name, value in found.metadata.items()}
    assert metadata["step"] == "steps[0].sequence[1]"
    assert metadata["hint"] == "did you mean `amount`?"
    assert "SELECT amuont FROM orders" in metadata["sql"]


def test_outputs_written_before_a_failure_are_reported(run):
    def answer(node, reporter):
        reporter.output_written(node.job.id, written("a"))
        raise StatementFailed("disk full")

    result = run([flare("load", writes=["a", "b"])], answer)
    assert not result.success
    assert materializations(result)[table("a")]["job_failed"] is True
    assert table("b") not in materializations(result)


def test_what_depends_on_a_failed_job_does_not_run_and_the_rest_does(run):
    ran = []

    def answer(node, _):
        ran.append(node.job.name)
        if node.job.name == "bad":
            raise StatementFailed("no")
        return succeeded(node, [written(node.job.name)])

    run(
        [flare("bad", writes="bad"), flare("after", reads="bad", writes="after"), flare("other", writes="other")],
        answer,
    )
    assert sorted(ran) == ["bad", "other"]


def test_tests_of_a_job_that_started_again_are_told_once_and_its_error_stays_its_own(run):
    entry = flare("load", writes="t")
    entry["spec"]["stackSpec"]["job"]["assertions"] = [{"column": "id", "tests": ["min > 0"]}]

    def answer(_, reporter):
        for passed in (True, False):  # the engine crashed after the first, and the job ran once more on a new one
            reporter.assertions_evaluated("public/wf/load", (assertion_result(passed=passed),))
        raise StatementFailed("no such column")

    result = run([entry], answer)
    assert "no such column" in failure(result).user_failure_data.description
    assert [check.passed for check in result.get_asset_check_evaluations()] == [False]


def test_an_unknown_depot_fails_its_job_with_the_diagnostic(run):
    result = run([flare("lost", reads="dataos://nowhere:shop/t", writes="u")], lambda *_: pytest.fail("was run"))
    assert "nowhere" in failure(result).user_failure_data.description
    assert "wf.yaml:" in failure(result).user_failure_data.description


def test_a_fault_of_ours_stays_what_it_is(run):
    def answer(*_):
        raise ZeroDivisionError("ours")

    assert failure(run([flare("load", writes="t")], answer)).error.cause.cls_name == "ZeroDivisionError"


@contextmanager
def counted(answers):
    tries = []

    def answer(node, _):
        tries.append(node.job.name)
        error = answers[len(tries) - 1]
        if error:
            raise error
        return succeeded(node, [written("t")])

    yield answer, tries


def test_a_failed_job_is_tried_again_as_often_as_it_says(run):
    entry = flare("load", writes="t", retry={"count": 2})
    with counted([StatementFailed("no"), StatementFailed("no"), None]) as (answer, tries):
        assert run([entry], answer).success
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("error", "attempts"), [(DepotUnreachable("server is down"), 2), (StatementFailed("no such column"), 1)]
)
def test_only_transient_errors_are_tried_again_where_the_manifest_says_so(run, error, attempts):
    entry = flare("load", writes="t", retry={"count": 1, "strategy": "OnTransientError"})
    with counted([error, error]) as (answer, tries):
        assert not run([entry], answer).success
    assert len(tries) == attempts


def test_a_dry_run_materializes_nothing_and_succeeds(run):
    result = run([flare("load", writes="t")], lambda node, _: succeeded(node, []))
    assert result.success
    assert materializations(result) == {}
