"""Installations: one after the other, into the folder of downloads that the package itself uses, outside of the repository."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock

from dataos_dagster.engines.connectors import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cache_folder", "installing"]


@contextmanager
def installing(name: str, what: str) -> Iterator[None]:
    """Hold the lock of one installation, say what happens, and say how long it took.

    Two test workers, or two checkouts, install an engine one after the other: the second then finds it there.
    """
    cache_folder().mkdir(parents=True, exist_ok=True)
    with FileLock(cache_folder() / f"{name}.lock"):
        print(f"{name}: {what} …", flush=True)
        started = time.monotonic()
        yield
        print(f"{name}: done in {time.monotonic() - started:.0f} s", flush=True)
