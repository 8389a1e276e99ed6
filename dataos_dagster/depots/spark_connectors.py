"""Connectors of Spark that a depot's jobs need, and how to get those that are missing."""

from __future__ import annotations

from dataos_dagster.engines.connectors import is_cached
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import DepotUnsupported


def require_connectors(*names: str) -> None:
    """Check that connectors were installed.

    Args:
        names: Their short names, as `dataos engines install spark --with` takes them.

    Raises:
        DepotUnsupported: Some are missing; says how to get them.
    """
    missing = [name for name in names if not is_cached(coordinate_of(name))]
    if missing:
        named = ", ".join(f"{name} ({coordinate_of(name)})" for name in missing)
        one = len(missing) == 1
        raise DepotUnsupported(
            f"Spark's {'connector' if one else 'connectors'} {named} {'is' if one else 'are'} not installed",
            hint=f"dataos engines install spark --with {','.join(names)}",
        )
