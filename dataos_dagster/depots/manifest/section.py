"""`depot`: one source under a short name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from dataos_dagster.depots.manifest.connections import (
    AzureConnection,
    BigQueryConnection,
    Connection,
    DatabricksConnection,
    EventHubConnection,
    FileConnection,
    GcsConnection,
    JdbcConnection,
    KafkaConnection,
    MongodbConnection,
    MysqlConnection,
    NodesConnection,
    OracleConnection,
    PostgresqlConnection,
    PulsarConnection,
    RedshiftConnection,
    S3Connection,
    SnowflakeConnection,
    SqlServerConnection,
)
from dataos_dagster.manifests.model import AnyCase, ManifestModel, OneOrMany, ScalarText
from dataos_dagster.secrets.manifest import Acl, SecretReference, SecretText

SourceType = Literal[
    "file",
    "s3",
    "abfss",
    "wasbs",
    "gcs",
    "jdbc",
    "postgresql",
    "mysql",
    "sqlserver",
    "oracle",
    "redshift",
    "databricks",
    "snowflake",
    "bigquery",
    "mongodb",
    "elasticsearch",
    "opensearch",
    "kafka",
    "pulsar",
    "eventhub",
]


class ConnectionSecret(ManifestModel):
    """Credentials that stand in the depot itself, as older manifests write them."""

    acl: Annotated[Annotated[Acl, AnyCase()], Field(description="Access level that they grant.")] = "r"
    type: ScalarText = "key-value-properties"
    data: Annotated[Mapping[str, SecretText], Field(description="Key to value.")] = Field(default_factory=dict)
    files: Annotated[Mapping[str, str], Field(description="Key to the path of a file with the value.")] = Field(
        default_factory=dict
    )


class DepotSection(ManifestModel):
    """A source: what it is, how it is reached, and which secrets open it.

    Exactly one connection section is present, named like `type`.
    """

    type: Annotated[Annotated[SourceType, AnyCase()], Field(description="Source type.")]
    description: ScalarText | None = None
    external: Annotated[bool, Field(description="False only for stores that the platform created itself.")] = True
    compute: ScalarText | None = None
    source: Annotated[ScalarText | None, Field(description="Name under which metadata is catalogued.")] = None
    secrets: Annotated[
        tuple[SecretReference, ...],
        OneOrMany(),
        Field(description="Instance Secrets, one for each access level."),
    ] = ()
    connection_secret: Annotated[
        tuple[ConnectionSecret, ...], Field(description="Inline credentials; prefer `secrets`.", repr=False)
    ] = ()
    hive_sync: Annotated[bool | None, Field(description="Accepted, without effect.")] = None
    run_as_user: ScalarText | None = None

    file: FileConnection | None = None
    s3: S3Connection | None = None
    abfss: AzureConnection | None = None
    wasbs: AzureConnection | None = None
    gcs: GcsConnection | None = None
    jdbc: JdbcConnection | None = None
    postgresql: PostgresqlConnection | None = None
    mysql: MysqlConnection | None = None
    sqlserver: SqlServerConnection | None = None
    oracle: OracleConnection | None = None
    redshift: RedshiftConnection | None = None
    databricks: DatabricksConnection | None = None
    snowflake: SnowflakeConnection | None = None
    bigquery: BigQueryConnection | None = None
    mongodb: MongodbConnection | None = None
    elasticsearch: NodesConnection | None = None
    opensearch: NodesConnection | None = None
    kafka: KafkaConnection | None = None
    pulsar: PulsarConnection | None = None
    eventhub: EventHubConnection | None = None

    @property
    def connection(self) -> Connection:
        """Return the connection section of the depot's type."""
        return cast("Connection", getattr(self, self.type))

    @property
    def connection_secrets(self) -> tuple[ConnectionSecret, ...]:
        """Return the inline credentials."""
        return self.connection_secret

    @property
    def format(self) -> str | None:
        """Return the data's format in lower case, such as `iceberg`; None when the connection names none."""
        found: Any = getattr(self.connection, "format", None)
        return found.strip().lower() if found else None
