"""What an input or output names: an address, a path, or a connection that the job spells out itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from dataos_dagster.address import Address
from dataos_dagster.depots import manifest as depots
from dataos_dagster.depots.jdbc_url import without_credentials
from dataos_dagster.depots.requests import JdbcConnection, SpelledSource, Target
from dataos_dagster.errors import StepError
from dataos_dagster.flare.manifest import standalone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.errors import Location
    from dataos_dagster.flare.manifest import FlareInput, FlareOutput
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

_HADOOP = "spark.hadoop."
_REDSHIFT_PORT = 5439
_REDSHIFT_SCHEMA = "public"


def standalone_path(path: str, settings: Settings) -> str:
    """Return a local path below the project's `flare.data_root`, when there is one and the path is absolute."""
    root = settings.flare.data_root
    if root is None or not path.startswith("/"):
        return path
    return str(settings.project / root / path.lstrip("/"))


def input_target(entry: FlareInput, settings: Settings, label: str, location: Location) -> Target:
    """Return what an input names.

    Raises:
        StepError: It names nothing to read.
    """
    found = _target(entry, entry.input_type, settings)
    if found is None:
        raise _nothing(f"{label} names nothing to read", entry.input_type or "inputType", "", label, location)
    return found


def output_target(entry: FlareOutput, settings: Settings, label: str, location: Location) -> Target:
    """Return what an output names.

    Raises:
        StepError: It names no place to write to.
    """
    found = _target(entry, entry.output_type, settings)
    if found is None:
        message = f"{label} names no place to write to"
        raise _nothing(message, entry.output_type or "outputType", "?acl=rw", label, location)
    return found


def with_storage(target: Target, job: Job) -> Target:
    """Return a target with what the job's `sparkConf` says of object stores, where it is a path.

    It is where jobs without a depot have their keys.
    """
    from pydantic import SecretStr

    if target.path is None and target.warehouse is None:
        return target
    given: Mapping[str, str] = getattr(job.spec.stack_spec, "spark_conf", {})
    storage = {
        key.removeprefix(_HADOOP): SecretStr(value)
        for key, value in given.items()
        if key.startswith((f"{_HADOOP}fs.", f"{_HADOOP}google."))
    }
    return replace(target, storage=storage) if storage else target


def implied_format(kind: str | None) -> str | None:
    """Return the format that a standalone type implies; None where the section says it."""
    return "jdbc" if kind == "jdbc" else None


def _nothing(message: str, section: str, suffix: str, label: str, location: Location) -> StepError:
    hint = f"write `dataset: dataos://depot:collection/dataset{suffix}`, or complete the section `{section}`"
    return StepError(message, step=label, location=location, hint=hint)


def _target(entry: FlareInput | FlareOutput, kind: str | None, settings: Settings) -> Target | None:
    if entry.dataset:
        address = entry.address
        return Target(address=address) if address else Target(path=standalone_path(entry.dataset, settings))
    section = entry.connection
    if isinstance(section, standalone.FileConnection):
        return _file(section, settings)
    if isinstance(section, standalone.JdbcConnection):
        return _jdbc(section)
    source = _source(kind or "", section)
    return Target(source=source) if source else None


def _file(section: standalone.FileConnection, settings: Settings) -> Target | None:
    if section.warehouse_path and section.table_name:
        warehouse = standalone_path(section.warehouse_path, settings)
        return Target(warehouse=warehouse, namespace=section.schema_name or "default", table=section.table_name)
    return Target(path=standalone_path(section.path, settings)) if section.path else None


def _jdbc(section: standalone.JdbcConnection) -> Target | None:
    if section.table is None and section.query is None:
        return None
    url = section.url.get_secret_value()
    return Target(jdbc=JdbcConnection(url, section.table or "", section.username, section.password, section.driver))


def _source(kind: str, section: standalone.Connection | None) -> SpelledSource | None:
    """Return a source that is spelled out, in the words that a depot has for it; None when it names no dataset."""
    found: SpelledSource | None
    match section:
        case standalone.BigQueryConnection(table=str(table)):
            connection = depots.BigQueryConnection(project=section.project_id)
            found = SpelledSource(kind, connection, {}, Address(kind, section.dataset, (table,)))
        case standalone.SnowflakeConnection(table=str(table)):
            found = _snowflake(kind, section, table)
        case standalone.RedshiftConnection(jdbc_url=url, db_table=str(table)) if url is not None:
            found = _redshift(kind, section, url, table)
        case standalone.KafkaConnection(topic=str(topic)) if section.brokers:
            brokers = depots.KafkaConnection(brokers=section.brokers, schema_registry_url=section.schema_registry_url)
            found = SpelledSource(kind, brokers, {}, Address(kind, "default", (topic,)))
        case standalone.PulsarConnection(service_url=str(url), topic=str(topic)):
            service = depots.PulsarConnection(
                service_url=url, admin_url=section.admin_url, tenant=section.tenant or "public"
            )
            found = SpelledSource(kind, service, {}, Address(kind, section.namespace or "default", (topic,)))
        case standalone.EventHubConnection(endpoint=str(endpoint), eventhub_name=str(hub)):
            keys = _known(eh_shared_access_key_name=section.sas_key_name, eh_shared_access_key=section.sas_key)
            found = SpelledSource(
                kind, depots.EventHubConnection(endpoint=endpoint), keys, Address(kind, "default", (hub,))
            )
        case standalone.ElasticsearchConnection(index=str(index)) if section.nodes:
            login = _known(username=section.username, password=section.password)
            nodes = depots.NodesConnection(nodes=section.nodes)
            found = SpelledSource(kind, nodes, login, Address(kind, "default", (index,)))
        case _:
            found = None
    return found


def _snowflake(kind: str, section: standalone.SnowflakeConnection, table: str) -> SpelledSource:
    connection = depots.SnowflakeConnection(
        url=section.url,
        account=section.account,
        database=section.database,
        schema_name=section.schema_name,
        warehouse=section.warehouse,
        role=section.role,
    )
    login = _known(username=section.user, password=section.password, token=section.token, key=section.pem_private_key)
    return SpelledSource(kind, connection, login, Address(kind, section.schema_name, (table,)))


def _redshift(kind: str, section: standalone.RedshiftConnection, hidden: SecretStr, table: str) -> SpelledSource:
    from pydantic import SecretStr

    parted = without_credentials(hidden.get_secret_value())
    place, _, parameters = parted.url.removeprefix("jdbc:").replace(";", "?", 1).partition("?")
    url, staging = urlsplit(place), urlsplit(section.temp_dir or "")
    # The driver parts parameters by either sign.
    given = dict(parse_qsl(parameters.replace(";", "&"), keep_blank_values=True))
    connection = depots.RedshiftConnection(
        host=url.hostname or "localhost",
        port=url.port or _REDSHIFT_PORT,
        database=url.path.strip("/") or None,
        bucket=staging.netloc or None,
        relative_path=staging.path.strip("/") or None,
        params={**given, **{key: SecretStr(value) for key, value in parted.secrets.items()}},
    )
    login = _known(username=section.username or parted.username, password=section.password or parted.password)
    schema, _, name = table.rpartition(".")
    return SpelledSource(kind, connection, login, Address(kind, schema or _REDSHIFT_SCHEMA, (name,)))


def _known(**values: str | SecretStr | None) -> dict[str, SecretStr]:
    from pydantic import SecretStr

    return {key: SecretStr(value) if isinstance(value, str) else value for key, value in values.items() if value}
