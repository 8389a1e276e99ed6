"""What `retry` means, strategy by strategy."""

from __future__ import annotations

import pytest
from manifest_builder import flare, read_project, workflow

from dataos_dagster.errors import DepotUnreachable, SchemaMismatch, StatementFailed
from dataos_dagster.workflows.jobs import jobs_of
from dataos_dagster.workflows.retries import RetryPlan, is_transient, retry_plan


def plan_of(folder, retry, **spec):
    entry = flare("job", spec=spec, **({"retry": retry} if retry else {}))
    [job] = jobs_of(read_project(folder, {"wf.yaml": workflow("wf", entry)}))
    return retry_plan(job)


@pytest.mark.parametrize(
    ("retry", "plan"),
    [
        (None, RetryPlan()),
        ({"count": 0}, RetryPlan()),
        ({"count": 2}, RetryPlan(step_retries=2)),
        ({}, RetryPlan()),
        ({"strategy": "onfailure"}, RetryPlan(step_retries=1)),
        ({"count": 2, "strategy": "OnFailure", "duration": "10s"}, RetryPlan(step_retries=2, delay=10)),
        ({"count": 2, "strategy": "OnError"}, RetryPlan(run_retries=2)),
        ({"count": 3, "strategy": "Always", "duration": "2m"}, RetryPlan(step_retries=3, run_retries=3, delay=120)),
        (
            {"count": 1, "strategy": "OnTransientError", "maxDuration": "1h"},
            RetryPlan(step_retries=1, limit=3600, transient_only=True),
        ),
    ],
)
def test_a_strategy_decides_which_failures_are_tried_again(tmp_path, retry, plan):
    assert plan_of(tmp_path, retry) == plan


def test_a_job_may_name_its_own_transient_errors(tmp_path):
    plan = plan_of(
        tmp_path,
        {"count": 1, "strategy": "OnTransientError"},
        envs={"TRANSIENT_ERROR_PATTERN": "quota (exceeded|reached)"},
    )
    assert plan.retries(StatementFailed("the quota reached its end"), seconds=0)
    assert not plan.retries(StatementFailed("no such column"), seconds=0)


def test_a_pattern_that_is_none_is_taken_as_a_text(tmp_path):
    plan = plan_of(tmp_path, {"count": 1, "strategy": "OnTransientError"}, envs={"TRANSIENT_ERROR_PATTERN": "[quota"})
    assert plan.retries(StatementFailed("over [quota"), seconds=0)


def test_nothing_is_tried_again_beyond_the_longest_duration():
    plan = RetryPlan(step_retries=5, limit=60)
    assert plan.retries(StatementFailed("x"), seconds=59)
    assert not plan.retries(StatementFailed("x"), seconds=60)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (DepotUnreachable("server is down"), True),
        (StatementFailed("java.net.SocketTimeoutException: connect timed out"), True),
        (StatementFailed("Connection reset by peer"), True),
        (StatementFailed("[TABLE_OR_VIEW_NOT_FOUND] x"), False),
        (SchemaMismatch("column a is missing"), False),
    ],
)
def test_errors_that_may_go_away_by_themselves_are_transient(error, transient):
    assert is_transient(error) is transient
