"""Connections that are spelled out in a job: the sections of `inputType` and `outputType`.

One model serves both directions, since they differ in one or two optional fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr

from dataos_dagster.depots.jdbc_url import hide_credentials
from dataos_dagster.manifests.model import JsonText, ManifestModel, ScalarText, TextList, scalar_text

Credential = Annotated[SecretStr, BeforeValidator(scalar_text)]
# The whole URL is kept out of sight: user and password often stand in it.
JdbcUrl = Annotated[SecretStr, BeforeValidator(scalar_text), AfterValidator(hide_credentials)]


class _Connection(ManifestModel):
    # All of these are lifted to the input or output before validation; they are named here for those who write them.
    format: Annotated[str | None, Field(description="Format of the data.")] = None
    options: Annotated[
        Mapping[str, Any], Field(description="Options of the Spark reader or writer; saveMode and iceberg on outputs.")
    ] = Field(default_factory=dict)
    is_stream: Annotated[bool | None, Field(description="Read as a stream.")] = None
    is_batch: Annotated[bool | None, Field(description="Read once; the opposite of isStream.")] = None
    schema_path: str | None = None
    schema_string: JsonText | None = None
    schema_type: str | None = None


class FileConnection(_Connection):
    """A folder or file, or an Iceberg table in a warehouse folder."""

    path: Annotated[str | None, Field(description="Folder or file: local, s3a://, gs://, abfss://.")] = None
    warehouse_path: Annotated[str | None, Field(description="Folder of an Iceberg warehouse.")] = None
    schema_name: Annotated[str | None, Field(description="Namespace of the Iceberg table.")] = None
    table_name: Annotated[str | None, Field(description="Name of the Iceberg table.")] = None


class JdbcConnection(_Connection):
    """A table of a database."""

    url: Annotated[JdbcUrl, Field(description="JDBC URL.")]
    table: ScalarText | None = None
    query: str | None = None
    username: ScalarText | None = None
    password: Credential | None = None
    driver: Annotated[str | None, Field(description="Class of the JDBC driver.")] = None


class BigQueryConnection(_Connection):
    """A table of BigQuery."""

    project_id: ScalarText | None = None
    dataset: ScalarText | None = None
    table: ScalarText | None = None


class SnowflakeConnection(_Connection):
    """A table of Snowflake."""

    url: str | None = None
    database: ScalarText | None = None
    schema_name: Annotated[ScalarText | None, Field(alias="schema")] = None
    table: ScalarText | None = None
    warehouse: Annotated[ScalarText | None, Field(validation_alias=AliasChoices("warehouse", "snowflakeWarehouse"))] = (
        None
    )
    role: ScalarText | None = None
    account: ScalarText | None = None
    user: ScalarText | None = None
    password: Credential | None = None
    token: Credential | None = None
    pem_private_key: Credential | None = None


class RedshiftConnection(_Connection):
    """A table of Redshift, staged through a folder on S3."""

    jdbc_url: JdbcUrl | None = None
    temp_dir: str | None = None
    username: ScalarText | None = None
    password: Credential | None = None
    db_table: ScalarText | None = None


class KafkaConnection(_Connection):
    """A topic of Kafka."""

    brokers: TextList = ()
    topic: ScalarText | None = None
    schema_registry_url: str | None = None


class PulsarConnection(_Connection):
    """A topic of Pulsar."""

    service_url: str | None = None
    admin_url: str | None = None
    tenant: ScalarText | None = None
    namespace: ScalarText | None = None
    topic: ScalarText | None = None


class EventHubConnection(_Connection):
    """An event hub."""

    endpoint: str | None = None
    eventhub_name: ScalarText | None = None
    sas_key_name: ScalarText | None = None
    sas_key: Credential | None = None


class ElasticsearchConnection(_Connection):
    """An index of Elasticsearch or OpenSearch."""

    index: ScalarText | None = None
    nodes: TextList = ()
    username: ScalarText | None = None
    password: Credential | None = None


Connection = (
    FileConnection
    | JdbcConnection
    | BigQueryConnection
    | SnowflakeConnection
    | RedshiftConnection
    | KafkaConnection
    | PulsarConnection
    | EventHubConnection
    | ElasticsearchConnection
)


class Sections(ManifestModel):
    """The section of each standalone type; the one that `inputType` or `outputType` names is used."""

    file: FileConnection | None = None
    jdbc: JdbcConnection | None = None
    bigquery: BigQueryConnection | None = None
    snowflake: SnowflakeConnection | None = None
    redshift: RedshiftConnection | None = None
    kafka: KafkaConnection | None = None
    pulsar: PulsarConnection | None = None
    eventhub: EventHubConnection | None = None
    elasticsearch: ElasticsearchConnection | None = None
    opensearch: ElasticsearchConnection | None = None

    def section(self, kind: str | None) -> Connection | None:
        """Return the section of a type, or None when the manifest has none."""
        found: Connection | None = getattr(self, kind, None) if kind in STANDALONE_TYPES else None
        return found


STANDALONE_TYPES = frozenset(Sections.model_fields)
