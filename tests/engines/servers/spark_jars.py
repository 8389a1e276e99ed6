"""Spark's connectors that tests use: resolved once into the cache in which sessions look, so that no test downloads."""

from __future__ import annotations

from dataos_dagster.engines.availability import require_java
from dataos_dagster.engines.class_archive import archive_of, write_archive
from dataos_dagster.engines.connectors import installed, resolve
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import EngineUnavailable
from dataos_dagster.settings import Settings

from .cache import installing
from .java import missing as java_missing
from .packages import InstallationFailed

COORDINATES = tuple(
    coordinate_of(name)
    for name in ("iceberg", "iceberg-aws", "delta", "avro", "postgresql", "mysql", "kafka", "mongodb")
)


def missing() -> str | None:
    """Return why sessions with connectors would have to download first, or None."""
    if reason := java_missing():
        return reason
    return None if installed(COORDINATES) else f"not downloaded: {', '.join(COORDINATES)}"


def install() -> None:
    """Resolve the connectors as a session would, and keep Spark's classes ready for every JVM of the tests."""
    with installing("spark_jars", f"resolving {len(COORDINATES)} connectors of Spark (120 MB)"):
        try:
            resolve(COORDINATES)
            java = require_java()
            if not archive_of(java).exists():
                write_archive(java, Settings())
        except EngineUnavailable as error:
            raise InstallationFailed(str(error)) from error
