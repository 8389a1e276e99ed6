"""The lock of a folder of files, and what is settled as soon as it is held."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.depots.files import commit
from dataos_dagster.depots.files.marks import marks_in
from dataos_dagster.depots.locks import lock_file, writing
from dataos_dagster.depots.settlement import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataos_dagster.depots.locks import Holder
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.settings import Settings


@contextmanager
def folder_lock(
    place: Place, settings: Settings, request: WriteRequest, holder: Holder, stop: Callable[[], None] | None = None
) -> Iterator[Holder]:
    """Hold the lock of a folder for the block's time; what others had begun when they died is settled by then.

    Args:
        place: The folder.
        settings: How long to wait, and where locks of folders in buckets are.
        request: What is about to be done to it.
        holder: Who takes the lock; it is yielded.
        stop: Ends the engine's work when the block is interrupted.

    Raises:
        DatasetLocked: Another writer holds it for longer than the settings wait.
    """
    seconds, what = settings.limits.lock_seconds, str(request.target)
    file, cluster = lock_file(place, settings), settings.engines.connect
    with writing(
        file, holder, seconds=seconds, what=what, location=request.location, stop=stop, cluster=cluster
    ) as left:
        if place.is_local:
            commit.settle_local(place.local)
        if request.settlement is not None:
            request.settlement.settle(lambda: Evidence(marks=marks_in(place)), left)
        yield holder
