"""Reads and writes of a plan as plain values: what is asked of a depot, with nothing secret in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.jdbc_url import without_credentials
from dataos_dagster.manifests.masking import MASK, mask, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.depots.requests import ReadRequest, WriteRequest


def read_json(request: ReadRequest) -> dict[str, Any]:
    """Return format and options of a read; `schema` and `stream` only where there is one."""
    found: dict[str, Any] = {"format": request.format, "options": _masked(request.options)}
    if request.schema is not None:
        found["schema"] = request.schema.language
    if request.query is not None:
        found["query"] = request.query.sql
    return found | ({"stream": True} if request.stream else {})


def write_json(request: WriteRequest) -> dict[str, Any]:
    """Return format and options of a write, and of the rest what the manifest says."""
    found: dict[str, Any] = {"format": request.format, "options": _masked(request.options)}
    said = {
        "compression": request.compression,
        "branch": request.branch,
        "statement": request.statement,
        "partition_by": list(request.partition_by),
        "partition_spec": [_without_empty(asdict(field)) for field in request.partition_spec],
        "sort": _without_empty(asdict(request.sort)) if request.sort else None,
        "properties": _masked(request.properties),
    }
    return found | _without_empty(said)


def _masked(options: Mapping[str, str]) -> dict[str, str]:
    return {key: _shown(key, value) for key, value in sorted(options.items())}


def _shown(key: str, value: str) -> str:
    """Return the value of an option as it may be shown: by its key, and by what stands inside of it.

    Addresses and logins of connectors hold passwords under keys that sound harmless, such as `url`.
    """
    if sounds_secret(key) or "jaas" in key.lower():
        return MASK
    shown = "\n".join(line.text for line in mask(value.split("\n")))
    if shown == value and value.startswith("jdbc:"):
        # Oracle writes the password in front of the host behind a slash.
        parted = without_credentials(value)
        return MASK if parted.password or parted.secrets else value
    return shown


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {})}
