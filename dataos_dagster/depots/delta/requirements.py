"""What a session needs to read or write Delta tables, and what Sail does not do the way Spark does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from dataos_dagster.depots import object_stores
from dataos_dagster.depots.copied_options import COPIED_TO_TABLES
from dataos_dagster.depots.requests import ReadRequest, Requirements
from dataos_dagster.depots.requirements import join, veto
from dataos_dagster.engines.coordinates import coordinate_of

if TYPE_CHECKING:
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place

DELTA = coordinate_of("delta")
# Tables are opened by their folder and through frames only, which needs neither Delta's SQL nor its catalog; without
# this Spark refuses every write until it was started with both.
_CONF = {"spark.databricks.delta.requiredSparkConfsCheck.enabled": "false"}
# Without Delta's SQL `replaceWhere` can replace whole partitions only, and says so of other conditions.
_BY_PARTITION = {"spark.databricks.delta.replaceWhere.dataColumns.enabled": "false"}
_READ_OPTIONS = frozenset({"versionasof", "timestampasof"})
# Sail 0.7.2 takes replaceWhere, and writes rows to which it does not apply besides, which Delta's own writer refuses.
_WRITE_OPTIONS = frozenset({"overwriteschema", "mergeschema", "usermetadata"})


def requirements(place: Place, request: ReadRequest | WriteRequest) -> Requirements:
    """Return what a session needs to serve a request."""
    reasons, notes = list(_obstacles(place, request)), []
    if not isinstance(request, ReadRequest) and request.sort is not None:
        notes.append(f"{request.target}: Sail does not keep the order of rows inside the files")
    own = Requirements(conf={"spark": _CONF | _BY_PARTITION, "connect": _CONF}, packages=(DELTA,), notes=tuple(notes))
    return join([object_stores.requirements(place), own, veto("sail", *reasons)])


def _obstacles(place: Place, request: ReadRequest | WriteRequest) -> list[str]:
    reads = isinstance(request, ReadRequest)
    known = (_READ_OPTIONS if reads else _WRITE_OPTIONS) | COPIED_TO_TABLES
    reasons = [
        f"Sail does not follow the Delta {'read' if reads else 'write'} option {key} ({request.target})"
        for key in sorted(request.options)
        if key.lower() not in known
    ]
    if quote(place.path) != place.path:
        # Sail 0.7.2 writes the percent-encoded form of a Delta table's path to the disk.
        reasons.append(f"Sail cannot open Delta tables in {place}: only letters, digits and -._~/ in the path are safe")
    if not isinstance(request, ReadRequest) and request.compression:
        reasons.append(f"Sail chooses the codec of Delta tables itself ({request.target})")
    if not isinstance(request, ReadRequest) and request.dynamic_overwrite:
        reasons.append(f"Sail does not overwrite single partitions of Delta tables ({request.target})")
    return reasons
