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
from dataos_dagster.depots.manifest.credentials import CREDENTIAL_KEYS, CredentialKeys
from dataos_dagster.depots.manifest.legacy import normalise_depot, normalise_lakehouse
from dataos_dagster.depots.manifest.managed import DatabaseSection, Iceberg, LakehouseSection, LakehouseStorage
from dataos_dagster.depots.manifest.references import (
    check_depot,
    check_lakehouse,
    depot_references,
    lakehouse_references,
)
from dataos_dagster.depots.manifest.section import ConnectionSecret, DepotSection, SourceType
from dataos_dagster.manifests.kinds import KindRules

_FOLDED = frozenset({"allKeys", "consumptionType"})

DEPOT = KindRules(
    DepotSection,
    normalise=normalise_depot,
    check=check_depot,
    references=depot_references,
    folds_keys=_FOLDED,
)
LAKEHOUSE = KindRules(
    LakehouseSection,
    normalise=normalise_lakehouse,
    check=check_lakehouse,
    references=lakehouse_references,
    folds_keys=_FOLDED,
)
DATABASE = KindRules(DatabaseSection)

__all__ = [
    "CREDENTIAL_KEYS",
    "DATABASE",
    "DEPOT",
    "LAKEHOUSE",
    "AzureConnection",
    "BigQueryConnection",
    "Connection",
    "ConnectionSecret",
    "CredentialKeys",
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
