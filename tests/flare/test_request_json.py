"""What a plan shows of the options of an input or output: never a password, wherever it stands."""

from __future__ import annotations

import json

import pytest

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import ReadRequest, Target, WriteRequest
from dataos_dagster.flare.request_json import read_json, write_json

TARGET = Target(Address.parse("dataos://store:db/t"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workbookPassword", "p4ss-word"),
        ("connection.uri", "mongodb://ann:p4ss-word@h/shop"),
        ("url", "jdbc:mysql://h/shop?user=ann&password=p4ss-word&useSSL=true"),
        ("url", "jdbc:sqlserver://h;user=ann;password=p4ss-word"),
        ("url", "jdbc:mysql://ann:p4ss-word@h/shop"),
        ("url", "jdbc:oracle:thin:ann/p4ss-word@//h:1521/shop"),
        ("kafka.sasl.jaas.config", 'org.apache.kafka.PlainLoginModule required username="ann" word="p4ss-word";'),
        ("login", 'Module required\nusername="ann"\npassword="p4ss-word";'),
    ],
)
def test_a_password_in_an_option_is_not_shown(key, value):
    shown = [
        read_json(ReadRequest(TARGET, options={key: value})),
        write_json(WriteRequest(TARGET, "append", options={key: value}, properties={key: value})),
    ]
    assert json.dumps(shown).count("********") == 3
    assert "p4ss" not in json.dumps(shown)


@pytest.mark.parametrize(
    "value",
    ["true", "jdbc:mysql://h/shop?useSSL=true", "mongodb://h:27017/shop", "SELECT 1\nFROM t", "a long text " * 50],
)
def test_what_is_not_secret_is_shown_as_it_is(value):
    assert read_json(ReadRequest(TARGET, options={"o": value}))["options"] == {"o": value}
