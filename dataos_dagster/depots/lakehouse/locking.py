"""The lock of a table, and what is settled as soon as it is held."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse.marks import evidence_of
from dataos_dagster.depots.locks import Holder, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import WriteRequest


@contextmanager
def table_lock(
    store: LakehouseStore, table: Table, request: WriteRequest, holder: Holder, stop: Callable[[], None] | None = None
) -> Iterator[Holder]:
    """Hold a table's lock for the block's time; writes that others had begun when they died are settled by then.

    Args:
        store: Of the table.
        table: The table.
        request: What is about to be done to it.
        holder: Who takes the lock; it is yielded.
        stop: Ends the engine's work when the block is interrupted.

    Raises:
        DatasetLocked: Another writer holds it for longer than the settings wait.
    """
    seconds, what = store.settings.limits.lock_seconds, str(request.target)
    with writing(_file(store, table), holder, seconds=seconds, what=what, location=request.location, stop=stop) as left:
        if request.settlement is not None:
            # Behind a catalog others write without this lock: a new snapshot need not be the dead writer's.
            writer = left if table.warehouse.rest is None else None
            request.settlement.settle(lambda: evidence_of(store.state(table), request.branch), writer)
        yield holder


def _file(store: LakehouseStore, table: Table) -> Path:
    if table.warehouse.rest is None:
        # Beside the table: every project that shares the folder sees it. A file is no table to Iceberg.
        return table.place.parent.local / f".{table.place.name}.lock"
    return store.settings.state_folder / "locks" / f"{table.warehouse.catalog}.{table.dotted}.lock"
