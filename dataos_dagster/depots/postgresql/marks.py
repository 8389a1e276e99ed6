"""The mark of a write in the database itself: a row that is committed together with the rows that it speaks of."""

from __future__ import annotations

from typing import Any

from dataos_dagster.depots.postgresql.connection import identifier, literal
from dataos_dagster.depots.streams import stream_of_mark

# Beside the tables that are written, in each schema.
TABLE = "dataos_writes"
# Nobody asks for a mark after its run was settled, which the next run of the job does.
KEPT_DAYS = 90


def leave_mark(cursor: Any, schema: str, table: str, mark: str) -> None:
    """Say in the transaction that writes a table which write it is."""
    name, text = identifier(schema, TABLE), literal(table)
    if not _is_there(cursor, schema):
        # Two transactions that create a table of one name do not wait for each other; one of them would fail.
        cursor.execute(f"SELECT pg_advisory_xact_lock(hashtext({literal(f'{schema}.{TABLE}')}))")
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} (mark text PRIMARY KEY, dataset text NOT NULL, "
            "written_at timestamptz NOT NULL DEFAULT now())"
        )
    # Names and texts are quoted.
    old = f"written_at < now() - interval '{KEPT_DAYS} days'"
    stream = stream_of_mark(mark)
    if stream:
        # Those of the earlier micro-batches have served; each batch reads what is left.
        old += f" OR left(mark, {len(stream)}) = {literal(stream)}"
    cursor.execute(f"DELETE FROM {name} WHERE dataset = {text} AND ({old})")  # noqa: S608
    cursor.execute(f"INSERT INTO {name} (mark, dataset) VALUES ({literal(mark)}, {text})")  # noqa: S608


def marks_of(cursor: Any, schema: str, table: str) -> frozenset[str]:
    """Return the marks of the writes of a table."""
    if not _is_there(cursor, schema):
        return frozenset()
    cursor.execute(f"SELECT mark FROM {identifier(schema, TABLE)} WHERE dataset = {literal(table)}")  # noqa: S608 - quoted
    return frozenset(mark for (mark,) in cursor.fetchall())


def _is_there(cursor: Any, schema: str) -> bool:
    cursor.execute(f"SELECT to_regclass({literal(identifier(schema, TABLE))}) IS NOT NULL")
    return bool(cursor.fetchone()[0])
