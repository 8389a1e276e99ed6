"""The lock of a folder of files, under which what a writer that died had begun is undone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.commit import settle_local
from dataos_dagster.depots.files.marks import evidence_in
from dataos_dagster.depots.folder_datasets import folder_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from dataos_dagster.depots.locks import Holder
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.settings import Settings


def files_lock(
    place: Place, settings: Settings, request: WriteRequest, holder: Holder, stop: Callable[[], None] | None = None
) -> AbstractContextManager[Holder]:
    """Hold the lock of a folder of files for the block's time, as `folder_lock` does."""
    tidy = partial(settle_local, place.local) if place.is_local else None
    return folder_lock(place, settings, request, holder, partial(evidence_in, place), stop=stop, tidy=tidy)
