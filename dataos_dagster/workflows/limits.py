"""Bounds on jobs: how long one may run, and how many use a depot at the same time."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, JobTimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobNode

_SECONDS_BETWEEN = 1.0
# An engine that heeds no interrupt for so long is ended.
_SECONDS_OF_GRACE = 5.0


@contextmanager
def time_limit(session: EngineSession, seconds: float | None, location: Location | None = None) -> Iterator[None]:
    """Stop what runs on a session when the block takes too long; a block that ends all the same is not disturbed.

    Args:
        session: The job's own session.
        seconds: How long; None has no bound.
        location: Where the job stands.

    Raises:
        JobTimedOut: The block failed after its time was over.
    """
    if seconds is None:
        yield
        return
    ended, expired = threading.Event(), threading.Event()
    watching = (session, seconds, ended, expired)
    threading.Thread(target=_watch, args=watching, name="dataos-time-limit", daemon=True).start()
    try:
        yield
    except DataOSError:
        if not expired.is_set():
            raise
        raise JobTimedOut(
            f"it took longer than {seconds:g} s and was stopped",
            hint="what it had written before stays; `run.seconds` in dataos.yaml sets the time",
            location=location,
        ) from None
    finally:
        ended.set()


def _watch(session: EngineSession, seconds: float, ended: threading.Event, expired: threading.Event) -> None:
    if ended.wait(seconds):
        return
    expired.set()
    # In a thread of its own: an engine that is busy on all cores may not even answer an interrupt.
    threading.Thread(target=_interrupt, args=(session, ended), name="dataos-interrupt", daemon=True).start()
    if not ended.wait(_SECONDS_OF_GRACE):
        session.stop_work()


def _interrupt(session: EngineSession, ended: threading.Event) -> None:
    """Interrupt until the work has ended: a statement that begins just after an interrupt is not hit by it."""
    while not ended.is_set():
        # An endpoint that cannot be reached runs nothing that could be interrupted.
        with suppress(DataOSError), session.failures():
            session.interrupt()
        ended.wait(_SECONDS_BETWEEN)


class DepotLimits:
    """How many jobs of a run use a depot at the same time.

    Args:
        settings: `depots.<name>.jobs_at_once` says how many; depots without it have no bound.
    """

    def __init__(self, settings: Settings) -> None:
        self._slots = {
            name.lower(): threading.BoundedSemaphore(depot.jobs_at_once)
            for name, depot in settings.depots.items()
            if depot.jobs_at_once is not None
        }

    @contextmanager
    def slot(self, node: JobNode) -> Iterator[None]:
        """Wait until a job may use all of its depots, and keep them for the block's time."""
        used = {address.depot for address in (*node.reads, *node.writes)}
        with ExitStack() as held:
            # In one order for all jobs, so that no two wait for each other.
            for name in sorted(used & self._slots.keys()):
                held.enter_context(self._slots[name])
            yield
