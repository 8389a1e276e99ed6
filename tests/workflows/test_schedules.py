"""Schedules of workflows: what a tick asks for, and when it asks for nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.events import EngineEventData  # noqa: TID251 - what a run worker reports, and only tests must fake
from manifest_builder import flare, other, workflow, write_project

from dataos_dagster import load_definitions
from dataos_dagster.dagster_compat import ASSET_JOB
from dataos_dagster.workflows.schedules import is_alive

CRON = {"cron": "15 5 * * *", "timezone": "Europe/Lisbon"}
KEY = dg.AssetKey(["lakehouse", "shop", "t"])
NAME = "public__wf"


@pytest.fixture(scope="module")
def shared_instance():
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def instance(shared_instance):
    """Return an instance without runs, on disk: ticks open it again by its reference."""
    shared_instance.wipe()
    return shared_instance


def load(folder, *dag, settings="{}", **schedule):
    body = workflow("wf", *(dag or (flare("load", writes="t"),)), schedule=CRON | schedule)
    write_project(folder, {"wf.yaml": body, "dataos.yaml": settings})
    return load_definitions(folder)


def schedule_of(definitions) -> dg.ScheduleDefinition:
    return definitions.get_repository_def().get_schedule_def(NAME)


def tick(definitions, instance=None, at=datetime(2026, 3, 1, 5, 15, tzinfo=UTC)):
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    return schedule_of(definitions).evaluate_tick(context)


def start(instance, keys, status=dg.DagsterRunStatus.STARTED, pid: int | None = None) -> dg.DagsterRun:
    """Return a run of these assets (None: of all) that has got so far; `pid` is the process it says it runs in."""
    run = dg.DagsterRun(job_name=ASSET_JOB, asset_selection=frozenset(keys) if keys else None, status=status)
    instance.add_run(run)
    if pid is not None:
        instance.report_engine_event("Started process for run", run, EngineEventData.in_process(pid))
    return run


def test_a_schedule_has_the_cron_and_the_zone_of_its_workflow(tmp_path):
    schedule = schedule_of(load(tmp_path))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 5 * * *", "Europe/Lisbon")


def test_a_tick_asks_for_the_assets_of_all_jobs_that_run(tmp_path):
    definitions = load(tmp_path, flare("load", writes=["t", "u"]), other("register"), flare("look", reads="t"))
    [request] = tick(definitions).run_requests
    assert set(request.asset_selection) == {
        KEY,
        dg.AssetKey(["lakehouse", "shop", "u"]),
        dg.AssetKey(["public", "wf", "look"]),
    }
    assert request.tags["dataos/workflow"] == "public/wf"


def test_nested_workflows_run_with_the_schedule_that_nests_them_and_not_with_their_own(tmp_path):
    inner = workflow("inner", flare("part", writes="p"), schedule={"cron": "0 0 1 1 *"})
    write_project(tmp_path, {"parts/inner.yaml": inner})
    definitions = load(tmp_path, flare("load", writes="t"), {"name": "all", "file": "parts/inner.yaml"})
    [request] = tick(definitions).run_requests
    assert set(request.asset_selection) == {KEY, dg.AssetKey(["lakehouse", "shop", "p"])}


def test_a_workflow_whose_jobs_are_not_run_has_no_schedule(tmp_path):
    assert load(tmp_path, other("register")).get_repository_def().schedule_defs == []


@pytest.mark.parametrize(
    ("settings", "status"),
    [("{}", dg.DefaultScheduleStatus.RUNNING), ("schedules: stopped", dg.DefaultScheduleStatus.STOPPED)],
)
def test_the_settings_say_whether_schedules_start_running(tmp_path, settings, status):
    assert schedule_of(load(tmp_path, settings=settings)).default_status is status


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"startOn": "2026-03-01T05:15:00Z"}, None),
        ({"startOn": "2026-03-01T05:15:01Z"}, "begins on"),
        ({"endOn": "2026-03-01T05:15:00Z"}, None),
        ({"endOn": "2026-03-01T05:14:59Z"}, "ended on"),
        ({"endOn": "2030-01-01T00:00:00Z", "completeOn": "2026-01-01T00:00:00Z"}, "ended on"),
        ({"startOn": "2026-03-01T06:15:00+01:00"}, None),
    ],
)
def test_ticks_outside_the_schedules_life_launch_nothing(tmp_path, bounds, reason):
    result = tick(load(tmp_path, **bounds))
    if reason is None:
        assert len(result.run_requests) == 1
    else:
        assert reason in result.skip_message


@pytest.mark.parametrize("keys", [(KEY,), None, (KEY, dg.AssetKey("x"))])
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_forbid_skips_while_a_run_of_the_same_assets_is_active(tmp_path, keys, status, instance):
    definitions = load(tmp_path, concurrencyPolicy="Forbid")
    run = start(instance, keys, status)
    assert run.run_id in tick(definitions, instance).skip_message


def test_forbid_does_not_mind_runs_of_other_assets_or_runs_that_have_ended(tmp_path, instance):
    definitions = load(tmp_path, concurrencyPolicy="Forbid")
    start(instance, (dg.AssetKey("x"),))
    start(instance, (KEY,), dg.DagsterRunStatus.FAILURE)
    assert len(tick(definitions, instance).run_requests) == 1


def test_allow_launches_beside_an_active_run(tmp_path, instance):
    definitions = load(tmp_path)
    start(instance, (KEY,))
    assert len(tick(definitions, instance).run_requests) == 1


def gone_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_run_whose_process_is_gone_does_not_hold_up_the_next_one(tmp_path, instance):
    definitions = load(tmp_path, concurrencyPolicy="Forbid")
    start(instance, (KEY,), pid=gone_process())
    assert len(tick(definitions, instance).run_requests) == 1


def test_a_run_whose_process_lives_is_alive(instance):
    assert is_alive(instance, start(instance, (KEY,), pid=os.getpid()))


def test_a_process_that_started_after_the_run_is_another_one_with_the_same_number(monkeypatch, instance):
    later = time.time() + 3600
    monkeypatch.setattr("dataos_dagster.workflows.schedules.start_moment", lambda _pid: later)
    assert not is_alive(instance, start(instance, (KEY,), pid=os.getpid()))


def test_replace_cancels_the_active_run_and_launches(tmp_path, monkeypatch, instance):
    definitions = load(tmp_path, concurrencyPolicy="Replace")
    run = start(instance, (KEY,))
    other_run = start(instance, (dg.AssetKey("x"),))
    coordinator = type(instance.run_coordinator)
    monkeypatch.setattr(
        coordinator, "cancel_run", lambda _, run_id: instance.report_run_canceled(instance.get_run_by_id(run_id))
    )
    assert len(tick(definitions, instance).run_requests) == 1
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.CANCELED
    assert instance.get_run_by_id(other_run.run_id).status is dg.DagsterRunStatus.STARTED


RETRIED = {"count": 3, "strategy": "OnError"}


@pytest.mark.parametrize("enabled", [True, False])
def test_a_tick_says_when_run_retries_are_off(tmp_path, capfd, enabled):
    definitions = load(tmp_path, flare("load", writes="t", retry=RETRIED))
    with dg.instance_for_test(overrides={"run_retries": {"enabled": enabled}}) as instance:
        assert len(tick(definitions, instance).run_requests) == 1
    assert ("run_retries: {enabled: true}" in capfd.readouterr().err) is not enabled


def test_run_retries_are_asked_for_where_a_job_wants_them(tmp_path, instance):
    [request] = tick(load(tmp_path, flare("load", writes="t", retry=RETRIED)), instance).run_requests
    assert request.tags["dagster/max_retries"] == "3"
    assert request.tags["dagster/retry_on_asset_or_op_failure"] == "false"
