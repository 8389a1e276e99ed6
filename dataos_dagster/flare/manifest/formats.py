"""Words that may stand behind `format:`; their case does not matter."""

from __future__ import annotations

_TABLES = {"iceberg", "delta", "hudi"}
_FILES = {"csv", "json", "parquet", "orc", "avro", "text", "xml", "xlsx"}
# Words for a database all mean the same: its depot says which one it is.
_DATABASES = {"db", "jdbc", "postgres", "postgresql", "mysql", "mssql", "sqlserver", "oracle", "jdbcquery"}
_STORES = {"bigquery", "snowflake", "redshift", "elasticsearch", "opensearch", "mongodb", "mongo"}
_TOPICS = {"kafka", "kafkajson", "kafkaavro", "pulsar", "pulsaravro", "eventhub"}

FORMATS = frozenset(_TABLES | _FILES | _DATABASES | _STORES | _TOPICS)
