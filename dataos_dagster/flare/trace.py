"""Where the columns of a view come from, as values that functions and queries transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dataos_dagster.workflows.results import ColumnSource

if TYPE_CHECKING:
    from collections.abc import Iterable

# The columns of datasets that a column is computed from: empty for a constant, None when that cannot be told.
Sources = tuple[ColumnSource, ...] | None
# All columns of a view, in order.
Trace = Mapping[str, Sources]


def merged(parts: Iterable[Sources]) -> Sources:
    """Return the sources of what is computed from all parts, each once; None when one of them is unknown."""
    found: dict[ColumnSource, None] = {}
    for part in parts:
        if part is None:
            return None
        found.update(dict.fromkeys(part))
    return tuple(found)


def sources_by_name(trace: Trace) -> Mapping[str, Sources]:
    """Return the sources by lower-case column name, since SQL ignores case; the first of equal names wins."""
    found: dict[str, Sources] = {}
    for name, sources in trace.items():
        found.setdefault(name.lower(), sources)
    return found
