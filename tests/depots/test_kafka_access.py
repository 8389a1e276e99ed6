"""How the brokers of a depot are reached: from its secret to the properties of clients, and to the brokers themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from dataos_dagster.address import Address
from dataos_dagster.depots.depot import Depot
from dataos_dagster.depots.kafka.access import access_of
from dataos_dagster.depots.kafka.store import KafkaStore
from dataos_dagster.depots.manifest import KafkaConnection
from dataos_dagster.depots.requests import Merge, PartitionField, Target, WriteRequest
from dataos_dagster.errors import CredentialsRefused, DepotUnreachable, DepotUnsupported

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def access(brokers=("a:9092", "b:9092"), **credentials):
    connection = KafkaConnection(brokers=brokers)
    depot = Depot("events", "kafka", connection, Path())
    return access_of(depot, {key: SecretStr(value) for key, value in credentials.items()})


def test_brokers_without_a_secret_are_reached_in_plain_text():
    found = access()
    assert found.spark_options() == {
        "kafka.bootstrap.servers": "a:9092,b:9092",
        "kafka.security.protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize(
    ("credentials", "protocol", "mechanism", "module"),
    [
        ({}, "SASL_PLAINTEXT", "PLAIN", "plain.PlainLoginModule"),
        ({"sasl_mechanism": "scram-sha-512"}, "SASL_PLAINTEXT", "SCRAM-SHA-512", "scram.ScramLoginModule"),
        ({"ca_file": PEM}, "SASL_SSL", "PLAIN", "plain.PlainLoginModule"),
    ],
)
def test_a_login_is_given_to_spark_as_java_wants_it_and_is_in_no_repr(credentials, protocol, mechanism, module):
    found = access(username="ann", password='pa"ss\\word', **credentials)
    options = found.spark_options()
    assert options["kafka.security.protocol"] == protocol
    assert options["kafka.sasl.mechanism"] == mechanism
    assert options["kafka.sasl.jaas.config"] == (
        f'org.apache.kafka.common.security.{module} required username="ann" password="pa\\"ss\\\\word";'
    )
    assert 'pa"ss' not in repr(found)


def test_certificates_are_given_themselves_or_as_a_file(tmp_path):
    inline = access(ca_file=PEM).spark_options()
    assert inline["kafka.ssl.truststore.type"] == "PEM"
    assert inline["kafka.ssl.truststore.certificates"] == PEM
    store = tmp_path / "trust.jks"
    store.write_bytes(b"jks")
    given = access(trust_store_file=str(store), trust_store_type="jks", trust_store_password="x").spark_options()
    assert given["kafka.ssl.truststore.location"] == str(store)
    assert (given["kafka.ssl.truststore.type"], given["kafka.ssl.truststore.password"]) == ("JKS", "x")


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"username": "ann"}, "asks for `username` and `password`, and the secret lacks one"),
        (
            {"username": "ann", "password": "x", "sasl_mechanism": "GSSAPI"},
            "the mechanism GSSAPI is not known here",
        ),
        ({"ca_file": "/nowhere/ca.pem"}, "`ca_file` is neither certificates"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_with_what_is_wrong(credentials, message):
    with pytest.raises(CredentialsRefused, match="depot 'events'") as raised:
        access(**credentials)
    assert message in raised.value.message
    assert raised.value.hint


def test_topics_are_listed_with_the_password_and_not_without(kafka):
    topic = kafka.create_topic()
    found = KafkaStore(
        access((kafka.sasl_bootstrap,), username=kafka.username, password=kafka.password), "events"
    ).datasets()
    assert topic in {address.path[0] for address in found}
    with pytest.raises(CredentialsRefused):
        KafkaStore(access((kafka.sasl_bootstrap,), username=kafka.username, password="wrong"), "events").datasets()


def test_brokers_that_do_not_answer_are_named(monkeypatch):
    monkeypatch.setattr("dataos_dagster.depots.kafka.store._ANSWER_SECONDS", 1)
    monkeypatch.setattr("dataos_dagster.depots.spark_connectors.is_cached", lambda _: True)
    with pytest.raises(DepotUnreachable, match=r"127\.0\.0\.1:1"):
        KafkaStore(access(("127.0.0.1:1",)), "events").check()


@pytest.mark.parametrize(
    "asked",
    [
        {"merge": Merge("old.id = new.id", "MATCHED THEN DELETE")},
        {"branch": "b"},
        {"partition_spec": (PartitionField("day", "at"),)},
    ],
)
def test_what_only_a_table_can_do_is_refused_and_no_row_becomes_a_message(asked):
    store = KafkaStore(access(), "events")
    request = WriteRequest(Target(Address.parse("dataos://events:default/orders")), "append", **asked)
    with pytest.raises(DepotUnsupported, match="a topic knows neither merge clauses nor branches"):
        store.write(None, request, None, None)
    with (
        pytest.raises(DepotUnsupported, match="a topic knows neither merge clauses nor branches"),
        store.write_stream(None, request, None, None, None),
    ):
        pass
