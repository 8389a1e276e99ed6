"""Bounds on jobs: how long one may run, and how many use a depot at the same time."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dataos_dagster.depots.catalog import canonical_name
from dataos_dagster.errors import DataOSError, JobTimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import JobNode

_SECONDS_BETWEEN = 1.0
# An engine that heeds no interrupt for so long is ended.
_SECONDS_OF_GRACE = 5.0


@contextmanager
def time_limit(
    sessions: Sessions, session: EngineSession, seconds: float | None, location: Location | None = None
) -> Iterator[None]:
    """Stop what runs on a session when the block takes too long; a block that ends all the same is not disturbed.

    It is interrupted. When the engine does not heed that, the engine is ended, once no other job is at work on it.

    Args:
        sessions: Where the session is leased.
        session: The job's own session.
        seconds: How long; None has no bound.
        location: Where the job stands.

    Raises:
        JobTimedOut: The block failed after its time was over.
    """
    if seconds is None:
        yield
        return
    watch = _Watch(sessions, session, seconds)
    threading.Thread(target=watch.until_ended, name="dataos-time-limit", daemon=True).start()
    try:
        yield
    except DataOSError:
        if not watch.expired.is_set():
            raise
        raise JobTimedOut(
            f"it took longer than {seconds:g} s and was stopped",
            hint="what it had written before stays; `run.seconds` in dataos.yaml sets the time",
            location=location,
        ) from None
    finally:
        watch.end()


class _Watch:
    """Waits for the time of a block to be over, and stops what runs on its session then."""

    def __init__(self, sessions: Sessions, session: EngineSession, seconds: float) -> None:
        self._sessions, self._session, self._seconds = sessions, session, seconds
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self.expired = threading.Event()

    def end(self) -> None:
        """Say that the block has ended: nothing is stopped from now on."""
        with self._ending:
            self._ended.set()
        if self.expired.is_set():
            # An interrupt may still be on its way, and must not hit the next job's statement.
            self._sessions.discard(self._session)

    def until_ended(self) -> None:
        if self._ended.wait(self._seconds):
            return
        self.expired.set()
        # In a thread of its own: an engine that is busy on all cores may not even answer an interrupt.
        threading.Thread(target=self._interrupt, name="dataos-interrupt", daemon=True).start()
        if self._ended.wait(_SECONDS_OF_GRACE):
            return
        # To end the engine would fail the jobs beside this one, whose time is not over.
        while not self._sessions.is_alone(self._session):
            if self._ended.wait(_SECONDS_BETWEEN):
                return
        with self._ending:
            if not self._ended.is_set():
                self._session.stop_work()

    def _interrupt(self) -> None:
        """Interrupt until the work has ended: a statement that begins just after an interrupt is not hit by it."""
        while not self._ended.is_set():
            # An endpoint that cannot be reached runs nothing that could be interrupted.
            with suppress(DataOSError), self._session.failures():
                self._session.interrupt()
            self._ended.wait(_SECONDS_BETWEEN)


class DepotLimits:
    """How many jobs of a run use a depot at the same time; asked by one thread.

    Args:
        nodes: The jobs, by id.
        settings: `depots.<name>.jobs_at_once` says how many; depots without it have no bound.
    """

    def __init__(self, nodes: Mapping[str, JobNode], settings: Settings) -> None:
        self._nodes = nodes
        self._free = {
            canonical_name(name): depot.jobs_at_once
            for name, depot in settings.depots.items()
            if depot.jobs_at_once is not None
        }

    def take(self, job_id: str) -> bool:
        """Keep a slot of each depot that a job uses; return whether all had one free, and keep none if not."""
        used = self._bounded(job_id)
        if not all(self._free[name] for name in used):
            return False
        for name in used:
            self._free[name] -= 1
        return True

    def give_back(self, job_id: str) -> None:
        """Free the slots of a job that has ended."""
        for name in self._bounded(job_id):
            self._free[name] += 1

    def _bounded(self, job_id: str) -> set[str]:
        node = self._nodes[job_id]
        return {address.depot for address in (*node.reads, *node.writes)} & self._free.keys()
