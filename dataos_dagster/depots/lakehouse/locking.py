"""The lock of a table, and what is settled as soon as it is held."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse.marks import evidence_of
from dataos_dagster.depots.lakehouse.metadata import MAIN
from dataos_dagster.depots.locks import Holder, lock_file, writing
from dataos_dagster.depots.maintenance import MaintenanceRequest
from dataos_dagster.depots.settlement import dataset_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dataos_dagster.depots.lakehouse.store import LakehouseStore
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.settlement import Evidence, Settlement


@contextmanager
def table_lock(
    store: LakehouseStore,
    table: Table,
    request: WriteRequest | MaintenanceRequest,
    holder: Holder,
    stop: Callable[[], None] | None = None,
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
    file, cluster = _file(store, table), store.settings.engines.connect
    with writing(
        file, holder, seconds=seconds, what=what, location=request.location, stop=stop, cluster=cluster
    ) as left:
        # Behind a catalog others write without this lock: a new snapshot need not be the dead writer's.
        writer = left if table.warehouse.rest is None else None
        for settlement, branch in _settlements(store, table, request):
            settlement.settle(partial(_evidence, store, table, branch), writer)
        yield holder


def _settlements(
    store: LakehouseStore, table: Table, request: WriteRequest | MaintenanceRequest
) -> Iterator[tuple[Settlement, str | None]]:
    """Yield the accounts to settle, each with its branch: maintenance is about all of them."""
    if request.settlement is None:
        return
    yield request.settlement, request.branch
    if not isinstance(request, MaintenanceRequest):
        return
    state = store.state(table)
    for branch in state.branches if state else ():
        if branch not in {MAIN, request.branch}:
            yield replace(request.settlement, dataset=dataset_of(request, branch)), branch


def _evidence(store: LakehouseStore, table: Table, branch: str | None) -> Evidence:
    return evidence_of(store.state(table), branch)


def _file(store: LakehouseStore, table: Table) -> Path:
    if table.warehouse.rest is None:
        return lock_file(table.place, store.settings)  # a file is no table to Iceberg
    return store.settings.state_folder / "locks" / f"{table.warehouse.catalog}.{table.dotted}.lock"
