"""A schema registry is asked as its API reference says, and what it refuses is told in words that help."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyspark.sql import types
from registry_server import registry_server

from dataos_dagster.depots.depot import Depot
from dataos_dagster.depots.kafka.avro import record_schema
from dataos_dagster.depots.kafka.registry import RegistryKeys, SchemaRegistry
from dataos_dagster.depots.manifest import KafkaConnection
from dataos_dagster.depots.opening import _kafka
from dataos_dagster.errors import (
    CredentialsRefused,
    DatasetNotFound,
    DepotError,
    DepotUnreachable,
    DepotUnsupported,
    SchemaMismatch,
)

ORDERS = {"type": "record", "name": "orders", "fields": [{"name": "id", "type": "long"}]}
WIDER = {**ORDERS, "fields": [*ORDERS["fields"], {"name": "name", "type": ["null", "string"], "default": None}]}
VERSIONED = "application/vnd.schemaregistry.v1+json"


@pytest.fixture
def server():
    with registry_server() as found:
        yield found


def test_all_versions_of_a_subject_are_writers_and_the_newest_is_read(server):
    ids = [server.add("shop/orders-value", schema) for schema in (ORDERS, WIDER)]
    values = SchemaRegistry(f"{server.url}/").values_of("shop/orders-value", None, None)
    assert [writer.id for writer in values.writers] == ids
    assert json.loads(values.reader) == WIDER
    place = "/subjects/shop%2Forders-value/versions"
    assert server.asked == [("GET", path, None, None) for path in (place, f"{place}/1", f"{place}/2")]


def test_an_id_or_a_given_schema_decides_which_columns_are_read(server):
    first = server.add("orders-value", ORDERS)
    server.add("orders-value", WIDER)
    registry = SchemaRegistry(server.url)
    assert json.loads(registry.values_of("orders-value", first, None).reader) == ORDERS
    given = registry.values_of("orders-value", first, '"given"')
    assert (given.reader, len(given.writers)) == ('"given"', 2)
    # An id needs no subject.
    assert [writer.id for writer in registry.values_of("nowhere", first, None).writers] == [first]


def test_a_schema_is_registered_once_with_the_login_of_the_depot(server):
    registry = SchemaRegistry(server.url, "ann", SecretStr("pw"))
    assert registry.register("orders-value", "{}") == registry.register("orders-value", "{}")
    login = f"Basic {b64encode(b'ann:pw').decode()}"
    assert server.asked == [("POST", "/subjects/orders-value/versions", VERSIONED, login)] * 2
    assert "pw" not in repr(registry)


def test_the_login_of_a_depots_secret_is_for_its_own_registry_and_in_no_repr():
    connection = KafkaConnection(brokers=["h:9092"], schema_registry_url="http://registry:8081")
    secret = {"schema_registry_username": SecretStr("ann"), "schema_registry_password": SecretStr("s3cret")}
    store = _kafka(Depot("events", "kafka", connection, Path()), secret)
    assert store.registry == SchemaRegistry("http://registry:8081", "ann", SecretStr("s3cret"))
    assert store._registry_of(RegistryKeys("http://other:8081")) == SchemaRegistry("http://other:8081")
    assert "s3cret" not in repr(store)


@pytest.mark.parametrize(
    ("refuses", "error", "hint"),
    [
        ((404, "Subject not found."), DatasetNotFound, "schemaSubject and schemaId choose another one"),
        ((401, "Unauthorized"), CredentialsRefused, "schema_registry_username"),
        ((409, "Schema being registered is incompatible"), SchemaMismatch, "compatibility of the subject"),
        ((500, "Error in the backend"), DepotUnreachable, None),
    ],
)
def test_what_a_registry_refuses_is_told_in_its_own_words(server, refuses, error, hint):
    server.refuses = refuses
    with pytest.raises(error) as raised:
        SchemaRegistry(server.url).register("orders-value", "{}")
    assert refuses[1] in raised.value.message
    assert server.url in raised.value.message
    assert hint is None or hint in raised.value.hint


@pytest.mark.parametrize(
    ("extra", "why"),
    [({"schemaType": "JSON"}, "is JSON"), ({"references": [{"name": "a"}]}, "refers to other subjects")],
)
def test_what_is_no_avro_that_stands_by_itself_is_refused(server, extra, why):
    server.add("orders-value", ORDERS)
    server.extra = extra
    with pytest.raises(DepotUnsupported, match=why) as raised:
        SchemaRegistry(server.url).values_of("orders-value", None, None)
    assert "`schemaString`" in raised.value.hint


@pytest.mark.parametrize("url", ["registry:8081", "ftp://registry", "file:///etc/passwd", "<protocol>://<ip>:<port>"])
def test_what_is_no_address_of_the_web_is_never_opened(url):
    with pytest.raises(DepotError, match="is no address of a schema registry"):
        SchemaRegistry(url).with_id(1)


def test_a_login_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(DepotError, match="holds the login of registry") as raised:
        SchemaRegistry("https://ann:secret@registry").with_id(1)
    assert "secret@" not in str(raised.value)
    assert "schema_registry_password" in raised.value.hint


def test_a_login_goes_to_no_host_that_a_redirect_names(server):
    registry = SchemaRegistry(server.url, "ann", SecretStr("pw"))
    with registry_server() as other:
        server.moved = other.url.replace("http://", "http://ann:pw@")
        for ask in (lambda: registry.with_id(1), lambda: registry.register("orders-value", "{}")):
            with pytest.raises(DepotError, match=f"redirects to {other.url}, which is not followed") as raised:
                ask()
            assert raised.value.hint.endswith(f"schemaRegistryUrl: {other.url}")
        assert other.asked == []


def test_a_registry_that_does_not_answer_is_named():
    with pytest.raises(DepotUnreachable, match=r"http://127\.0\.0\.1:1 does not answer"):
        SchemaRegistry("http://127.0.0.1:1").with_id(1)


def test_keys_stand_in_options_in_any_case():
    assert RegistryKeys.of({"schemaregistryurl": "u", "SchemaId": "7", "startingOffsets": "earliest"}) == RegistryKeys(
        "u", None, 7
    )
    assert not RegistryKeys.of({"startingOffsets": "earliest"})
    with pytest.raises(DepotError, match="schemaId 'latest' is no number"):
        RegistryKeys.of({"schemaId": "latest"})


def columns(**found):
    return types.StructType([types.StructField(name, type_) for name, type_ in found.items()])


def test_columns_become_a_record_whose_versions_go_together():
    schema = json.loads(record_schema(columns(id=types.LongType(), price=types.DecimalType(9, 2)), "shop.orders-value"))
    assert (schema["type"], schema["name"]) == ("record", "shop_orders_value")
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    assert schema["fields"] == [
        {"name": "id", "type": ["null", "long"], "default": None},
        {"name": "price", "type": ["null", decimal], "default": None},
    ]
    needed = types.StructType([types.StructField("id", types.IntegerType(), nullable=False)])
    assert json.loads(record_schema(needed, "1a"))["fields"] == [{"name": "id", "type": "int"}]
    assert json.loads(record_schema(needed, "1a"))["name"] == "_1a"


def test_no_two_records_of_a_schema_have_one_name():
    inner = columns(n=types.LongType())
    schema = json.loads(record_schema(columns(a_b=inner, a=columns(b=inner), l=types.ArrayType(inner)), "orders"))
    first, second, third = (field["type"][1] for field in schema["fields"])
    nested = second["fields"][0]["type"][1]
    names = [found["name"] for found in (schema, first, second, nested, third["items"][1])]
    assert names == ["orders", "orders.a_b", "orders.a", "orders.a.b", "orders.l"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"order id": types.IntegerType()}, "no name for the column 'order id'"),
        ({"a": types.MapType(types.IntegerType(), types.StringType())}, "no type for map<int,string>"),
        ({"a": types.DayTimeIntervalType()}, "no type for interval day to second"),
    ],
)
def test_what_avro_has_not_is_named(found, why):
    with pytest.raises(SchemaMismatch, match=why):
        record_schema(columns(**found), "orders")
