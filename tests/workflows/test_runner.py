"""Running jobs without a Dagster instance: order, failures, skipped dependents, records."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from dataos_dagster.cli.application import application
from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door
from dataos_dagster.engines.availability import availability
from dataos_dagster.errors import StateError, StepError
from dataos_dagster.identity import Principal
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.state.database import State
from dataos_dagster.workflows.context import RunContext
from dataos_dagster.workflows.graph import build_graph
from dataos_dagster.workflows.results import Silence
from dataos_dagster.workflows.runner import run_jobs
from dataos_dagster.workflows.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.workflows.results import OutputResult
    from dataos_dagster.workflows.runner import RunSummary

DEPOT = """\
name: shopfiles
version: v1
type: depot
depot:
  type: file
  file: {path: ./data, format: csv}
"""
JOB = """\
    - name: {name}
      dependencies: [{after}]
      spec:
        stack: {stack}
        compute: runnable-default
        stackSpec:
          job:
            inputs: [{{name: rows, dataset: "{source}"}}]
            steps: [{{sequence: [{{name: made, sql: "{sql}"}}]}}]
            outputs: [{{name: made, dataset: "dataos://lakehouse:shop/{name}", options: {{saveMode: overwrite}}}}]
"""
HEAD = "name: {name}\nversion: v1\ntype: workflow\nowner: iamgroot\nworkflow:\n  dag:\n"
FILE = "dataos://shopfiles:none/orders.csv"


def job(
    name: str, source: str = FILE, sql: str = "SELECT * FROM rows", after: str = "", stack: str = "flare:7.0"
) -> str:
    return JOB.format(name=name, source=source, sql=sql, after=after, stack=stack)


def table(name: str) -> str:
    return f"dataos://lakehouse:shop/{name}"


@dataclass
class Listener(Silence):
    """Keeps what is reported."""

    heard: list[tuple[str, ...]] = field(default_factory=list)

    def job_started(self, job_id: str, engine: Any, reasons: tuple[str, ...]) -> None:
        self.heard.append(("started", job_id, engine))

    def output_written(self, job_id: str, output: OutputResult) -> None:
        self.heard.append(("written", job_id, output.dataset))

    def note(self, job_id: str, message: str) -> None:
        self.heard.append(("note", job_id, message))

    def job_skipped(self, job_id: str, reason: str) -> None:
        self.heard.append(("skipped", job_id, reason))


@dataclass
class Shop:
    """A project with one file of orders."""

    folder: Path
    sessions: Sessions
    engine: Any
    listener: Listener = field(default_factory=Listener)

    def write(self, **workflows: list[str]) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data" / "orders.csv").write_text("id,name\n1,ann\n2,bob\n")
        (self.folder / "depot.yaml").write_text(DEPOT)
        for name, jobs in workflows.items():
            (self.folder / f"{name}.yaml").write_text(HEAD.format(name=name.replace("_", "-")) + "".join(jobs))

    def run(self, *expressions: str, at_once: int = 1) -> RunSummary:
        settings = load_settings(self.folder)
        project = load_project(self.folder, settings=settings, use_cache=False)
        graph = build_graph(project)
        context = RunContext(
            door=Door(DepotCatalog.from_project(project, settings)),
            sessions=self.sessions,
            availability=availability(settings.engines),
            settings=settings,
            principal=Principal("nobody", "login"),
            run_id=uuid.uuid4().hex,
            state=State.open(settings),
            engine=self.engine,
            reporter=self.listener,
        )
        return run_jobs(graph, select(graph, expressions), context, at_once=at_once)

    @property
    def history(self) -> list[Any]:
        return State.open(load_settings(self.folder)).job_runs.history()


@pytest.fixture
def shop(tmp_path: Path, sessions: Sessions, engine_session: EngineSession) -> Shop:
    return Shop(tmp_path, sessions, engine_session.engine)


@pytest.fixture
def sail_shop(tmp_path: Path, sessions: Sessions, sail_session: EngineSession) -> Shop:
    return Shop(tmp_path, sessions, sail_session.engine)


def test_jobs_run_in_the_order_of_their_data_across_workflows(shop):
    shop.write(a_last=[job("c", table("b"))], b_first=[job("b", table("a")), job("a")])
    summary = shop.run()
    assert [outcome.job_id for outcome in summary.outcomes] == [
        "public/b-first/a",
        "public/b-first/b",
        "public/a-last/c",
    ]
    assert {outcome.state for outcome in summary.outcomes} == {"succeeded"}
    assert [outcome.result.rows for outcome in summary.outcomes] == [2, 2, 2]


def test_a_failing_job_stops_those_that_wait_for_it_and_no_others(shop):
    shop.write(wf=[job("bad", sql="SELECT nope FROM rows"), job("reader", table("bad")), job("good")])
    summary = shop.run()
    states = {outcome.job_id.rpartition("/")[2]: outcome.state for outcome in summary.outcomes}
    assert states == {"bad": "failed", "reader": "skipped", "good": "succeeded"}
    [failed] = summary.failed
    assert isinstance(failed.error, StepError)
    [reason] = [outcome.reason for outcome in summary.outcomes if outcome.state == "skipped"]
    assert reason == "it waits for public/wf/bad, which failed"


def test_a_job_of_a_stack_that_is_not_run_is_left_out_and_stops_nobody(sail_shop):
    sail_shop.write(wf=[job("later", stack="soda:1.0"), job("reader", after="later")])
    summary = sail_shop.run()
    assert [(outcome.job_id, outcome.state) for outcome in summary.outcomes] == [
        ("public/wf/later", "not_run"),
        ("public/wf/reader", "succeeded"),
    ]


def test_what_cannot_be_planned_is_recorded_and_what_is_not_run_is_not(sail_shop):
    sail_shop.write(wf=[job("unplanned", sql="SELECT * FROM rws"), job("later", sql="SELECT 1", stack="soda:1.0")])
    sail_shop.run()
    [run] = sail_shop.history
    assert (run.job, run.status, run.engine) == ("public/wf/unplanned", "failed", None)


def test_an_upstream_job_that_is_not_selected_is_taken_as_done(sail_shop):
    sail_shop.write(wf=[job("first"), job("second", table("first"))])
    sail_shop.run("wf/first")
    [outcome] = sail_shop.run("wf/second").outcomes
    assert (outcome.job_id, outcome.state) == ("public/wf/second", "succeeded")


def test_each_run_of_a_job_is_recorded_with_what_it_wrote_and_for_whom(sail_shop):
    sail_shop.write(wf=[job("good"), job("bad", sql="SELECT nope FROM rows")])
    summary = sail_shop.run()
    runs = {run.job: run for run in sail_shop.history}
    good, bad = runs["public/wf/good"], runs["public/wf/bad"]
    assert (good.status, good.principal, good.engine, good.rows) == ("succeeded", "iamgroot", "sail", 2)
    assert good.inputs == (FILE,)
    assert [output.dataset for output in good.outputs] == [table("good")]
    assert good.run_id == bad.run_id == summary.run_id
    assert bad.status == "failed"
    assert "nope" in bad.error
    assert "wf.yaml:" in bad.error


def test_outputs_written_before_a_failure_are_told_and_recorded(sail_shop):
    two = job("two").replace(
        "outputs: [", f'outputs: [{{name: rows, dataset: "{table("kept")}", options: {{saveMode: overwrite}}}}, '
    )
    sail_shop.write(wf=[two.replace("SELECT * FROM rows", "SELECT assert_true(name <> 'bob') IS NULL AS x FROM rows")])
    [outcome] = sail_shop.run().outcomes
    assert outcome.state == "failed"
    assert ("written", "public/wf/two", table("kept")) in sail_shop.listener.heard
    [run] = sail_shop.history
    assert (run.status, [output.dataset for output in run.outputs]) == ("failed", [table("kept")])


def states_of(summary: RunSummary) -> dict[str, str]:
    return {outcome.job_id.rpartition("/")[2]: outcome.state for outcome in summary.outcomes}


def test_independent_jobs_run_side_by_side_and_do_not_see_each_others_views(shop, monkeypatch):
    """Both jobs call their views alike; each waits in its first step until the other has begun."""
    from dataos_dagster.flare import job as flare_job

    both, real = threading.Barrier(2, timeout=60), flare_job.run_step

    def run_step(*arguments):
        both.wait()
        return real(*arguments)

    monkeypatch.setattr(flare_job, "run_step", run_step)
    (shop.folder / "data").mkdir()
    (shop.folder / "data" / "others.csv").write_text("id,name\n7,eve\n")
    shop.write(wf=[job("one"), job("two", "dataos://shopfiles:none/others.csv")])
    outcomes = {outcome.job_id: outcome for outcome in shop.run(at_once=2).outcomes}
    assert {outcome.state for outcome in outcomes.values()} == {"succeeded"}
    assert (outcomes["public/wf/one"].result.rows, outcomes["public/wf/two"].result.rows) == (2, 1)


def test_side_by_side_too_a_failure_stops_only_those_that_wait_for_it(sail_shop):
    jobs = [
        job("bad", sql="SELECT nope FROM rows"),
        job("reader", table("bad")),
        job("good"),
        job("next", table("good")),
    ]
    sail_shop.write(wf=jobs)
    assert states_of(sail_shop.run(at_once=3)) == {
        "bad": "failed",
        "reader": "skipped",
        "good": "succeeded",
        "next": "succeeded",
    }


def test_jobs_that_write_one_dataset_go_in_the_order_of_their_manifests(sail_shop):
    """The first is slower to begin, and must still be the one whose rows are replaced."""
    first = job("first", sql="SELECT a.id, a.name FROM rows a CROSS JOIN rows b")
    second = job("second", sql="SELECT * FROM rows WHERE id = 1").replace("shop/second", "shop/first")
    third = job("third", table("first"))
    sail_shop.write(wf=[first, second, third])
    assert [outcome.result.rows for outcome in sail_shop.run(at_once=3).outcomes] == [4, 1, 1]


def test_jobs_wait_for_each_other_through_jobs_that_are_not_selected(sail_shop):
    sail_shop.write(wf=[job("c", table("b")), job("b", table("a")), job("a")])
    sail_shop.run()
    sail_shop.listener.heard.clear()
    sail_shop.run("wf/a", "wf/c", at_once=2)
    events = [(event[0], event[1].rpartition("/")[2]) for event in sail_shop.listener.heard]
    assert events.index(("written", "a")) < events.index(("started", "c"))


def test_a_dry_run_plans_and_writes_nothing(sail_shop):
    dry = job("dry").replace("compute: runnable-default", "compute: runnable-default\n        dryRun: true")
    sail_shop.write(
        wf=[dry, job("wrong", sql="SELECT 1 FROM rws").replace("stack: flare", "dryRun: true\n        stack: flare")]
    )
    planned, wrong = sail_shop.run().outcomes
    assert (planned.state, planned.result, wrong.state) == ("planned", None, "failed")
    assert planned.plan.as_json()["outputs"] == [{"view": "made", "dataset": table("dry"), "mode": "overwrite"}]
    assert not (sail_shop.folder / ".dataos" / "lakehouse").exists()
    assert sail_shop.history == []
    result = invoke(str(sail_shop.folder), "--select", "wf/dry")
    assert result.exit_code == 0, result.output
    assert "dry run: nothing is written" in result.output
    assert f"made → {table('dry')} (overwrite)" in result.output
    [told] = json.loads(invoke(str(sail_shop.folder), "--select", "wf/dry", "--json").stdout)["jobs"]
    assert (told["state"], told["plan"]["engine"], told["outputs"]) == ("planned", "sail", [])


@pytest.fixture
def broken_history(monkeypatch):
    def finish(*_, **__):
        raise StateError("the disk is full")

    monkeypatch.setattr("dataos_dagster.state.job_runs.JobRuns.finish", finish)


def test_a_job_that_wrote_and_cannot_be_recorded_has_succeeded(sail_shop, broken_history):
    sail_shop.write(wf=[job("good")])
    [outcome] = sail_shop.run().outcomes
    assert (outcome.state, outcome.result.rows) == ("succeeded", 2)
    assert ("note", "public/wf/good", "wf/good is not in the history: the disk is full") in sail_shop.listener.heard


def test_a_failure_that_cannot_be_recorded_stays_what_it_is(sail_shop, broken_history):
    sail_shop.write(wf=[job("bad", sql="SELECT nope FROM rows")])
    [outcome] = sail_shop.run().failed
    assert isinstance(outcome.error, StepError)
    assert "nope" in outcome.error.message


def test_a_fault_of_ours_fails_its_job_and_no_other(sail_shop, monkeypatch, caplog):
    from dataos_dagster.flare.stack import FlareStack

    real = FlareStack.run

    def run(self, one, context):
        if one.entry.name == "bad":
            raise ZeroDivisionError("ours")
        return real(self, one, context)

    monkeypatch.setattr(FlareStack, "run", run)
    sail_shop.write(wf=[job("bad"), job("good")])
    assert [outcome.state for outcome in sail_shop.run().outcomes] == ["failed", "succeeded"]
    assert "ZeroDivisionError: ours" in caplog.text
    assert "Traceback" in caplog.text
    assert {run.job: run.status for run in sail_shop.history}["public/wf/bad"] == "failed"


def invoke(*arguments: str):
    return CliRunner().invoke(application, ["run", *arguments])


def test_the_command_runs_jobs_and_prints_a_table(sail_shop):
    sail_shop.write(wf=[job("good")])
    result = invoke(str(sail_shop.folder))
    assert result.exit_code == 0, result.output
    assert "wf/good" in result.output
    assert "1 succeeded" in result.output


def test_the_command_fails_when_a_job_fails_and_shows_line_sql_and_hint(sail_shop):
    sail_shop.write(wf=[job("good"), job("bad", sql="SELECT nope FROM rows")])
    result = invoke(str(sail_shop.folder))
    assert result.exit_code == 1
    told = result.output
    assert "1 succeeded, 1 failed" in told
    assert "wf.yaml:" in told
    assert "SELECT nope FROM rows" in told
    assert "hint:" in told


def test_the_command_prints_one_json_object(sail_shop):
    sail_shop.write(wf=[job("good"), job("bad", sql="SELECT nope FROM rows")])
    result = invoke(str(sail_shop.folder), "--json")
    answer = json.loads(result.stdout)
    good, bad = answer["jobs"]
    assert (good["state"], good["engine"], good["outputs"][0]["rows"]) == ("succeeded", "sail", 2)
    assert good["outputs"][0]["schema"] == [{"name": "id", "type": "string"}, {"name": "name", "type": "string"}]
    assert (bad["state"], bad["error"]["sql"]) == ("failed", "SELECT nope FROM rows")
    assert result.exit_code == 1


def test_the_command_shows_plans_without_running_anything(sail_shop):
    sail_shop.write(wf=[job("good")])
    result = invoke(str(sail_shop.folder), "--plan")
    assert result.exit_code == 0, result.output
    assert f"read   rows ← {FILE}" in result.output
    assert not (sail_shop.folder / ".dataos" / "lakehouse").exists()
    [plan] = json.loads(invoke(str(sail_shop.folder), "--plan", "--json").stdout)["plans"]
    assert (plan["job"], plan["engine"]) == ("public/wf/good", "sail")


def test_one_file_of_a_project_can_be_run(sail_shop):
    sail_shop.write(one=[job("a")], two=[job("b")])
    (sail_shop.folder / "dataos.yaml").write_text("{}\n")
    result = invoke(str(sail_shop.folder / "two.yaml"), "--json")
    assert [entry["job"] for entry in json.loads(result.stdout)["jobs"]] == ["public/two/b"]


@pytest.mark.parametrize(
    "arguments",
    [("{folder}/absent",), ("{folder}", "--select", "wf/goood"), ("{folder}", "--engine", "flink")],
    ids=["missing path", "unknown job", "unknown engine"],
)
def test_wrong_usage_is_status_two(sail_shop, arguments):
    sail_shop.write(wf=[job("good")])
    result = invoke(*(argument.format(folder=sail_shop.folder) for argument in arguments))
    assert result.exit_code == 2, result.output


def test_strict_fails_on_jobs_that_are_not_run(sail_shop):
    sail_shop.write(wf=[job("later", stack="soda:1.0")])
    assert invoke(str(sail_shop.folder)).exit_code == 0
    assert invoke(str(sail_shop.folder), "--strict").exit_code == 1
