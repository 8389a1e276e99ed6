"""Depots that stand in for those that a project names and does not have, so that its jobs can be planned.

Manifests are checked and reviewed where their depots are not: in a pipeline, on a laptop. A stand-in is of the kind
that the jobs' formats speak of, stands on this machine, and is never opened: nothing listens there.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from dataos_dagster.depots.catalog import DepotCatalog, canonical_name, depots_of
from dataos_dagster.depots.depot import ICEBERG, Depot
from dataos_dagster.depots.manifest import ConnectionSecret, connections
from dataos_dagster.depots.manifest.credentials import CREDENTIAL_KEYS
from dataos_dagster.errors import SecretError
from dataos_dagster.workflows.stacks import stack_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dataos_dagster.address import Acl
    from dataos_dagster.depots.requests import SpelledSource
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobGraph

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
# A key file of Google Cloud.
_KEY_FILE = json.dumps(
    {
        "type": "service_account",
        "project_id": "standin",
        "client_email": "standin@localhost",
        "private_key_id": _VALUE,
        "private_key": _VALUE,
    }
)

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
# Part of a JDBC driver's class to the type of the depot that it is for.
_DRIVERS: Mapping[str, str] = {
    **{word: word for word in ("postgresql", "mysql", "sqlserver", "oracle", "redshift", "snowflake")},
    "mariadb": "mysql",
    "simba.googlebigquery": "bigquery",
}
# Beginnings of names of depots that say what they are, where nothing else does; the first two are well known.
_NAMES: Mapping[str, str] = {
    "fastbase": "pulsar",
    "systemstreams": "pulsar",
    **{word: word for word in ("snowflake", "bigquery", "redshift", "mysql", "oracle", "kafka", "pulsar", "eventhub")},
    **dict.fromkeys(("postgres", "postgresql"), "postgresql"),
    **dict.fromkeys(("mssql", "sqlserver"), "sqlserver"),
    **dict.fromkeys(("mongo", "mongodb"), "mongodb"),
    **{word: word for word in ("elasticsearch", "opensearch")},
}


class StandInCatalog(DepotCatalog):
    """Depots of a project and stand-ins for others, with credentials for all: nobody is to be let in with them."""

    offline: ClassVar[bool] = True

    def credentials(self, depot: Depot, acl: Acl) -> Mapping[str, SecretStr]:
        """Return the credentials of a depot, and words in their place where they cannot be had."""
        try:
            return super().credentials(depot, acl)
        except SecretError:
            return _credentials(depot.type)

    def spelled_out(self, source: SpelledSource) -> SpelledSource:
        """Return a source that a job spells out, with words in the place of what it leaves open."""
        stand_in = _connection(source.kind, self.settings.state_folder)
        given = source.connection
        left_open = {name: getattr(stand_in, name) for name in stand_in.model_fields_set if not getattr(given, name)}
        credentials = {**_credentials(source.kind), **source.credentials}
        return replace(source, connection=given.model_copy(update=left_open), credentials=credentials)


def catalog_with_stand_ins(
    project: Project, graph: JobGraph, settings: Settings
) -> tuple[StandInCatalog, tuple[str, ...]]:
    """Return the depots of a project and a stand-in for each other one that its jobs name, and the names of those."""
    from dataos_dagster.secrets.store import secret_store

    known = depots_of(project, settings)
    names = {depot.name for depot in known}
    wanted: dict[str, dict[str, None]] = {}
    for node in graph.nodes.values():
        # Also of a job that is left out of runs, or runs as a service: its plan is to be read as well.
        stack = stack_of(node.job)
        for address, format_, driver in stack.named(node.job) if stack is not None else ():
            name = canonical_name(address.depot)
            if name not in names:
                wanted.setdefault(name, {}).update(dict.fromkeys(_words(format_, driver)))
    stand_ins = [_stand_in(name, tuple(words), settings) for name, words in wanted.items()]
    return StandInCatalog((*known, *stand_ins), secret_store(project, settings), settings), tuple(wanted)


def _words(format_: str | None, driver: str | None) -> tuple[str, ...]:
    """Return a driver's database in front of a format, which for every database may be `jdbc`."""
    kinds = [kind for package, kind in _DRIVERS.items() if package in (driver or "").lower()]
    return (*kinds, *([format_] if format_ else []))


def _stand_in(name: str, words: Sequence[str], settings: Settings) -> Depot:
    """Return a depot that has data in the formats that jobs ask of it, or that its name speaks of."""
    kinds = [_TYPES[word] for word in words if word in _TYPES]
    if not words:
        kinds = [kind for beginning, kind in _NAMES.items() if name.startswith(beginning)]
    kind = kinds[0] if kinds else "file"
    folder = settings.state_folder / FOLDER / name
    return Depot(
        name,
        kind,
        _connection(kind, folder),
        settings.project,
        format=ICEBERG if kind == "file" and {*words} <= {ICEBERG} else None,
        inline_secrets=_inline(kind),
        description="a stand-in: no manifest declares it",
    )


def _connection(kind: str, folder: Path) -> connections.Connection:
    if kind == "file":
        return connections.FileConnection(path=str(folder))
    model, values = _CONNECTIONS[kind]
    return model.model_validate(values)


def _inline(kind: str) -> tuple[ConnectionSecret, ...]:
    data = _credentials(kind)
    return (ConnectionSecret(acl="rw", type="key-value-properties", data=data),) if data else ()


def _credentials(kind: str) -> dict[str, SecretStr]:
    """Return credentials of the keys that a source of this type needs; none of them opens anything."""
    keys = CREDENTIAL_KEYS[kind].required if kind in CREDENTIAL_KEYS else ()
    return {key: SecretStr(_KEY_FILE if "json" in key else _VALUE) for key in (keys[0] if keys else ())}
