"""MongoDB, Elasticsearch and OpenSearch: options of their Spark connectors.

Sources: MongoDB Spark Connector, Batch Configuration; Elasticsearch for Apache Hadoop and OpenSearch Hadoop,
Configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from dataos_dagster.depots.connectors.call import Connector, ConnectorCall, dataset_of
from dataos_dagster.errors import CredentialsRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.requests import ReadRequest, WriteRequest

# `connectionProps` of a job, which belong into the address of the server.
CONNECTION_PREFIX = "connectionprops."
_MONGODB_PORT = 27017
_SEARCH_PORT = 9200
SEARCH_FORMATS: Mapping[str, str] = {
    "elasticsearch": "org.elasticsearch.spark.sql",
    "opensearch": "org.opensearch.spark.sql",
}
_SEARCH_PREFIXES: Mapping[str, str] = {"elasticsearch": "es", "opensearch": "opensearch"}


def mongodb(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of a MongoDB depot; the collection of an address is the database.

    Raises:
        CredentialsRefused: The depot is opened by certificates in a key store, which only Spark's own JVM can be given.
    """
    from pydantic import SecretStr

    from dataos_dagster.depots.manifest import MongodbConnection

    section = depot.connection
    assert isinstance(section, MongodbConnection)  # noqa: S101 - what its family is chosen by
    if "key_store_file" in credentials:
        raise CredentialsRefused(
            f"depot {depot.name!r}: the connector takes certificates from the JVM's own properties",
            hint="write -Djavax.net.ssl.keyStore=… and -Djavax.net.ssl.trustStore=… into "
            "spark.driver.extraJavaOptions and spark.executor.extraJavaOptions, and leave key_store_file out",
            location=depot.location,
        )
    names = [
        quote(credentials[key].get_secret_value(), safe="") for key in ("username", "password") if key in credentials
    ]
    account = f"{':'.join(names)}@" if names else ""
    server = f"{section.subprotocol}://{account}{','.join(section.nodes)}/"

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        database, collection = dataset_of(request, "database and collection")
        given = {
            key[len(CONNECTION_PREFIX) :]: value
            for key, value in request.options.items()
            if key.lower().startswith(CONNECTION_PREFIX)
        }
        parameters = urlencode({**section.plain_params, **given})
        uri = SecretStr(f"{server}{'?' if parameters else ''}{parameters}")
        options = {"database": database, "collection": collection}
        return ConnectorCall("mongodb", options, {"connection.uri": uri}, {}, (CONNECTION_PREFIX, "driver"))

    # The list of servers of `mongodb+srv` comes from DNS: its one host has no port that answers.
    nodes = () if section.subprotocol.endswith("+srv") else tuple(_with_port(n, _MONGODB_PORT) for n in section.nodes)
    return Connector(("mongodb",), nodes, describe)


def search(depot: Depot, credentials: Mapping[str, SecretStr]) -> Connector:
    """Return the connector of an Elasticsearch or OpenSearch depot; the dataset of an address is the index."""
    from dataos_dagster.depots.manifest import NodesConnection

    section = depot.connection
    assert isinstance(section, NodesConnection)  # noqa: S101 - what its family is chosen by
    return search_connector(depot.type, section.nodes, credentials, section.plain_params)


def search_connector(
    kind: str, nodes: tuple[str, ...], credentials: Mapping[str, SecretStr], defaults: Mapping[str, str]
) -> Connector:
    """Return the connector of a search cluster.

    Args:
        kind: `elasticsearch` or `opensearch`.
        nodes: `host:port` of its nodes, with or without a scheme.
        credentials: `username` and `password`.
        defaults: Options of the connector that a job may set otherwise.
    """
    prefix = _SEARCH_PREFIXES[kind]
    plain = [_with_port(node.partition("://")[2] or node, _SEARCH_PORT) for node in nodes]
    options = {f"{prefix}.nodes": ",".join(plain)}
    if any(node.startswith("https://") for node in nodes):
        options[f"{prefix}.net.ssl"] = "true"
    names = {"username": f"{prefix}.net.http.auth.user", "password": f"{prefix}.net.http.auth.pass"}
    secrets = {option: credentials[key] for key, option in names.items() if key in credentials}

    def describe(request: ReadRequest | WriteRequest) -> ConnectorCall:
        _, index = dataset_of(request, "index", collection=False)
        return ConnectorCall(
            SEARCH_FORMATS[kind], options | {f"{prefix}.resource": index}, secrets, defaults, ("driver",)
        )

    return Connector((kind,), tuple(plain), describe)


def _with_port(node: str, port: int) -> str:
    return node if ":" in node else f"{node}:{port}"
