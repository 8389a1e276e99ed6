"""Spark's connectors by short name: the one place where their Maven coordinates stand.

Each release is one that exists for Spark 4.1.1 and Scala 2.13 and was loaded by it; those of Apache Spark itself carry
its version. Other releases are given as whole coordinates.
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
    """

    coordinate: str
    purpose: str


CONNECTORS: dict[str, Connector] = {
    "iceberg": Connector(
        "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0", "lakehouses: tables in Iceberg's format"
    ),
    "iceberg-aws": Connector("org.apache.iceberg:iceberg-aws-bundle:1.11.0", "lakehouses in S3"),
    "delta": Connector("io.delta:delta-spark_2.13:4.1.0", "tables in Delta's format"),
    "kafka": Connector("org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1", "Kafka, in batches and as streams"),
    "avro": Connector("org.apache.spark:spark-avro_2.13:4.1.1", "files in Avro"),
    "postgresql": Connector("org.postgresql:postgresql:42.7.8", "PostgreSQL"),
}
# Other words that people write for them.
_SYNONYMS = {"postgres": "postgresql", "s3": "iceberg-aws"}
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
