"""Where downloads are kept: one folder outside of the repository, shared by all checkouts and test processes."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator


def cache_folder() -> Path:
    """Return the folder of downloads: `DATAOS_CACHE`, or `~/.cache/dataos-dagster`. It exists afterwards."""
    folder = Path(os.environ.get("DATAOS_CACHE") or Path.home() / ".cache" / "dataos-dagster")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def installing(name: str, what: str) -> Iterator[None]:
    """Hold the lock of one installation, say what happens, and say how long it took.

    Two test workers, or two checkouts, install an engine one after the other: the second then finds it there.
    """
    with FileLock(cache_folder() / f"{name}.lock"):
        print(f"{name}: {what} …", flush=True)
        started = time.monotonic()
        yield
        print(f"{name}: done in {time.monotonic() - started:.0f} s", flush=True)
