"""Bounds on jobs: whom a job that takes too long may disturb, and whom not."""

from __future__ import annotations

import time

import pytest
from sessions import SAIL, engine_settings

from dataos_dagster.engines.session import EngineSession, Sessions
from dataos_dagster.workflows import limits
from dataos_dagster.workflows.limits import time_limit


@pytest.fixture
def own(tmp_path):
    with Sessions(engine_settings(tmp_path)) as opened:
        yield opened


@pytest.fixture
def deaf(monkeypatch):
    """Let engines heed no interrupt, and be ended for it soon."""
    monkeypatch.setattr(EngineSession, "interrupt", lambda _: None)
    monkeypatch.setattr(limits, "_SECONDS_OF_GRACE", 0.1)
    monkeypatch.setattr(limits, "_SECONDS_BETWEEN", 0.1)


def test_an_engine_that_heeds_no_interrupt_is_ended_once_no_other_job_is_on_it(own, deaf):
    with own.lease(SAIL) as slow, time_limit(own, slow, 0.1):
        with own.lease(SAIL) as beside:
            assert beside.process == slow.process
            time.sleep(1)
            assert beside.spark.sql("select 1 as a").collect()[0].a == 1
        assert slow.process.wait(10)


def test_a_session_that_may_still_be_interrupted_is_given_to_nobody_else(own):
    with own.lease(SAIL) as late, time_limit(own, late, 0.1):
        time.sleep(0.3)
    with own.lease(SAIL) as following:
        assert following is not late
        assert following.process == late.process


def test_a_job_within_its_time_leaves_its_session_to_the_next(own):
    with own.lease(SAIL) as early, time_limit(own, early, 60):
        assert own.is_alone(early)
    with own.lease(SAIL) as following:
        assert following is early
