"""Spark's connectors: resolved once into the Ivy cache that every session looks in, so that tests need no network."""

from __future__ import annotations

import os
from pathlib import Path

from .cache import installing
from .java import missing as java_missing
from .packages import run

COORDINATES = (
    "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0",
    "org.apache.iceberg:iceberg-aws-bundle:1.11.0",
    "org.apache.spark:spark-avro_2.13:4.1.1",
    "org.postgresql:postgresql:42.7.8",
)


def missing() -> str | None:
    """Return why sessions with connectors would have to download first, or None."""
    if reason := java_missing():
        return reason
    absent = [coordinate for coordinate in COORDINATES if not _jar(coordinate).exists()]
    return f"not downloaded: {', '.join(absent)}" if absent else None


def install() -> None:
    """Let Spark itself resolve the connectors: the result is exactly what its sessions look for."""
    import pyspark

    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    with installing("spark_jars", f"resolving {len(COORDINATES)} connectors with Spark's Ivy (100 MB)"):
        # The Scala runner that comes with Spark prints its version and ends: spark-submit has resolved by then.
        run(
            str(submit),
            *("--master", "local[1]", "--packages", ",".join(COORDINATES)),
            *("--class", "scala.tools.nsc.MainGenericRunner", "spark-internal", "-version"),
        )


def _jar(coordinate: str) -> Path:
    group, artifact, version = coordinate.split(":")
    home = Path(os.environ.get("SPARK_IVY_HOME") or Path.home() / ".ivy2.5.2")
    return home / "jars" / f"{group}_{artifact}-{version}.jar"
