"""Tables of a database in which the rows of a write wait until they are put in place at once.

Spark's tasks write by many connections, each with a transaction of its own. So the rows go into a table beside the one
that is written; its name says for which, and whoever holds that one's lock next drops what a dead writer has left.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import check_new, fit
from dataos_dagster.errors import SchemaMismatch, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.types import StructType

    from dataos_dagster.depots.requests import WriteRequest

_PREFIX = "dataos_staging_"
# What all of them are LIKE, in SQL.
ALL = "dataos\\_staging\\_%"
UNTOUCHED = "the table is as it was before"


def new_table(table: str) -> str:
    """Return the name of a new staging table for a table; MySQL and PostgreSQL both have room for it."""
    return f"{_prefix(table)}{uuid.uuid4().hex[:12]}"


def pattern_of(table: str) -> str:
    """Return what the staging tables of a table are LIKE, in SQL."""
    return _prefix(table).replace("_", "\\_") + "%"


def _prefix(table: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(table.encode()).hexdigest()[:12]}_"


def fitted(frame: DataFrame, columns: Callable[[], StructType | None], request: WriteRequest) -> tuple[DataFrame, bool]:
    """Return the frame as the table takes it, and whether the table must be made anew.

    Args:
        frame: What is written.
        columns: Returns the columns of the table that is there; None when there is none.
        request: The write.

    Raises:
        SchemaMismatch: An append does not fit, or the frame cannot be a table at all.
    """
    check_new(frame, request.target, location=request.location)
    present = columns()
    if present is None:
        return frame, False
    try:
        return fit(frame, present, request.target, location=request.location), False
    except SchemaMismatch:
        # Spark's JDBC writer drops and makes the table anew on every overwrite; here only where it has to.
        if request.mode == "append":
            raise
        return frame, True


def made_anew(request: WriteRequest) -> str:
    """Return the note of a table that did not fit what has overwritten it."""
    return f"{request.target} was made anew, because its columns were others"


def not_written(request: WriteRequest, why: str) -> WriteFailed:
    """Return the error of a write of which nothing is there."""
    return WriteFailed(f"{request.target} was not written: {why}", hint=UNTOUCHED, location=request.location)


def perhaps_written(request: WriteRequest) -> WriteFailed:
    """Return the error of a commit whose answer is lost.

    The driver's words stay out of the message: they read like a failure that is safe to try again.
    """
    return WriteFailed(
        f"{request.target}: whether its rows were committed is not known, because the server went away meanwhile",
        hint="look at the table before the job runs again: an append would add the rows a second time",
        location=request.location,
    )
