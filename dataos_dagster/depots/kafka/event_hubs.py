"""Event Hubs through the Kafka endpoint that every namespace has.

Source: Azure Event Hubs, Apache Kafka developer guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dataos_dagster.depots.kafka.access import KafkaAccess
from dataos_dagster.errors import CredentialsRefused, DepotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot

_PORT = 9093
_KEY_NAME, _KEY = "eh_shared_access_key_name", "eh_shared_access_key"
_OFFSETS = {"-1": "earliest", "@latest": "latest"}


def event_hubs_access(depot: Depot, credentials: Mapping[str, SecretStr]) -> KafkaAccess:
    """Return how the topics of a namespace are reached as those of a Kafka cluster.

    Args:
        depot: With the address of the namespace, `sb://<namespace>.servicebus.windows.net/`.
        credentials: `eh_shared_access_key_name` and `eh_shared_access_key`.

    Raises:
        CredentialsRefused: One of them is missing.
        DepotError: The address names no host.
    """
    from pydantic import SecretStr

    from dataos_dagster.depots.manifest import EventHubConnection

    section = depot.connection
    assert isinstance(section, EventHubConnection)  # noqa: S101 - the depot's type says so
    if missing := [name for name in (_KEY_NAME, _KEY) if name not in credentials]:
        raise CredentialsRefused(
            f"depot {depot.name!r}: its secret has no {missing[0]!r}",
            hint="add the name of a shared access key and the key to the depot's secret",
            location=depot.location,
        )
    host = urlsplit(section.endpoint if "://" in section.endpoint else f"sb://{section.endpoint}").hostname
    if not host:
        raise DepotError(
            "the endpoint of Event Hubs is no address", hint="write sb://<namespace>.servicebus.windows.net/"
        )
    password = SecretStr(
        f"Endpoint=sb://{host}/;SharedAccessKeyName={credentials[_KEY_NAME].get_secret_value()};"
        f"SharedAccessKey={credentials[_KEY].get_secret_value()}"
    )
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="$ConnectionString" password="{password.get_secret_value()}";'
    )
    return KafkaAccess(
        f"{host}:{_PORT}",
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
