"""What an engine's failure means for a table, whose commits are whole or not there, whoever else writes to it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.maintenance import MaintenanceRequest
from dataos_dagster.errors import DatasetLocked, EngineCrashed, StatementFailed, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.session import EngineSession

# How engines say that the table is no longer what a commit was made for: Sail, Iceberg on Spark, a creation on Spark.
_CONFLICT = re.compile(
    r"Iceberg commit failed: reference|CommitFailedException|Found conflicting files|TABLE_OR_VIEW_ALREADY_EXISTS"
    r"|created concurrently"
)


@contextmanager
def table_failures(session: EngineSession, request: WriteRequest | MaintenanceRequest) -> Iterator[None]:
    """Say of what fails inside the block what it means for the table.

    Args:
        session: Where the block works.
        request: What it does to the table.

    Raises:
        DatasetLocked: Another writer has committed to it meanwhile.
        WriteFailed: The engine or the disk failed; the table, or after maintenance its rows, are as before.
        EngineCrashed: The table is as before, or as after the work.
    """
    if isinstance(request, MaintenanceRequest):
        failed, same = str(request.target), "the rows of the table are as before"
    else:
        failed, same = f"{request.target} was not written", "the table is as it was before"
    try:
        with session.failures(request.location):
            yield
    except EngineCrashed as error:
        error.hint = f"{same}, or as after the work; {error.hint or 'run the job again'}"
        raise
    except StatementFailed as error:
        if _CONFLICT.search(error.message):
            raise DatasetLocked(
                f"{failed}: another writer has committed to it meanwhile ({error.message[:300]})",
                hint="the table is as that writer left it; run the job again",
                location=request.location,
            ) from error
        raise WriteFailed(f"{failed}: {error.message}", hint=same, location=request.location) from error
    except OSError as error:
        raise WriteFailed(
            f"{failed}: {error.strerror or error}",
            hint=f"{same}; check the space on the disk and the folder's owner",
            location=request.location,
        ) from error
