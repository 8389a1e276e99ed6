"""What the process of a stream says of itself before its queries run: nobody may take a slow start for a hanging one."""

from __future__ import annotations

import logging
import threading
import time
from itertools import pairwise

import pytest

from dataos_dagster.flare.job import PlanRun
from dataos_dagster.flare.streaming.host import Teller, _Log
from dataos_dagster.flare.streaming.job import started_queries
from dataos_dagster.workflows.results import AssertionResult
from dataos_dagster.workflows.supervisor.records import Records

JOB = """
    streaming: {{triggerMode: AvailableNow, forEachBatchMode: true, checkpointLocation: checkpoints}}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/{topic}", format: kafkajson,
         schemaString: 'id bigint', options: {{startingOffsets: earliest}}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", options: {{saveMode: append}}}}
    """


def test_a_test_of_a_batch_that_fails_stands_in_the_log_with_its_dataset(caplog):
    results = [
        AssertionResult(
            name=f"n_{name}", test="n > 1", column=None, filter=None, dataset=f"dataos://lakehouse:shop/{name}",
            address=None, is_output=True, value=value, operator=">", limit=1.0, passed=value > 1, location=None,
        )
        for name, value in (("orders", 0.0), ("copies", 2.0))
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING, logger="dataos.stream"):
        _Log().assertions_evaluated("public/wf/job", tuple(results))
    assert caplog.messages == ["failed: dataos://lakehouse:shop/orders: n > 1, found 0"]


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "service")


def heard(records, seconds):
    """Return the moments of all reports of some time."""
    deadline, moments = time.monotonic() + seconds, {}
    while time.monotonic() < deadline:
        if records.report is not None:
            moments[records.report.at] = records.report.message
        time.sleep(0.005)
    return moments


def test_a_stream_that_starts_says_so_as_long_as_it_takes(records):
    teller = Teller(records)
    with teller.starting(every=0.02, patience=60):
        moments = heard(records, 0.5)
        assert len(moments) > 5
        assert all(one < other for one, other in pairwise(moments))
        teller.say("starting", "micro-batch 7 is repeated")
        assert set(list(heard(records, 0.2).values())[1:]) == {"micro-batch 7 is repeated"}
    assert len(heard(records, 0.2)) == 1


def test_a_stream_that_hangs_as_it_starts_is_silent_in_the_end(records):
    teller = Teller(records)
    with teller.starting(every=0.02, patience=0.3):
        heard(records, 0.5)
        assert len(heard(records, 0.2)) == 1


@pytest.fixture
def interrupted(streams):
    """Return a stream as if it had been killed when its first batch was written and the end was not noted yet."""
    topic = streams.kafka.create_topic()
    streams.produce(topic, {"id": 1}, {"id": 2})
    streams.job(JOB.format(topic=topic))
    streams.run()
    for file in (streams.folder / "checkpoints/commits").iterdir():
        file.unlink()
    streams.produce(topic, {"id": 3})
    return streams


def started_again(streams, stop):
    """Start the queries of a stream; return what is told before they run, and how many run."""
    said, plan = [], streams.plan()
    with streams.runner() as runner:
        context = runner.context("again", record=False)
        with (
            context.sessions.lease(plan.configuration) as session,
            started_queries(PlanRun(plan, context, session), plan.stream, said.append, stop) as queries,
        ):
            return set(said), len(queries)


def test_a_batch_that_is_repeated_is_told_while_it_is(interrupted):
    said, running = started_again(interrupted, threading.Event())
    assert running == 1
    expected = "micro-batch 0 of dataos://lakehouse:shop/orders was under way when the stream ended, and is repeated"
    assert said == {expected}
    interrupted.run()
    assert interrupted.table("dataos://lakehouse:shop/orders") == [(1,), (2,), (3,)]


def test_a_stream_that_is_stopped_while_it_repeats_a_batch_starts_no_other_one(interrupted):
    stop = threading.Event()
    stop.set()
    assert started_again(interrupted, stop)[1] == 0
    assert interrupted.table("dataos://lakehouse:shop/orders") == [(1,), (2,)]
    interrupted.run()
    assert interrupted.table("dataos://lakehouse:shop/orders") == [(1,), (2,), (3,)]
