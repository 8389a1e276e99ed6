"""The mark of a write in the database itself: a row that is committed together with the rows that it speaks of."""

from __future__ import annotations

from typing import Any

from dataos_dagster.depots.postgresql.connection import identifier, literal
from dataos_dagster.depots.settlement import MARKS_FORGOTTEN, MARKS_KEPT, Evidence
from dataos_dagster.depots.streams import STREAM_MARK, stream_of_mark

# Beside the tables that are written, in each schema.
TABLE = "dataos_writes"


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
    # The last batch of a stream is asked for whenever the stream goes on; names and texts are quoted.
    old = f"written_at < now() - interval '{MARKS_FORGOTTEN.days} days' AND NOT {_begins(STREAM_MARK)}"
    stream = stream_of_mark(mark)
    if stream:
        # Those of the earlier micro-batches have served; each batch reads what is left.
        old += f" OR {_begins(stream)}"
    cursor.execute(f"DELETE FROM {name} WHERE dataset = {text} AND ({old})")  # noqa: S608
    cursor.execute(f"INSERT INTO {name} (mark, dataset) VALUES ({literal(mark)}, {text})")  # noqa: S608


def evidence_of(cursor: Any, schema: str, table: str) -> Evidence:
    """Return what a table shows of its writes."""
    if not _is_there(cursor, schema):
        return Evidence(kept=MARKS_KEPT)
    cursor.execute(f"SELECT mark FROM {identifier(schema, TABLE)} WHERE dataset = {literal(table)}")  # noqa: S608 - quoted
    return Evidence(marks=frozenset(mark for (mark,) in cursor.fetchall()), kept=MARKS_KEPT)


def _begins(prefix: str) -> str:
    return f"left(mark, {len(prefix)}) = {literal(prefix)}"


def _is_there(cursor: Any, schema: str) -> bool:
    cursor.execute(f"SELECT to_regclass({literal(identifier(schema, TABLE))}) IS NOT NULL")
    return bool(cursor.fetchone()[0])
