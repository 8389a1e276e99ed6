"""`dataos streams`: list, start, stop, restart, logs."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest
from depot_manifests import kafka_depot
from manifest_builder import write_project
from typer.testing import CliRunner

from dataos_dagster.cli.streams import app
from dataos_dagster.flare.streaming import service
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.supervisor.processes import ProcessRuntime

JOB = {
    "streaming": {"triggerMode": "ProcessingTime"},
    "inputs": [{"name": "orders", "dataset": "dataos://events:default/orders"}],
    "outputs": [{"name": "orders", "dataset": "dataos://lakehouse:shop/orders?acl=rw"}],
}
WORKFLOW = {
    "name": "wf",
    "version": "v1",
    "type": "workflow",
    "workflow": {"dag": [{"name": "job", "spec": {"stack": "flare:7.0", "stackSpec": {"job": JOB}}}]},
}


def call(*arguments: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project with one stream, whose process says hello and sleeps."""
    body = "import time; print('hello', flush=True); time.sleep(60)"
    original = service.Service
    monkeypatch.setattr(
        service, "Service", lambda **values: original(**values | {"command": (sys.executable, "-c", body)})
    )
    write_project(
        tmp_path, {"depot.yaml": kafka_depot("h:1"), "wf.yaml": WORKFLOW, "dataos.yaml": "schedules: stopped\n"}
    )
    yield tmp_path
    for name in (runtime := ProcessRuntime.of(load_settings(tmp_path))).names():
        if pid := runtime.actual(name).pid:
            os.kill(pid, signal.SIGKILL)


def listed(result):
    assert result.exit_code == 0, result.output
    return {found["name"]: found for found in json.loads(result.output)["streams"]}


def test_a_stream_is_started_listed_stopped_and_stays_stopped(project):
    assert listed(call("list", "--project", project, "--json"))["public/wf/job"]["state"] == "stopped"
    started = listed(call("start", "wf", "--project", project, "--json"))["public/wf/job"]
    assert (started["state"], started["wanted"]) == ("starting", True)
    assert listed(call("start", "--project", project, "--json"))["public/wf/job"]["pid"] == started["pid"]

    table = call("list", "--project", project)
    assert table.output.splitlines()[0].split() == ["stream", "state", "since", "(UTC)", "rows/s", "behind", "batch"]
    assert table.output.splitlines()[1].split()[:2] == ["wf/job", "starting"]

    stopped = listed(call("stop", "wf/job", "--project", project, "--json"))["public/wf/job"]
    assert (stopped["state"], stopped["wanted"], stopped["pid"]) == ("stopped", False, None)
    assert stopped["failures_in_a_row"] == 0


def test_a_restart_is_another_process_and_the_log_goes_on(project):
    first = listed(call("start", "--project", project, "--json"))["public/wf/job"]["pid"]
    assert listed(call("restart", "--project", project, "--json"))["public/wf/job"]["pid"] != first
    log = json.loads(call("logs", "wf", "--project", project, "--json").output)["logs"][0]
    assert log["name"] == "public/wf/job"
    assert log["file"].endswith("/.dataos/services/public__wf__job/log")
    assert set(log["lines"]) <= {"hello"}


def test_a_stream_that_failed_is_started_by_hand_without_a_pause(project):
    first = listed(call("start", "--project", project, "--json"))["public/wf/job"]["pid"]
    os.kill(first, signal.SIGKILL)
    while (found := listed(call("list", "--project", project, "--json"))["public/wf/job"])["pid"] is not None:
        time.sleep(0.02)
    assert (found["state"], found["failures_in_a_row"]) == ("waiting", 1)
    again = listed(call("start", "--project", project, "--wait", "3", "--json"))["public/wf/job"]
    assert again["pid"] not in {None, first}
    assert again["failures_in_a_row"] == 0


def test_what_no_manifest_wants_any_more_is_shown_and_can_be_stopped_and_not_started(project):
    call("start", "--project", project)
    (project / "wf.yaml").unlink()
    assert listed(call("list", "--project", project, "--json"))["public/wf/job"]["wanted"] is False
    assert not listed(call("restart", "--project", project, "--json"))
    stopped = listed(call("stop", "wf", "--project", project, "--json"))["public/wf/job"]
    assert (stopped["state"], stopped["pid"], stopped["wanted"]) == ("stopped", None, False)
    assert not listed(call("list", "--project", project, "--json"))
    assert call("start", "wf", "--project", project).exit_code != 0


def test_a_name_that_is_no_stream_is_told_with_those_that_are(project):
    result = call("stop", "nowhere", "--project", project, "--json")
    assert result.exit_code != 0
    error = json.loads(result.output)["error"]
    assert error["message"] == "'nowhere' is no stream of this project"
    assert error["hint"] == "there are: wf/job"
