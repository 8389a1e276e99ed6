"""The supervisor's decisions: what is wanted against what there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.workflows.supervisor.reconcile import decide
from dataos_dagster.workflows.supervisor.service import Actual, Report, Service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVICE = Service("public/wf/job", "g1", ("true",))
RUNNING = Actual("public/wf/job", "here", "g1", 7, NOW - timedelta(minutes=1))
ENDED = replace(RUNNING, pid=None)


@pytest.mark.parametrize(
    ("service", "actual", "expected"),
    [
        (SERVICE, Actual("public/wf/job"), ("start", "it is wanted and was never started")),
        (SERVICE, RUNNING, None),
        (replace(SERVICE, generation="g2"), RUNNING, ("stop", "its manifest has changed")),
        (None, RUNNING, ("stop", "no manifest wants it any more")),
        (None, ENDED, None),
        (SERVICE, replace(RUNNING, wish="stopped"), ("stop", "somebody has stopped it")),
        (SERVICE, replace(ENDED, wish="stopped"), None),
        (SERVICE, replace(ENDED, failures=2, next_start=NOW + timedelta(seconds=1)), None),
        (SERVICE, replace(ENDED, failures=2, next_start=NOW), ("start", "it has ended, 2 times in a row")),
        (
            replace(SERVICE, generation="g2"),
            replace(ENDED, failures=9, next_start=NOW + timedelta(minutes=5)),
            ("start", "its manifest has changed"),
        ),
        (None, replace(RUNNING, stopping_since=NOW - timedelta(seconds=5)), None),
        (
            None,
            replace(RUNNING, stopping_since=NOW - timedelta(seconds=61)),
            ("kill", "it did not end within 60 s after it was asked to"),
        ),
    ],
)
def test_what_is_done_about_a_service(service, actual, expected):
    assert decide(service, actual, NOW) == expected


def test_a_service_that_says_nothing_any_more_is_killed():
    heard = NOW - timedelta(seconds=301)
    hanging = replace(RUNNING, since=NOW - timedelta(hours=1), report=Report(heard, "running"))
    assert decide(SERVICE, hanging, NOW) == ("kill", f"it has said nothing since {heard.isoformat()}")
    assert decide(SERVICE, replace(hanging, report=Report(NOW, "running")), NOW) is None


@given(
    wanted=st.sampled_from(["g1", "g2", None]),
    wish=st.sampled_from(["running", "stopped"]),
    generation=st.sampled_from(["g1", "g2"]),
    pid=st.sampled_from([None, 7]),
    failures=st.integers(0, 5),
)
def test_what_is_decided_leads_to_what_is_wanted(wanted, wish, generation, pid, failures):
    """Whatever there is: as long as each decision is carried out, nothing is left to decide after three."""
    service = replace(SERVICE, generation=wanted) if wanted else None
    actual = Actual("public/wf/job", "here", generation, pid, NOW, wish=wish, failures=failures)
    for step in range(4):
        found = decide(service, actual, NOW + timedelta(minutes=step))
        if found is None:
            break
        if found[0] == "start":
            assert service is not None
            actual = replace(
                actual, pid=8, generation=service.generation, stopping_since=None, since=NOW + timedelta(minutes=step)
            )
        else:
            actual = replace(actual, pid=None)
    assert decide(service, actual, NOW + timedelta(minutes=3)) is None
    assert actual.is_running == (service is not None and wish == "running")
