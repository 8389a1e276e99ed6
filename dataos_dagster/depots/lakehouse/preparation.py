"""What a table needs before rows are written to it: properties, partition spec, branch.

Each of them is a commit of its own, because the rows must already be laid out by it. When the rows do not come, the
table goes back to what it was.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.lakehouse import metadata, rest
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataos_dagster.depots.lakehouse.metadata import TableState
    from dataos_dagster.depots.lakehouse.statements import Statements
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import PartitionField
    from dataos_dagster.engines.session import EngineSession


@contextmanager
def prepared(
    table: Table,
    before: TableState,
    session: EngineSession,
    statements: Statements,
    *,
    properties: Mapping[str, str],
    spec: Sequence[PartitionField],
    branch: str | None,
) -> Iterator[None]:
    """Give a table what it needs for the block's time, and for good when the block succeeds.

    Args:
        table: A table that is there.
        before: Its state.
        session: Where its rows are written.
        statements: Statements on it, on that session.
        properties: Properties that it must have.
        spec: Partition spec that it must have; empty asks for nothing.
        branch: A branch that must be there.
    """
    try:
        with session.stopped_on_interrupt():
            changed = {key: value for key, value in properties.items() if before.properties.get(key) != value}
            if changed and table.warehouse.rest is not None:
                rest.set_properties(table, changed)
            elif changed:
                statements.set_properties(changed)
            statements.evolve(spec, before.partition_spec)
            if branch and branch not in before.branches:
                statements.create_branch(branch)
            yield
    except BaseException as error:
        try:
            _restore(table, before)
        except (DepotError, OSError) as left:
            error.add_note(f"properties, partition spec or branches of the table stay as they were made: {left}")
        raise


def _restore(table: Table, before: TableState) -> None:
    if table.warehouse.rest is not None:
        rest.restore(table, before)
    else:
        metadata.restore(table.place, before)
