"""Spark's connectors by short name: the one place where their Maven coordinates stand.

Those of Apache Spark itself carry its version. `tried` ones were fetched, and their classes loaded beside those of
Spark 4.1.1; the others are releases of their makers that could not be had here. Other releases are given as whole
coordinates.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from dataos_dagster.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector of Spark.

    Attributes:
        coordinate: `group:artifact:version`, as Maven names it.
        purpose: What jobs can do with it.
        tried: It was fetched, and loaded beside Spark 4.1.1; whether its server likes it is another matter.
    """

    coordinate: str
    purpose: str
    tried: bool = True


CONNECTORS: dict[str, Connector] = {
    "iceberg": Connector(
        "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0", "lakehouses: tables in Iceberg's format"
    ),
    "iceberg-aws": Connector("org.apache.iceberg:iceberg-aws-bundle:1.11.0", "lakehouses in S3"),
    "delta": Connector("io.delta:delta-spark_2.13:4.1.0", "tables in Delta's format"),
    "kafka": Connector("org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1", "Kafka, in batches and as streams"),
    "avro": Connector("org.apache.spark:spark-avro_2.13:4.1.1", "files in Avro"),
    "postgresql": Connector("org.postgresql:postgresql:42.7.8", "PostgreSQL"),
    "mysql": Connector("com.mysql:mysql-connector-j:8.4.0", "MySQL and MariaDB"),
    "sqlserver": Connector("com.microsoft.sqlserver:mssql-jdbc:12.8.1.jre11", "Microsoft SQL Server"),
    "oracle": Connector("com.oracle.database.jdbc:ojdbc11:23.5.0.24.07", "Oracle"),
    "databricks": Connector("com.databricks:databricks-jdbc:2.6.40", "Databricks SQL"),
    "trino": Connector("io.trino:trino-jdbc:476", "queries on Trino"),
    "snowflake": Connector("net.snowflake:spark-snowflake_2.13:3.1.4", "Snowflake", tried=False),
    "bigquery": Connector(
        "com.google.cloud.spark:spark-bigquery-with-dependencies_2.13:0.44.2", "BigQuery", tried=False
    ),
    "redshift": Connector(
        "io.github.spark-redshift-community:spark-redshift_2.13:6.3.0-spark_3.5", "Redshift, staged on S3", tried=False
    ),
    "redshift-jdbc": Connector("com.amazon.redshift:redshift-jdbc42:2.1.0.30", "Redshift's own driver"),
    "mongodb": Connector("org.mongodb.spark:mongo-spark-connector_2.13:10.5.0", "MongoDB"),
    "elasticsearch": Connector("org.elasticsearch:elasticsearch-spark-30_2.13:9.3.2", "Elasticsearch"),
    "opensearch": Connector("org.opensearch.client:opensearch-spark-30_2.13:1.2.0", "OpenSearch"),
    "pulsar": Connector("io.streamnative.connectors:pulsar-spark-connector_2.13:3.4.0.3", "Pulsar", tried=False),
    "hadoop-aws": Connector("org.apache.hadoop:hadoop-aws:3.4.2", "files in S3"),
    "abfss": Connector("org.apache.hadoop:hadoop-azure:3.4.2", "files in Azure storage (abfss, wasbs)"),
    "gcs": Connector("com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26", "files in Google Cloud Storage"),
}
# Other words that people write for them.
_SYNONYMS = {"postgres": "postgresql", "s3": "iceberg-aws", "wasbs": "abfss", "azure": "abfss"}
_COORDINATE = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+")


def coordinate_of(name: str) -> str:
    """Return the Maven coordinate behind a short name, or the coordinate itself.

    Raises:
        EngineUnavailable: It is neither.
    """
    if connector := CONNECTORS.get(_SYNONYMS.get(name, name)):
        return connector.coordinate
    if _COORDINATE.fullmatch(name):
        return name
    close = difflib.get_close_matches(name, [*CONNECTORS, *_SYNONYMS], n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise EngineUnavailable(
        f"{name!r} is no connector", hint=f"{meant}known are {', '.join(CONNECTORS)}; others as group:artifact:version"
    )
