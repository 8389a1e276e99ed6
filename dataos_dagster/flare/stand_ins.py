"""Depots that stand in for those that a project names and does not have, so that its jobs can be planned.

Manifests are checked and reviewed where their depots are not: in a pipeline, on a laptop. A stand-in is of the kind
that the jobs' formats speak of, stands on this machine, and is never opened: nothing listens there.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dataos_dagster.depots.catalog import DepotCatalog, canonical_name, depots_of
from dataos_dagster.depots.depot import ICEBERG, Depot
from dataos_dagster.depots.manifest import ConnectionSecret, connections
from dataos_dagster.depots.manifest.credentials import CREDENTIAL_KEYS
from dataos_dagster.flare.plan import flare_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dataos_dagster.address import Address
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph
    from dataos_dagster.workflows.jobs import Job

FOLDER = "stand-ins"
_SERVER = {"host": "localhost", "database": "standin"}
_CONNECTIONS: Mapping[str, tuple[type[connections.Connection], Mapping[str, object]]] = {
    "postgresql": (connections.PostgresqlConnection, _SERVER),
    "mysql": (connections.MysqlConnection, _SERVER),
    "sqlserver": (connections.SqlServerConnection, _SERVER),
    "oracle": (connections.OracleConnection, {"host": "localhost", "service": "standin"}),
    "redshift": (connections.RedshiftConnection, {**_SERVER, "bucket": "standin"}),
    "snowflake": (
        connections.SnowflakeConnection,
        {"url": "localhost", "account": "standin", "database": "standin", "warehouse": "standin"},
    ),
    "bigquery": (connections.BigQueryConnection, {"project": "standin"}),
    "mongodb": (connections.MongodbConnection, {"nodes": ["localhost:27017"]}),
    "elasticsearch": (connections.NodesConnection, {"nodes": ["localhost:9200"]}),
    "opensearch": (connections.NodesConnection, {"nodes": ["localhost:9200"]}),
    "kafka": (connections.KafkaConnection, {"brokers": ["localhost:9092"]}),
    "pulsar": (connections.PulsarConnection, {"serviceUrl": "pulsar://localhost:6650"}),
    "eventhub": (connections.EventHubConnection, {"endpoint": "sb://localhost.servicebus.windows.net/"}),
}
# Masked wherever it would be shown, as every secret is: a word that nothing else holds.
_VALUE = "no-such-credential"
# A key file of Google Cloud, which is JSON in Base64.
_KEY_FILE = b64encode(b'{"type": "service_account", "project_id": "standin"}').decode()

# Word of `format:` to the type of the depot that has such data; every other word is one of files.
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("db", "jdbc", "jdbcquery", "postgres", "postgresql"), "postgresql"),
    **dict.fromkeys(("mssql", "sqlserver"), "sqlserver"),
    **dict.fromkeys(("kafka", "kafkajson", "kafkaavro"), "kafka"),
    **dict.fromkeys(("pulsar", "pulsaravro"), "pulsar"),
    **dict.fromkeys(("mongodb", "mongo"), "mongodb"),
    **{word: word for word in ("mysql", "oracle", "bigquery", "snowflake", "redshift", "elasticsearch", "opensearch")},
    "eventhub": "eventhub",
}


def catalog_with_stand_ins(
    project: Project, graph: JobGraph, settings: Settings
) -> tuple[DepotCatalog, tuple[str, ...]]:
    """Return the depots of a project and a stand-in for each other one that its jobs name, and the names of those."""
    from dataos_dagster.secrets.store import secret_store

    known = depots_of(project, settings)
    names = {depot.name for depot in known}
    wanted: dict[str, dict[str | None, None]] = {}
    for node in graph.nodes.values():
        for address, word in _named(node.job):
            name = canonical_name(address.depot)
            if name not in names:
                wanted.setdefault(name, {})[word] = None
    stand_ins = [_stand_in(name, words, settings) for name, words in wanted.items()]
    return DepotCatalog((*known, *stand_ins), secret_store(project, settings), settings), tuple(wanted)


def _named(job: Job) -> Iterator[tuple[Address, str | None]]:
    """Yield the datasets that a Flare job names, with the format that is given for each."""
    from dataos_dagster.flare.stack import FLARE

    if job.stack != FLARE.name:
        return
    spec = flare_spec(job).job
    named = [(entry.address, entry.format) for entry in spec.inputs]
    named += [(entry.address, entry.format) for entry in spec.outputs]
    for address, word in named:
        if address is not None:
            yield address, word
    for address in FLARE.reads(job):
        yield address, None


def _stand_in(name: str, words: Iterable[str | None], settings: Settings) -> Depot:
    """Return a depot that has data in the formats that jobs ask of it."""
    formats = {word for word in words if word}
    kind = next((_TYPES[word] for word in formats if word in _TYPES), "file")
    folder = settings.state_folder / FOLDER / name
    return Depot(
        name,
        kind,
        _connection(kind, folder),
        settings.project,
        format=ICEBERG if kind == "file" and formats <= {ICEBERG} else None,
        inline_secrets=_credentials(kind),
        description="a stand-in: no manifest declares it",
    )


def _connection(kind: str, folder: Path) -> connections.Connection:
    if kind == "file":
        return connections.FileConnection(path=str(folder))
    model, values = _CONNECTIONS[kind]
    return model.model_validate(values)


def _credentials(kind: str) -> tuple[ConnectionSecret, ...]:
    """Return credentials of the keys that a source of this type needs; none of them opens anything."""
    required = CREDENTIAL_KEYS[kind].required
    if not required:
        return ()
    data = {key: SecretStr(_KEY_FILE if "json" in key else _VALUE) for key in required[0]}
    return (ConnectionSecret(acl="rw", type="key-value-properties", data=data),)
