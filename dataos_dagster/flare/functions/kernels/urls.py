"""The parts of web addresses, as `java.net.URL` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from dataos_dagster.flare.functions.kernels.distinct import over_distinct

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS: Mapping[str, pa.DataType] = {
    "protocol": pa.string(),
    "authority": pa.string(),
    "host": pa.string(),
    "port": pa.int32(),
    "path": pa.string(),
    "filename": pa.string(),
    "query": pa.string(),
}


def split_urls(column: pa.Array) -> pa.Array:
    """Return a struct of the parts of each address; all null when it is none.

    `filename` is the path with the query behind it; `port` is null when the address names none.
    """
    return over_distinct(column, url_parts, pa.struct(list(PARTS.items())))


def url_parts(text: str) -> dict[str, Any]:
    """Return the parts of one address; an absent part is None."""
    try:
        found = urlsplit(text.strip())
        port = found.port
    except ValueError:
        return dict.fromkeys(PARTS)
    if not found.scheme or not found.netloc:
        return dict.fromkeys(PARTS)
    query = found.query or None
    return {
        "protocol": found.scheme,
        "authority": found.netloc,
        "host": _host(found.netloc),
        "port": port,
        "path": found.path,
        "filename": f"{found.path}?{query}" if query else found.path,
        "query": query,
    }


def _host(authority: str) -> str:
    """Return the host as it is written: the standard library's own is in lower case."""
    place = authority.rpartition("@")[2]
    return place.partition("]")[0] + "]" if place.startswith("[") else place.partition(":")[0]
