"""Batches of messages: what a topic is told of failures, and what an interrupt leaves."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from sessions import SPARK, engine_settings

from dataos_dagster.address import Address
from dataos_dagster.depots.depot import Depot
from dataos_dagster.depots.kafka.access import access_of
from dataos_dagster.depots.kafka.store import KafkaStore
from dataos_dagster.depots.manifest import KafkaConnection
from dataos_dagster.depots.requests import Target, WriteRequest
from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import DatasetNotFound, DepotUnreachable, Location
from dataos_dagster.identity import Principal

SOMEBODY, HERE = Principal("tester", "settings"), Location("wf.yaml", 3, 5)
QUICK = {"kafka.max.block.ms": "1500", "kafka.default.api.timeout.ms": "1500", "kafka.request.timeout.ms": "1000"}


def store(*brokers):
    depot = Depot("events", "kafka", KafkaConnection(brokers=brokers), Path())
    return KafkaStore(access_of(depot, {}), "events")


def target(topic):
    return Target(Address.parse(f"dataos://events:default/{topic}"))


def written(topic, **options):
    return WriteRequest(target(topic), "append", format="kafkajson", location=HERE, options=QUICK | options)


@pytest.fixture
def rows(spark_session):
    return spark_session.spark.range(3)


def test_a_topic_that_is_not_there_is_named_at_its_place(kafka, spark_session, rows):
    with pytest.raises(DatasetNotFound, match="there is no topic 'nowhere' in depot 'events'") as raised:
        store(kafka.bootstrap).write(rows, written("nowhere"), spark_session, SOMEBODY)
    assert raised.value.location == HERE


def test_brokers_that_do_not_answer_are_named_and_a_retry_can_help(spark_session, rows):
    with pytest.raises(DepotUnreachable, match=r"no broker of 127\.0\.0\.1:1 answers") as raised:
        store("127.0.0.1:1").write(rows, written("orders"), spark_session, SOMEBODY)
    assert raised.value.retryable


@pytest.mark.parametrize("fault", [ValueError("Timed out"), AssertionError("TimeoutException")])
def test_a_fault_that_is_no_engines_goes_on_unchanged(kafka, spark_session, rows, monkeypatch, fault):
    def fail(*_):
        raise fault

    monkeypatch.setattr("dataos_dagster.depots.kafka.store.as_messages", fail)
    with pytest.raises(type(fault)) as raised:
        store(kafka.bootstrap).write(rows, written("orders"), spark_session, SOMEBODY)
    assert raised.value is fault


def messages_in(kafka, topic):
    """Return how many messages a topic holds."""
    from confluent_kafka import Consumer, TopicPartition

    reader = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "count"})
    try:
        _, end = reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10, cached=False)
        return end
    finally:
        reader.close()


def test_a_write_that_is_interrupted_publishes_nothing_more(kafka, tmp_path, spark_jars):
    topic, many = kafka.create_topic(), 50_000_000

    def interrupt():
        while not messages_in(kafka, topic):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    # An engine of its own: an interrupt ends it.
    with Sessions(engine_settings(tmp_path)) as own:
        session = own.get(SPARK)
        watcher = threading.Thread(target=interrupt)
        watcher.start()
        with pytest.raises(KeyboardInterrupt):
            store(kafka.bootstrap).write(session.spark.range(many), written(topic), session, SOMEBODY)
        watcher.join()
        assert not session.process.is_running()
    # Nobody is left who could publish the rest.
    assert 0 < messages_in(kafka, topic) < many
