"""Running jobs without a Dagster instance: order, failures, skipped dependents, records."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from sessions import engine_settings
from typer.testing import CliRunner

from dataos_dagster.cli.application import application
from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door
from dataos_dagster.engines.availability import availability
from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import DepotUnreachable, EngineCrashed, JobTimedOut, StateError, StatementFailed, StepError
from dataos_dagster.identity import Principal
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.state.database import State
from dataos_dagster.state.job_runs import JobRuns
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.context import RunContext
from dataos_dagster.workflows.results import Reporter
from dataos_dagster.workflows.runner import run_jobs
from dataos_dagster.workflows.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.session import EngineSession
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
class Listener(Reporter):
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
    [written] = good.outputs
    assert (written.dataset, written.rows, written.total_rows) == (table("good"), 2, 2)
    assert [(column.name, column.type) for column in written.columns] == [("id", "string"), ("name", "string")]
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
    [output] = planned.plan.as_json()["outputs"]
    assert (output["dataset"], output["mode"]) == (table("dry"), "overwrite")
    assert not (sail_shop.folder / ".dataos" / "lakehouse").exists()
    assert sail_shop.history == []
    result = invoke(str(sail_shop.folder), "--select", "wf/dry")
    assert result.exit_code == 0, result.output
    assert "dry run: nothing is written" in result.output
    assert f"made → {table('dry')} (overwrite)" in result.output
    [told] = json.loads(invoke(str(sail_shop.folder), "--select", "wf/dry", "--json").stdout)["jobs"]
    assert (told["state"], told["plan"]["engine"], told["outputs"]) == ("planned", "sail", [])


def with_entry(text: str, **keys: str) -> str:
    """Return a job with keys of its entry, each given as YAML."""
    return text.replace(
        "      spec:\n", "".join(f"      {key}: {value}\n" for key, value in keys.items()) + "      spec:\n"
    )


@pytest.fixture
def tries(monkeypatch):
    """Return a list of the errors that the next tries of any job end with, None for one that may do its work."""
    from dataos_dagster.flare.stack import FlareStack

    real, errors = FlareStack.run, []

    def run(self, one, context):
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error
        return real(self, one, context)

    monkeypatch.setattr(FlareStack, "run", run)
    return errors


@pytest.mark.parametrize(
    ("retry", "errors", "state"),
    [
        ("{count: 2}", [StatementFailed("no"), StatementFailed("no")], "succeeded"),
        ("{count: 1}", [StatementFailed("no"), StatementFailed("no")], "failed"),
        ("{count: 1, strategy: OnTransientError}", [DepotUnreachable("down")], "succeeded"),
        ("{count: 1, strategy: OnTransientError}", [StatementFailed("no column x")], "failed"),
        ("{count: 1, strategy: OnError}", [StatementFailed("no column x")], "failed"),
        ("{count: 1, strategy: OnError}", [EngineCrashed("Sail was ended")], "succeeded"),
        ("{count: 1, strategy: Always}", [EngineCrashed("Sail was ended")], "succeeded"),
    ],
)
def test_a_job_is_tried_again_as_its_manifest_says(sail_shop, tries, retry, errors, state):
    tries += errors
    sail_shop.write(wf=[with_entry(job("one"), retry=retry)])
    [outcome] = sail_shop.run().outcomes
    assert outcome.state == state
    notes = [message for kind, _, message in sail_shop.listener.heard if kind == "note"]
    assert len(notes) == len(sail_shop.history) - 1
    assert all(note.startswith("tried again (") for note in notes)


def test_a_job_may_name_its_own_transient_errors(sail_shop, tries):
    tries.append(StatementFailed("ORA-00054: resource busy"))
    envs = "compute: runnable-default\n        envs: {TRANSIENT_ERROR_PATTERN: 'ORA-\\d+'}"
    entry = with_entry(job("one"), retry="{count: 1, strategy: OnTransientError}")
    sail_shop.write(wf=[entry.replace("compute: runnable-default", envs)])
    assert states_of(sail_shop.run()) == {"one": "succeeded"}


def test_jobs_of_a_nested_workflow_have_the_retry_of_its_entry_and_go_in_its_place(sail_shop, tries):
    tries += [None, StatementFailed("no"), None, None]
    outer = [
        job("first"),
        "    - {name: nested, file: inner.yaml, dependencies: [first], retry: {count: 1}}\n",
        job("last", after="nested"),
    ]
    sail_shop.write(outer=outer, inner=[job("inside")])
    summary = sail_shop.run("outer")
    assert states_of(summary) == {"first": "succeeded", "inside": "succeeded", "last": "succeeded"}
    assert [run.job.rpartition("/")[2] for run in reversed(sail_shop.history)] == ["first", "inside", "inside", "last"]


def test_a_job_that_takes_too_long_is_stopped_and_the_engine_serves_the_next(shop):
    endless = "SELECT sum(a.id * b.id) AS s FROM range(3000000) a CROSS JOIN range(3000000) b"
    shop.write(wf=[job("slow", sql=endless), job("good", after="slow"), job("other")])
    (shop.folder / "dataos.yaml").write_text("run: {seconds_of: {wf/slow: 2}}\n")
    # Engines of its own: one that heeds no interrupt is ended.
    with Sessions(engine_settings(shop.folder)) as sessions:
        summary = replace(shop, sessions=sessions).run()
    assert states_of(summary) == {"slow": "failed", "good": "skipped", "other": "succeeded"}
    [failed] = summary.failed
    assert isinstance(failed.error, JobTimedOut)
    assert failed.error.message == "it took longer than 2 s and was stopped"


@pytest.mark.parametrize("depot", ["shopfiles", "lakehouse", "icebase"])
def test_a_depot_is_used_by_as_many_jobs_as_its_setting_says(sail_shop, monkeypatch, depot):
    from dataos_dagster.flare.stack import FlareStack

    real, running, most = FlareStack.run, [], []

    def run(self, one, context):
        running.append(one.id)
        most.append(len(running))
        try:
            return real(self, one, context)
        finally:
            running.remove(one.id)

    monkeypatch.setattr(FlareStack, "run", run)
    (sail_shop.folder / "dataos.yaml").write_text(f"depots: {{{depot}: {{jobs_at_once: 1}}}}\n")
    sail_shop.write(wf=[job("one"), job("two"), job("three")])
    assert set(states_of(sail_shop.run(at_once=3)).values()) == {"succeeded"}
    assert max(most) == 1


def test_json_of_a_failed_job_tells_what_it_wrote_before_and_every_test(sail_shop):
    second = (
        f'{{name: made, dataset: "{table("late")}", options: {{saveMode: append}}, '
        "assertions: [{column: id, tests: [min > 0, max < 2]}]}"
    )
    sail_shop.write(wf=[job("one").replace("{saveMode: overwrite}}]", f"{{saveMode: overwrite}}}}, {second}]")])
    told = invoke(str(sail_shop.folder), "--engine", "sail", "--json")
    assert told.exit_code == 1
    [entry] = json.loads(told.stdout)["jobs"]
    assert (entry["state"], entry["engine"], entry["error"]["type"]) == ("failed", "sail", "AssertionsFailed")
    assert [(output["dataset"], output["rows"]) for output in entry["outputs"]] == [(table("one"), 2)]
    assert [(each["test"], each["value"], each["passed"]) for each in entry["assertions"]] == [
        ("min > 0", 1.0, True),
        ("max < 2", 2.0, False),
    ]


def test_from_failure_runs_what_failed_and_what_was_skipped_because_of_it(sail_shop):
    jobs = [
        job("good"),
        job("bad", sql="SELECT nope FROM rows"),
        job("reader", table("bad")),
        job("last", table("reader")),
    ]
    sail_shop.write(wf=jobs)
    assert invoke(str(sail_shop.folder)).exit_code == 1
    sail_shop.write(wf=[jobs[0], job("bad"), *jobs[2:]])
    again = invoke(str(sail_shop.folder), "--from-failure", "--json")
    assert again.exit_code == 0, again.output
    assert [entry["job"] for entry in json.loads(again.stdout)["jobs"]] == [
        "public/wf/bad",
        "public/wf/reader",
        "public/wf/last",
    ]
    nothing = invoke(str(sail_shop.folder), "--from-failure")
    assert nothing.exit_code == 2
    assert "no job failed in the last run" in nothing.stderr


def test_from_failure_says_why_nothing_is_to_be_done_again(sail_shop):
    sail_shop.write(wf=[job("good"), job("bad", sql="SELECT nope FROM rows")])
    never = invoke(str(sail_shop.folder), "--from-failure")
    assert (never.exit_code, "nothing has run in this project yet" in never.stderr) == (2, True)
    assert invoke(str(sail_shop.folder)).exit_code == 1
    elsewhere = invoke(str(sail_shop.folder), "--from-failure", "--select", "wf/good")
    assert "is not among these jobs: public/wf/bad" in elsewhere.stderr
    assert "leave out --select" in elsewhere.stderr
    sail_shop.write(wf=[job("good")])
    gone = invoke(str(sail_shop.folder), "--from-failure")
    assert "is no longer in the project: public/wf/bad" in gone.stderr
    assert "--select" not in gone.stderr


def test_from_failure_goes_on_where_a_run_was_interrupted(sail_shop, monkeypatch):
    from dataos_dagster.flare.stack import FlareStack

    real = FlareStack.run

    def run(self, one, context):
        if one.entry.name == "second":
            raise KeyboardInterrupt
        return real(self, one, context)

    sail_shop.write(wf=[job("first"), job("second"), job("third"), job("other")])
    with monkeypatch.context() as patch:
        patch.setattr(FlareStack, "run", run)
        with pytest.raises(KeyboardInterrupt):
            sail_shop.run("wf/second", "wf/first", "wf/third")
    assert [run.error for run in sail_shop.history] == ["the run was interrupted", None]
    shown = CliRunner().invoke(application, ["history", str(sail_shop.folder)]).output
    assert "was interrupted; `dataos run --from-failure` does what is left:" in shown
    assert shown.splitlines()[-2:] == ["  public/wf/second", "  public/wf/third (not begun)"]
    again = invoke(str(sail_shop.folder), "--from-failure", "--json")
    assert again.exit_code == 0, again.output
    assert [entry["job"] for entry in json.loads(again.stdout)["jobs"]] == ["public/wf/second", "public/wf/third"]
    assert "left" not in CliRunner().invoke(application, ["history", str(sail_shop.folder)]).output


def test_an_interrupted_run_says_what_became_of_every_job(sail_shop, monkeypatch):
    from dataos_dagster.flare.stack import FlareStack

    def run(self, one, context):
        raise KeyboardInterrupt

    monkeypatch.setattr(FlareStack, "run", run)
    sail_shop.write(wf=[job("first"), job("second")])
    shown = invoke(str(sail_shop.folder))
    assert shown.exit_code == 130
    assert "not run: the run was interrupted before" in shown.stdout
    assert "see below" not in shown.stdout
    assert "1 failed, 1 skipped" in shown.stdout
    assert "interrupted: `dataos run --from-failure` does what is left" in shown.stdout
    assert shown.stderr == ""
    told = invoke(str(sail_shop.folder), "--from-failure", "--json")
    assert told.exit_code == 130
    found = json.loads(told.stdout)
    assert found["interrupted"] is True
    assert [
        (entry["state"], entry["error"] and entry["error"]["type"], entry["reason"]) for entry in found["jobs"]
    ] == [
        ("failed", "JobInterrupted", None),
        ("skipped", None, "the run was interrupted before"),
    ]


def test_from_failure_does_nothing_beside_a_run_that_is_still_at_work(sail_shop):
    sail_shop.write(wf=[job("first")])
    State.open(load_settings(sail_shop.folder)).runs.begin("abc", ["public/wf/first"])
    refused = invoke(str(sail_shop.folder), "--from-failure")
    assert refused.exit_code == 2
    assert f"the last run, abc, is still at work: process {os.getpid()} on {socket.gethostname()}" in refused.stderr


def test_from_failure_keeps_what_a_selection_leaves_for_another_time(sail_shop):
    sail_shop.write(wf=[job(name, sql="SELECT nope FROM rows") for name in ("a", "b", "c")])
    assert invoke(str(sail_shop.folder)).exit_code == 1
    sail_shop.write(wf=[job("a"), job("b"), job("renamed")])
    for chosen, done in ((["--select", "wf/a"], "public/wf/a"), ([], "public/wf/b")):
        again = invoke(str(sail_shop.folder), "--from-failure", *chosen, "--json")
        assert again.exit_code == 0, again.output
        assert [entry["job"] for entry in json.loads(again.stdout)["jobs"]] == [done]
    assert "no job failed in the last run" in invoke(str(sail_shop.folder), "--from-failure").stderr


def test_a_job_that_waits_to_be_tried_again_lets_others_pass(sail_shop, tries):
    tries.append(StatementFailed("no"))
    sail_shop.write(wf=[with_entry(job("one"), retry="{count: 1, duration: 500ms}"), job("two")])
    assert states_of(sail_shop.run()) == {"one": "succeeded", "two": "succeeded"}
    ran = [run.job.rpartition("/")[2] for run in reversed(sail_shop.history)]
    assert ran == ["one", "two", "one"]


def test_a_try_that_succeeded_after_one_that_failed_is_no_failure(sail_shop, tries):
    tries.append(StatementFailed("no"))
    sail_shop.write(wf=[with_entry(job("one"), retry="{count: 1}"), job("bad", sql="SELECT nope FROM rows")])
    invoke(str(sail_shop.folder))
    again = json.loads(invoke(str(sail_shop.folder), "--from-failure", "--json").stdout)
    assert [entry["job"] for entry in again["jobs"]] == ["public/wf/bad"]


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
    sail_shop.write(wf=[job("good"), job("better")])
    result = invoke(str(sail_shop.folder), "--plan")
    assert result.exit_code == 0, result.output
    assert f"read   rows ← {FILE}" in result.output
    # One empty line between plans, and none at the end.
    assert (result.stdout.count("\n\n"), result.stdout.endswith("\n\n")) == (1, False)
    assert not (sail_shop.folder / ".dataos" / "lakehouse").exists()
    answer = invoke(str(sail_shop.folder), "--plan", "--json").stdout
    assert [(plan["job"], plan["engine"]) for plan in json.loads(answer)["plans"]] == [
        ("public/wf/good", "sail"),
        ("public/wf/better", "sail"),
    ]
    assert answer.startswith("{")


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


def test_a_run_and_the_history_tell_the_same_seconds_and_the_start_of_an_engine_is_part_of_them(tmp_path, monkeypatch):
    finish = JobRuns.finish

    def slow_finish(*told, **values):
        finish(*told, **values)
        time.sleep(0.02)  # as long as a database that is locked takes

    monkeypatch.setattr(JobRuns, "finish", slow_finish)
    Shop(tmp_path, None, "sail").write(wf=[job("good"), job("bad", sql="SELECT nope FROM rows")])
    told = json.loads(invoke(str(tmp_path), "--engine", "sail", "--json").stdout)["jobs"]
    recorded = {run.job: run.seconds for run in State.open(load_settings(tmp_path)).job_runs.history()}
    good, bad = told
    assert good["seconds"] == round(recorded["public/wf/good"], 3)
    assert 0 < good["engine_seconds"] < good["seconds"]
    assert bad["seconds"] == round(recorded["public/wf/bad"], 3)


def test_what_gives_way_without_being_asked_for_is_told_once_for_all_jobs(sail_shop):
    jobs = [job(name).replace(", options: {saveMode: overwrite}", "") for name in ("one", "two")]
    sail_shop.write(wf=jobs)
    assert "replaced" not in invoke(str(sail_shop.folder), "--engine", "sail").stdout
    again = invoke(str(sail_shop.folder), "--engine", "sail").stdout
    assert again.count("note:") == 1
    assert f"no saveMode is given for {table('one')}, {table('two')}, so what was there was replaced" in again
