"""One writer a dataset: a lock file that names its holder, and what a holder that died left behind.

The kernel's lock on the file decides (flock: it ends with the process, however that ends), the file's content says who
holds it. Content that is still there when the lock is free was left by a writer that died. Its engine may live on for
seconds and still commit, so whoever comes next waits for that engine, and ends it when it stays, before it looks at
the dataset.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from dataos_dagster.errors import DatasetLocked, EngineUnavailable, WriteFailed
from dataos_dagster.processes import start_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dataos_dagster.depots.storage import Place
    from dataos_dagster.engines.elsewhere import WorkElsewhere
    from dataos_dagster.engines.process import EngineProcess
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import ConnectSettings, Settings

_POLL_SECONDS = 0.05
# How long an engine that outlived its client is waited for before it is ended; a JVM was seen to live for two seconds.
ORPHAN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        started: When the process started, as `processes.start_time` tells it.
        since: When the lock was taken, ISO 8601 in UTC.
        engine_pid: Process of the engine that does the work; None when it is not a child of the holder.
        operation: What the caller named the write, such as the id of a run.
        work: Server, user and session of the work on an engine that is not ours; None where it is a child.
    """

    host: str
    pid: int
    started: str
    principal: str
    since: str
    engine_pid: int | None = None
    engine_started: str | None = None
    operation: str | None = None
    work: tuple[str, str, str] | None = None

    @classmethod
    def this_process(
        cls,
        principal: str,
        engine: EngineProcess | None,
        operation: str | None,
        *,
        elsewhere: WorkElsewhere | None = None,
    ) -> Self:
        """Return this process as a holder, whose work is done by an engine of its own or elsewhere."""
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=start_time(os.getpid()) or "",
            principal=principal,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            engine_pid=engine.pid if engine else None,
            engine_started=engine.started if engine else None,
            operation=operation,
            work=(elsewhere.server, elsewhere.user, elsewhere.session) if elsewhere else None,
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the holder that a lock file names; None for an empty file, or one that was cut off by a crash."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    @property
    def engine(self) -> EngineProcess | None:
        """Return its engine's process."""
        from dataos_dagster.engines.process import EngineProcess

        if self.engine_pid is None or self.engine_started is None or self.host != socket.gethostname():
            return None
        return EngineProcess(self.engine_pid, self.engine_started)

    def __str__(self) -> str:
        operation = f", operation {self.operation}" if self.operation else ""
        return f"process {self.pid} on {self.host} for {self.principal}, since {self.since}{operation}"


def lock_file(place: Place, settings: Settings) -> Path:
    """Return the lock file of a folder: beside it, where every project that shares it looks, or one of this project's.

    In a bucket nothing can be locked; there the file holds off other writers of this project.
    """
    if place.is_local:
        return place.parent.local / f".{place.name}.lock"
    return settings.state_folder / "locks" / f"{place.path.replace('/', '.')}.lock"


@contextmanager
def writing(
    file: Path,
    holder: Holder,
    *,
    seconds: float,
    what: str,
    location: Location | None = None,
    stop: Callable[[], None] | None = None,
    cluster: ConnectSettings | None = None,
) -> Iterator[Holder | None]:
    """Hold the lock of a dataset for the block's time.

    Args:
        file: The lock file; its folder is made when it is missing.
        holder: Who takes the lock.
        seconds: How long to wait for another writer.
        what: The dataset, for messages.
        location: The place in a manifest that asks for the write.
        stop: Ends the engine's work. Called before the lock is free when the block is interrupted (Ctrl-C, a
            cancelled run): the engine has reported nothing then, and may still commit.
        cluster: How engines that are not ours are reached, to end what a writer that died runs there.

    Yields:
        The writer that died while it held the lock, whose engine has ended by now; None when there was none.

    Raises:
        DatasetLocked: Another writer still holds it when the time is over; names it.
        EngineUnavailable: What the last writer runs on a cluster cannot be ended.
        WriteFailed: The lock file cannot be made.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WriteFailed(
            f"{what}: its lock file {file} cannot be made: {error.strerror}",
            hint="check the folder's owner and the space on the disk",
            location=location,
        ) from None
    try:
        _acquire(descriptor, seconds, what, location)
        left = Holder.parse(_content(descriptor))
        if left is not None:
            _outlive(left, cluster, location)
        try:
            _replace(descriptor, json.dumps(asdict(holder)))
        except OSError as error:
            raise WriteFailed(
                f"{what}: its lock file {file} cannot be written: {error.strerror}", location=location
            ) from None
        try:
            yield left
        except Exception as error:
            # A cluster that no longer answers may go on and commit: the content stays, and the next writer ends that.
            if holder.work is None or not _has_lost_connection(error):
                _replace(descriptor, "")
            raise
        except BaseException:
            # When stopping is interrupted in turn, the content stays: once this process is gone, the next writer waits
            # for its engine. While it lives on, its engines are its own to end.
            if stop is not None:
                stop()
            _replace(descriptor, "")
            raise
        _replace(descriptor, "")
    finally:
        os.close(descriptor)


def being_written(what: str, writer: str, seconds: float, location: Location | None) -> DatasetLocked:
    """Return the error of whoever has waited for a writer of a dataset in vain."""
    return DatasetLocked(
        f"{what} is being written by {writer}; waited {seconds:g} s",
        hint="run the job again when that writer is done; limits.lock_seconds in dataos.yaml waits longer",
        location=location,
    )


def _acquire(descriptor: int, seconds: float, what: str, location: Location | None) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            holder = Holder.parse(_content(descriptor))
            raise being_written(what, str(holder or "another process"), seconds, location) from None
        return


def _outlive(left: Holder, cluster: ConnectSettings | None, location: Location | None) -> None:
    """Wait for the engine of the last writer, and end it, or its work there, when it does not end by itself.

    The writer has died, or has lost its cluster and runs on. Then its session may be at other work of this process, or
    be the one that asks: what it runs is interrupted, and the session stays.
    """
    is_alive = left.host == socket.gethostname() and start_time(left.pid) == left.started
    engine = left.engine
    if engine is not None and not is_alive and not engine.wait(ORPHAN_SECONDS):
        engine.end()
    if left.work is not None and cluster is not None:
        from dataos_dagster.engines.elsewhere import WorkElsewhere

        work = WorkElsewhere(*left.work)
        try:
            if is_alive:
                work.interrupt(cluster)
            else:
                work.end(cluster)
        except EngineUnavailable as error:
            error.location = error.location or location
            raise


def _has_lost_connection(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came of, says that the engine no longer answers."""
    from dataos_dagster.engines.failures import is_lost_connection

    while error is not None:
        if is_lost_connection(error):
            return True
        error = error.__cause__
    return False


def _content(descriptor: int) -> str:
    return os.pread(descriptor, 65536, 0).decode("utf-8", "replace")


def _replace(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
