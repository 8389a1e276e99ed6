"""Spark's connectors: resolved once into the cache that every session looks in, so that tests need no network."""

from __future__ import annotations

from dataos_dagster.engines.connectors import CONNECTORS, installed, resolve

from .cache import installing
from .java import missing as java_missing

COORDINATES = tuple(CONNECTORS[name] for name in ("iceberg", "iceberg-aws", "avro", "postgresql"))


def missing() -> str | None:
    """Return why sessions with connectors would have to download first, or None."""
    if reason := java_missing():
        return reason
    return None if installed(COORDINATES) else f"not downloaded: {', '.join(COORDINATES)}"


def install() -> None:
    """Resolve the connectors as a session does."""
    with installing("spark_jars", f"resolving {len(COORDINATES)} connectors with Ivy (100 MB)"):
        resolve(COORDINATES)
