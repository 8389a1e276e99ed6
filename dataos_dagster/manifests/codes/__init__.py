"""The catalogue of diagnostics: every code that is ever reported, explained with an example.

`dataos explain CODE` prints an entry, `docs/diagnostics.md` holds all of them, and a test reads the source of the
package for codes that are missing here. One module a topic; a topic that is new is added to `TOPICS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dataos_dagster.manifests.codes import (
    files,
    forms,
    interpolation,
    jobs,
    layout,
    references,
    shape,
    sql,
    syntax,
    values,
)
from dataos_dagster.manifests.codes.entry import CodeEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODES", "TOPICS", "CodeEntry"]

# Heading of the topic in lists and documentation: its entries.
TOPICS: Mapping[str, tuple[CodeEntry, ...]] = MappingProxyType(
    {
        "Files": files.ENTRIES,
        "YAML that does not parse": syntax.ENTRIES,
        "Indentation": layout.ENTRIES,
        "YAML that means something else": values.ENTRIES,
        "Variables and placeholders": interpolation.ENTRIES,
        "Keys and values": shape.ENTRIES,
        "Older forms and doubtful choices": forms.ENTRIES,
        "Names that lead nowhere": references.ENTRIES,
        "SQL of steps": sql.ENTRIES,
        "Jobs and what they write": jobs.ENTRIES,
    }
)
CODES: Mapping[str, CodeEntry] = MappingProxyType(
    {entry.code: entry for entries in TOPICS.values() for entry in entries}
)
