"""Connection section of each source type of a Depot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from dataos_dagster.manifests.masking import sounds_secret
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, option_map
from dataos_dagster.redaction import register

Port = Annotated[int, Field(gt=0, lt=65536)]


def _hide(params: Mapping[str, str | SecretStr]) -> Mapping[str, str | SecretStr]:
    """Return parameters with the values of those that sound secret hidden, and masked from now on."""
    hidden = {
        key: SecretStr(value) if isinstance(value, str) and sounds_secret(key) else value
        for key, value in params.items()
    }
    register(*(value for value in hidden.values() if isinstance(value, SecretStr)))
    return hidden


Params = Annotated[
    Mapping[str, str | SecretStr],
    BeforeValidator(option_map),
    AfterValidator(_hide),
    WithJsonSchema({"type": "object"}),
    Field(description="Parameters of the connection; credentials belong into a secret."),
]


class Connection(ManifestModel):
    """How a source is reached; credentials are elsewhere."""

    @property
    def plain_params(self) -> dict[str, str]:
        """Return the parameters of the connection as texts. May hold secrets: never log it."""
        found: Mapping[str, str | SecretStr] = getattr(self, "params", {})
        return {
            key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in found.items()
        }


class JdbcConnection(Connection):
    """A database with a JDBC driver."""

    subprotocol: Annotated[ScalarText, Field(description="Word behind `jdbc:`, such as postgresql or sqlserver.")]
    host: Annotated[ScalarText, Field(description="Host name.")]
    port: Annotated[Port | None, Field(description="Port; default that of the database.")] = None
    database: Annotated[ScalarText | None, Field(description="Database on the server.")] = None
    params: Params = Field(default_factory=dict)


class PostgresqlConnection(JdbcConnection):
    """PostgreSQL."""

    subprotocol: ScalarText = "postgresql"
    port: Port = 5432


class MysqlConnection(JdbcConnection):
    """MySQL; the collection of an address is the database."""

    subprotocol: ScalarText = "mysql"
    port: Port = 3306


class SqlServerConnection(JdbcConnection):
    """Microsoft SQL Server."""

    subprotocol: ScalarText = "sqlserver"
    port: Port = 1433


class OracleConnection(JdbcConnection):
    """Oracle."""

    subprotocol: ScalarText = "oracle:thin"
    port: Port = 1521
    service: Annotated[ScalarText | None, Field(description="Service name.")] = None


class RedshiftConnection(JdbcConnection):
    """Redshift; jobs stage data in a folder on S3."""

    subprotocol: ScalarText = "redshift"
    port: Port = 5439
    bucket: Annotated[ScalarText | None, Field(description="S3 bucket for staging.")] = None
    relative_path: ScalarText | None = None


class DatabricksConnection(JdbcConnection):
    """Databricks SQL."""

    subprotocol: ScalarText = "databricks"
    port: Port = 443


class SnowflakeConnection(Connection):
    """Snowflake."""

    warehouse: Annotated[ScalarText | None, Field(description="Virtual warehouse.")] = None
    url: Annotated[ScalarText | None, Field(description="Host name of the account.")] = None
    database: ScalarText | None = None
    account: Annotated[ScalarText | None, Field(description="Account identifier.")] = None
    role: Annotated[ScalarText | None, Field(description="Role; default PUBLIC.")] = None
    schema_name: Annotated[ScalarText | None, Field(alias="schema")] = None
    params: Params = Field(default_factory=dict)


class BigQueryConnection(Connection):
    """BigQuery."""

    project: Annotated[ScalarText | None, Field(description="Project; default that of the credentials.")] = None
    params: Params = Field(default_factory=dict)


class ObjectStoreConnection(Connection):
    """What the object stores have in common."""

    relative_path: Annotated[ScalarText, Field(description="Folder below which the depot's data is.")] = "/"
    format: Annotated[ScalarText | None, Field(description="ICEBERG, DELTA, PARQUET, CSV, JSON, ….")] = None
    iceberg_catalog_type: Annotated[
        Annotated[Literal["hadoop", "hive"], AnyCase()] | None, Field(description="Layout of the Iceberg catalog.")
    ] = None
    metastore_type: Annotated[ScalarText | None, Field(description="rest: an Iceberg REST catalog.")] = None
    metastore_url: Annotated[ScalarText | None, Field(description="Address of the catalog.")] = None


class S3Connection(ObjectStoreConnection):
    """S3 and stores that speak its protocol."""

    bucket: Annotated[ScalarText, Field(description="Bucket.")]
    scheme: Annotated[ScalarText | None, Field(description="s3a, s3 or s3n.")] = None
    region: ScalarText | None = None
    endpoint: Annotated[ScalarText | None, Field(description="URL of a store other than AWS.")] = None


class AzureConnection(ObjectStoreConnection):
    """A container of an Azure storage account (ABFSS and WASBS)."""

    account: Annotated[ScalarText, Field(description="Storage account.")]
    container: Annotated[ScalarText, Field(description="Container.")]
    endpoint_suffix: Annotated[ScalarText | None, Field(description="Such as windows.net.")] = None


class GcsConnection(ObjectStoreConnection):
    """Google Cloud Storage."""

    bucket: Annotated[ScalarText, Field(description="Bucket.")]


class FileConnection(Connection):
    """A local folder: an addition to the documented source types, for laptops and tests."""

    path: Annotated[ScalarText, Field(description="Folder, relative to the manifest.")]
    format: Annotated[ScalarText | None, Field(description="ICEBERG makes the folder a lakehouse.")] = None


class NodesConnection(Connection):
    """Elasticsearch and OpenSearch."""

    nodes: Annotated[TextList, Field(min_length=1, description="host:port of each node.")]
    params: Params = Field(default_factory=dict)


class MongodbConnection(NodesConnection):
    """MongoDB."""

    subprotocol: Annotated[ScalarText, Field(description="mongodb, or mongodb+srv with exactly one host.")] = "mongodb"


class KafkaConnection(Connection):
    """Kafka."""

    brokers: Annotated[TextList, Field(min_length=1, description="host:port of each broker.")]
    schema_registry_url: ScalarText | None = None
    params: Params = Field(default_factory=dict)


class PulsarConnection(Connection):
    """Pulsar."""

    service_url: Annotated[ScalarText, Field(description="pulsar:// or pulsar+ssl:// address.")]
    admin_url: ScalarText | None = None
    tenant: ScalarText = "public"


class EventHubConnection(Connection):
    """Azure Event Hubs."""

    endpoint: Annotated[ScalarText, Field(description="sb://….servicebus.windows.net/")]
