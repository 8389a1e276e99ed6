"""Reads and writes of a plan as plain values: what is asked of a depot, with nothing secret in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.masking import MASK, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest


def read_json(request: ReadRequest) -> dict[str, Any]:
    """Return format and options of a read; `schema` and `stream` only where there is one."""
    found: dict[str, Any] = {"format": request.format, "options": _masked(request.options)}
    if request.schema is not None:
        found["schema"] = request.schema.language
    return found | ({"stream": True} if request.stream else {})


def write_json(request: WriteRequest) -> dict[str, Any]:
    """Return format and options of a write, and of the rest what the manifest says."""
    found: dict[str, Any] = {"format": request.format, "options": _masked(request.options)}
    said = {
        "compression": request.compression,
        "branch": request.branch,
        "partition_by": list(request.partition_by),
        "partition_spec": [_without_empty(asdict(field)) for field in request.partition_spec],
        "sort": _without_empty(asdict(request.sort)) if request.sort else None,
        "properties": _masked(request.properties),
    }
    return found | _without_empty(said)


def _masked(options: Mapping[str, str]) -> dict[str, str]:
    return {key: MASK if sounds_secret(key) else value for key, value in sorted(options.items())}


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {})}
