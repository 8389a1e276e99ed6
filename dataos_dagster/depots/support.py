"""Which source types can be read and written, and what is planned for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Family = Literal["folders", "postgresql", "kafka", "connector"]

# Source type, or JDBC sub-protocol, to the family of code that serves it.
FAMILIES: Mapping[str, Family] = {
    "file": "folders",
    **dict.fromkeys(("s3", "gcs", "abfss", "wasbs"), "folders"),
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "kafka": "kafka",
    "eventhub": "kafka",
    **dict.fromkeys(("mysql", "sqlserver", "oracle", "redshift", "databricks", "snowflake", "bigquery"), "connector"),
    **dict.fromkeys(("mongodb", "elasticsearch", "opensearch", "pulsar"), "connector"),
}

PLANNED: Mapping[str, str] = {
    "database": "as a PostgreSQL database made for the project; until then declare a postgresql depot of this name",
}


def family_of(source_type: str, subprotocol: str | None = None) -> Family | None:
    """Return the family that serves a source type, or None when none does yet.

    Args:
        source_type: `type` of the depot in lower case.
        subprotocol: Word behind `jdbc:`, for depots of the type `jdbc`.
    """
    if source_type == "jdbc" and subprotocol:
        # Whatever has a JDBC driver is read through it; a job names the driver that we do not know.
        return FAMILIES.get(subprotocol.lower(), "connector")
    return FAMILIES.get(source_type)


def planned(source_type: str) -> str:
    """Return how a source type will be read, for types that no family serves."""
    return PLANNED.get(source_type, "not planned")
