"""Pulsar through its Spark connector, and Event Hubs through the Kafka endpoint that every namespace has.

Sources: Pulsar Spark Connector, Configurations; Azure Event Hubs, Apache Kafka developer guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dataos_dagster.depots.connectors.call import Connector, ConnectorCall, dataset_of
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.kafka.access import KafkaAccess
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

_EVENT_HUBS_PORT = 9093
_TOKEN_PLUGIN = "org.apache.pulsar.client.impl.auth.AuthenticationToken"  # noqa: S105 - the name of a class
_OFFSETS = {"-1": "earliest", "@latest": "latest"}


def pulsar(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a Pulsar depot; the collection of an address is the namespace."""
    from pydantic import SecretStr

    from dataos_dagster.depots.manifest import PulsarConnection

    section = depot.connection
    assert isinstance(section, PulsarConnection)  # noqa: S101 - what its family is chosen by
    options = {"service.url": section.service_url} | ({"admin.url": section.admin_url} if section.admin_url else {})
    secrets: dict[str, SecretStr] = {}
    if token := credentials.get("token"):
        options["pulsar.client.authPluginClassName"] = _TOKEN_PLUGIN
        secrets["pulsar.client.authParams"] = SecretStr(f"token:{token.get_secret_value()}")

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        namespace, topic = dataset_of(request, "namespace and topic")
        place = {"topic": f"persistent://{section.tenant}/{namespace}/{topic}"}
        return ConnectorCall("pulsar", options | place, secrets, {"startingOffsets": "earliest"}, ("driver",))

    url = urlsplit(section.service_url)
    return Connector(("pulsar",), (f"{url.hostname}:{url.port or 6650}",) if url.hostname else (), describe)


def event_hubs(endpoint: str, key_name: SecretStr, key: SecretStr) -> KafkaAccess:
    """Return how the topics of an Event Hubs namespace are reached as those of a Kafka cluster.

    Args:
        endpoint: `sb://<namespace>.servicebus.windows.net/`.
        key_name: Name of the shared access key.
        key: The key itself.
    """
    from pydantic import SecretStr

    from dataos_dagster.depots.kafka.access import KafkaAccess

    host = urlsplit(endpoint if "://" in endpoint else f"sb://{endpoint}").hostname
    if not host:
        raise DepotError(
            "the endpoint of Event Hubs is no address", hint="write sb://<namespace>.servicebus.windows.net/"
        )
    password = SecretStr(
        f"Endpoint=sb://{host}/;SharedAccessKeyName={key_name.get_secret_value()};"
        f"SharedAccessKey={key.get_secret_value()}"
    )
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="$ConnectionString" password="{password.get_secret_value()}";'
    )
    return KafkaAccess(
        f"{host}:{_EVENT_HUBS_PORT}",
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"},
        {"sasl.jaas.config": SecretStr(login)},
        "$ConnectionString",
        password,
    )


def kafka_options(options: Mapping[str, str]) -> dict[str, str]:
    """Return options of Azure's own connector as those of Spark's Kafka source.

    Raises:
        DepotError: A position is told by sequence number or time, or is no position.
    """
    found: dict[str, str] = {}
    for key, value in options.items():
        match key.lower():
            case "eventhubs.startingposition":
                found["startingOffsets"] = _offset(key, value)
            case "eventhubs.endingposition":
                found["endingOffsets"] = _offset(key, value)
            case "eventhubs.consumergroup":
                found["kafka.group.id"] = value
            case _:
                found[key] = value
    return found


def _offset(key: str, value: str) -> str:
    try:
        offset = json.loads(value).get("offset")
    except (ValueError, AttributeError):
        offset = None
    if offset not in _OFFSETS:
        raise DepotError(
            f"{key} {value!r} has no offset that Event Hubs' Kafka endpoint knows",
            hint='write {"offset": "-1"} for the start or {"offset": "@latest"} for the end; '
            "for others startingOffsets or startingTimestamp, as Spark's Kafka source has them",
        )
    return _OFFSETS[str(offset)]
