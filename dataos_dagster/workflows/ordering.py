"""Do pieces of work in the order of what waits for what, independent ones side by side."""

from __future__ import annotations

import heapq
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


class Slots(Protocol):
    """What pieces of work share, of which there is a limited number; asked by one thread."""

    def take(self, name: str) -> bool:
        """Take what a piece needs, all of it or nothing; return whether it was there."""

    def give_back(self, name: str) -> None:
        """Give back what a piece has taken."""


class _Unbounded:
    """Slots for all."""

    def take(self, name: str) -> bool:  # noqa: ARG002 - the interface
        return True

    def give_back(self, name: str) -> None:
        pass


def work_in_order(
    waits_for: Mapping[str, Collection[str]],
    work: Callable[[str], float | None],
    *,
    at_once: int,
    stop: Callable[[], None],
    slots: Slots | None = None,
) -> None:
    """Do all of the work, each piece after those that it waits for; of those that may start, the first goes first.

    A piece that waits for a slot lets later ones pass that need none of it, and one that pauses lets all of them pass.

    Args:
        waits_for: Piece of work to those that go before it, in an order in which they could be done one by one.
        work: Does a piece; returns None when it is done, or after how many seconds it is to be called for the piece
            again. With `at_once` above one it is called in threads of its own.
        at_once: How many pieces are done at the same time.
        stop: Makes pieces that are being done in other threads end soon: called when this thread is interrupted, or a
            piece raises. They are waited for, and the interrupt or error goes on to the caller. With one piece at a
            time there are none: an interrupt is raised in the piece itself.
        slots: What pieces share; all of it is there while nothing is done.
    """
    queue = _Queue(waits_for, slots or _Unbounded())
    if at_once == 1 or len(waits_for) == 1:
        while queue.is_active():
            for name in queue.start(1) or _after(queue.pause()):
                queue.end(name, work(name))
        return
    running: dict[Future[float | None], str] = {}
    with ThreadPoolExecutor(at_once, thread_name_prefix="dataos-job") as pool:
        try:
            while queue.is_active():
                for name in queue.start(at_once - len(running)):
                    running[pool.submit(work, name)] = name
                if not running:
                    _after(queue.pause())
                # While all hands are busy, the end of a pause starts nothing.
                seconds = queue.pause() if len(running) < at_once else None
                for future in wait(running, seconds, return_when=FIRST_COMPLETED).done:
                    queue.end(running.pop(future), future.result())
        except BaseException:
            stop()
            raise


class _Queue:
    """What is left to do: which pieces may start, and which pause.

    Args:
        waits_for: Piece of work to those that go before it; the order of the pieces is their rank.
        slots: What pieces share.
    """

    def __init__(self, waits_for: Mapping[str, Collection[str]], slots: Slots) -> None:
        self._names = list(waits_for)
        self._rank = {name: number for number, name in enumerate(self._names)}
        self._sorter = TopologicalSorter(waits_for)
        self._sorter.prepare()
        self._slots = slots
        self._ready: list[int] = []
        # When they go on (monotonic seconds), and their ranks.
        self._paused: list[tuple[float, int]] = []

    def is_active(self) -> bool:
        """Return whether something is left to do, or is being done."""
        return self._sorter.is_active()

    def start(self, room: int) -> list[str]:
        """Return the pieces that start now, at most so many; what they need of the slots is theirs until they end."""
        for name in self._sorter.get_ready():
            heapq.heappush(self._ready, self._rank[name])
        while self._paused and self._paused[0][0] <= time.monotonic():
            heapq.heappush(self._ready, heapq.heappop(self._paused)[1])
        taken = _startable(self._ready, room, lambda number: self._slots.take(self._names[number]))
        return [self._names[number] for number in taken]

    def end(self, name: str, pause: float | None) -> None:
        """Note that a piece is done, or goes on after so many seconds; its slots are free meanwhile."""
        self._slots.give_back(name)
        if pause is None:
            self._sorter.done(name)
        else:
            heapq.heappush(self._paused, (time.monotonic() + pause, self._rank[name]))

    def pause(self) -> float | None:
        """Return after how many seconds the next piece goes on; None when none pauses."""
        return max(0.0, self._paused[0][0] - time.monotonic()) if self._paused else None


def _after(seconds: float | None) -> tuple[str, ...]:
    """Wait for the end of a pause; nothing starts by that itself."""
    time.sleep(seconds or 0.0)
    return ()


def _startable(ready: list[int], room: int, take: Callable[[int], bool]) -> list[int]:
    """Remove from a heap as many pieces as there is room for, the first of those that get their slots."""
    passed: list[int] = []
    found: list[int] = []
    while ready and len(found) < room:
        number = heapq.heappop(ready)
        (found if take(number) else passed).append(number)
    for number in passed:
        heapq.heappush(ready, number)
    return found
