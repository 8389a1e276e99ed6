"""What a user writes in a Depot, Lakehouse or Database."""

from __future__ import annotations

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
    ObjectStoreConnection,
    OracleConnection,
    PostgresqlConnection,
    PulsarConnection,
    RedshiftConnection,
    S3Connection,
    SnowflakeConnection,
    SqlServerConnection,
)
from dataos_dagster.depots.manifest.managed import DatabaseSection, Iceberg, LakehouseSection, LakehouseStorage
from dataos_dagster.depots.manifest.section import ConnectionSecret, DepotSection, SourceType
from dataos_dagster.manifests.kinds import KindRules

DEPOT = KindRules(DepotSection, folds_keys=frozenset({"allKeys"}))
LAKEHOUSE = KindRules(LakehouseSection, folds_keys=frozenset({"allKeys"}))
DATABASE = KindRules(DatabaseSection)

__all__ = [
    "DATABASE",
    "DEPOT",
    "LAKEHOUSE",
    "AzureConnection",
    "BigQueryConnection",
    "Connection",
    "ConnectionSecret",
    "DatabaseSection",
    "DatabricksConnection",
    "DepotSection",
    "EventHubConnection",
    "FileConnection",
    "GcsConnection",
    "Iceberg",
    "JdbcConnection",
    "KafkaConnection",
    "LakehouseSection",
    "LakehouseStorage",
    "MongodbConnection",
    "MysqlConnection",
    "NodesConnection",
    "ObjectStoreConnection",
    "OracleConnection",
    "PostgresqlConnection",
    "PulsarConnection",
    "RedshiftConnection",
    "S3Connection",
    "SnowflakeConnection",
    "SourceType",
    "SqlServerConnection",
]
