"""Which connector serves a depot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.depots.connectors import documents, jdbc, warehouses
from dataos_dagster.depots.connectors.pulsar import pulsar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.connectors.call import Connector
    from dataos_dagster.depots.depot import Depot

_CONNECTORS: Mapping[str, Callable[[Depot, Mapping[str, SecretStr]], Connector]] = {
    "snowflake": warehouses.snowflake,
    "bigquery": warehouses.bigquery,
    "redshift": warehouses.redshift,
    "mongodb": documents.mongodb,
    "elasticsearch": documents.search,
    "opensearch": documents.search,
    "pulsar": pulsar,
}


def connector_of(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector that serves a depot; a database has the driver of its JDBC word.

    Raises:
        DepotError: The depot lacks something that the connector needs.
    """
    return _CONNECTORS.get(depot.type, jdbc.depot_connector)(depot, credentials)
