"""The mark of a write in the snapshot that it made, where the engine can put one there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.settlement import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.engines.session import EngineSession

MARK = "dataos.write"
# Every commit of a session gets it, also those of statements, which take no options.
_PROPERTY = f"spark.sql.iceberg.snapshot-property.{MARK}"


@contextmanager
def marking(session: EngineSession, mark: str | None) -> Iterator[None]:
    """Let the commits of a session carry a mark while the block runs; Sail puts nothing into a snapshot's summary."""
    if mark is None or session.engine == "sail":
        yield
        return
    session.spark.conf.set(_PROPERTY, mark)
    try:
        yield
    finally:
        session.spark.conf.unset(_PROPERTY)


def evidence_of(state: TableState | None, branch: str | None) -> Evidence:
    """Return what a table shows of its writes: its present snapshot, and the marks of all that led to it."""
    if state is None:
        return Evidence()
    summaries = [snapshot.summary for snapshot in state.history(branch)]
    present = state.snapshot(branch)
    marks = frozenset(summary[MARK] for summary in summaries if MARK in summary)
    return Evidence(str(present.id) if present else None, marks)
