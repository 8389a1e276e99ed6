"""Datasets below a folder, files and Delta tables alike: where each lies, and its lock."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.locks import lock_file, writing
from dataos_dagster.depots.requests import WriteRequest
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataos_dagster.depots.locks import Holder
    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.depots.settlement import Evidence
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.settings import Settings


def place_of(root: Place, request: ReadRequest | WriteRequest, what: str) -> Place:
    """Return the file or folder that a request names.

    Args:
        root: Folder of the depot, or the dataset itself of a standalone job.
        request: What is read or written; a whole depot can be read only.
        what: What lies below the root, for messages: `a folder`, `a table`.

    Raises:
        DepotError: A write names a whole depot.
    """
    address = request.target.address
    if address is None:
        return root
    if isinstance(request, WriteRequest) and not address.path and not address.collection:
        raise DepotError(f"{request.target} names a whole depot", hint=f"add {what}", location=request.location)
    return root.join(address.collection or "", *address.path)


@contextmanager
def folder_lock(
    place: Place,
    settings: Settings,
    request: WriteRequest,
    holder: Holder,
    look: Callable[[], Evidence],
    *,
    stop: Callable[[], None] | None = None,
    tidy: Callable[[], None] | None = None,
) -> Iterator[Holder]:
    """Hold the lock of a folder for the block's time; what others had begun when they died is settled by then.

    Args:
        place: The folder.
        settings: How long to wait, and where locks of folders in buckets are.
        request: What is about to be done to it.
        holder: Who takes the lock; it is yielded.
        look: Returns what the dataset shows of its writes.
        stop: Ends the engine's work when the block is interrupted.
        tidy: Undoes what a writer that died had begun, before anybody looks.

    Raises:
        DatasetLocked: Another writer holds it for longer than the settings wait.
    """
    with writing(
        lock_file(place, settings),
        holder,
        seconds=settings.limits.lock_seconds,
        what=str(request.target),
        location=request.location,
        stop=stop,
        cluster=settings.engines.connect,
    ) as left:
        if tidy is not None:
            tidy()
        if request.settlement is not None:
            # In a bucket others write without this lock: what has changed there need not be the dead writer's.
            request.settlement.settle(look, left if place.is_local else None)
        yield holder
