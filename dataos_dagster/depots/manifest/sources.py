"""Names of source types: what manifests write, and which connection section that means."""

from __future__ import annotations

from typing import Any, get_args

from dataos_dagster.depots.manifest.section import SourceType
from dataos_dagster.manifests.spelling import fold

SOURCE_TYPES: tuple[str, ...] = get_args(SourceType)
JDBC = "jdbc"

# Folded name that manifests use to the source type that it means.
_ALIASES = {
    "postgres": "postgresql",
    "mssql": "sqlserver",
    "mssqlserver": "sqlserver",
    "abfs": "abfss",
    "wasb": "wasbs",
    "gs": "gcs",
    "mongo": "mongodb",
    "elasticesearch": "elasticsearch",
    "elastic": "elasticsearch",
    "eventhubs": "eventhub",
    "databricksjdbc": "databricks",
    "s3a": "s3",
    "localfile": "file",
}
# Beginning of a JDBC sub-protocol to the source type behind it.
_SUBPROTOCOLS = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "sqlserver": "sqlserver",
    "oracle": "oracle",
    "redshift": "redshift",
    "databricks": "databricks",
}


def source_type(word: Any) -> str | None:
    """Return the source type that a word means, in any letter case and under its other names."""
    if not isinstance(word, str):
        return None
    folded = fold(word.strip())
    return folded if folded in SOURCE_TYPES else _ALIASES.get(folded)


def type_of_subprotocol(text: Any) -> str | None:
    """Return the source type behind a JDBC sub-protocol such as `oracle:thin`."""
    if not isinstance(text, str):
        return None
    word = text.strip().lower().removeprefix("jdbc:")
    return next((source for start, source in _SUBPROTOCOLS.items() if word.startswith(start)), None)
