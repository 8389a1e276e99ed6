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


def sources_of_expression(text: str, columns: Trace) -> Sources:
    """Return where the value of an expression comes from that stands over the columns of a trace."""
    from dataos_dagster.flare.sql import columns_in_expression, takes_all_columns

    if takes_all_columns(text):
        return merged(columns.values())
    by_name = sources_by_name(columns)
    return merged(by_name.get(name.lower()) for name in columns_in_expression(text))
