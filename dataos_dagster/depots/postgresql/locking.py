"""The lock of a table: an advisory one of PostgreSQL, held until the transaction ends."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.locks import being_written
from dataos_dagster.depots.postgresql.connection import driver, identifier

if TYPE_CHECKING:
    from dataos_dagster.depots.postgresql.connection import PostgresqlConnection
    from dataos_dagster.depots.requests import WriteRequest

_LOCK_NOT_AVAILABLE = "55P03"
_HOLDER = """
SELECT a.pid::text, a.application_name, coalesce(a.client_addr::text, 'local')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = {key}
"""


def lock_table(
    cursor: Any, connection: PostgresqlConnection, name: tuple[str, str], request: WriteRequest, seconds: float
) -> None:
    """Take a table's lock until the cursor's transaction ends; every later wait of it is bounded by the same time.

    Args:
        cursor: Of the transaction.
        connection: For a look at who holds the lock.
        name: Schema and table.
        request: What asks for it.
        seconds: How long to wait.

    Raises:
        DatasetLocked: Another writer still holds it when the time is over; names it.
    """
    key = int.from_bytes(hashlib.sha256(identifier(*name).encode()).digest()[:7], "big")
    cursor.execute(f"SET LOCAL lock_timeout = '{max(int(seconds * 1000), 1)}ms'")
    try:
        cursor.execute(f"SELECT pg_advisory_xact_lock({key})")
        cursor.fetchall()
    except driver().Error as error:
        if not timed_out(error):
            raise
        raise being_written(str(request.target), _holder(connection, key), seconds, request.location) from None


def timed_out(error: BaseException) -> bool:
    """Return whether the database gave up waiting for a lock."""
    return getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE or "lock timeout" in str(error)


def _holder(connection: PostgresqlConnection, key: int) -> str:
    with connection.open() as other, other.cursor() as cursor:
        cursor.execute(_HOLDER.format(key=key))
        found = cursor.fetchone()
    return f"{found[1]} (backend {found[0]}, from {found[2]})" if found else "another writer"
