"""Commit a transaction of PostgreSQL, and find out what became of it when the connection broke meanwhile.

Whether a COMMIT whose answer is lost took place is known to the server only, which is asked by the transaction's number
(PostgreSQL, System Information Functions, `txid_status`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.postgresql.connection import driver
from dataos_dagster.depots.staging import perhaps_written
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from dataos_dagster.depots.postgresql.connection import PostgresqlConnection
    from dataos_dagster.depots.requests import WriteRequest

# SQLSTATE classes after which nobody knows: connection exception, operator intervention. None: no server has answered.
_UNANSWERED = ("08", "57")


def commit(opened: Any, cursor: Any, connection: PostgresqlConnection, request: WriteRequest) -> None:
    """Commit what a cursor has done; a commit whose answer is lost and that took place is one.

    Raises:
        WriteFailed: Whether the rows are there cannot be told, because the server cannot be asked either.
    """
    cursor.execute("SELECT txid_current()")
    transaction = int(cursor.fetchone()[0])
    error_class = driver().Error
    try:
        opened.commit()
    except error_class as error:
        state = getattr(error, "sqlstate", None)
        if state and not state.startswith(_UNANSWERED):
            raise
        if not _took_place(connection, transaction, request, error):
            raise


def _took_place(
    connection: PostgresqlConnection, transaction: int, request: WriteRequest, cause: BaseException
) -> bool:
    """Return whether a transaction was committed, asked of the server by another connection."""
    try:
        with connection.open() as other, other.cursor() as cursor:
            cursor.execute(f"SELECT txid_status({transaction})")
            status = cursor.fetchone()[0]
    except (DepotError, driver().Error):
        status = None
    if status not in {"committed", "aborted"}:
        raise perhaps_written(request) from cause
    return bool(status == "committed")
