"""The Flare stack: SQL over datasets, on any Spark Connect engine.

`session`, `load` and `save` are for Python beside the manifests; they are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataos_dagster.flare.pyflare import load, save, session

__all__ = ["load", "save", "session"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dataos_dagster.flare import pyflare

    return getattr(pyflare, name)
