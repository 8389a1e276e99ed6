"""Topics of Pulsar: options of its Spark connector.

Source: Pulsar Spark Connector, Configurations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dataos_dagster.depots.connectors.call import Connector, ConnectorCall, dataset_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

_TOKEN_PLUGIN = "org.apache.pulsar.client.impl.auth.AuthenticationToken"  # noqa: S105 - the name of a class


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
