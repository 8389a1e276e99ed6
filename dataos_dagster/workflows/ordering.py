"""Do pieces of work in the order of what waits for what, independent ones side by side."""

from __future__ import annotations

import heapq
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
    work: Callable[[str], None],
    *,
    at_once: int,
    stop: Callable[[], None],
    slots: Slots | None = None,
) -> None:
    """Do all of the work, each piece after those that it waits for; of those that may start, the first goes first.

    A piece that waits for a slot lets later ones pass that need none of it.

    Args:
        waits_for: Piece of work to those that go before it, in an order in which they could be done one by one.
        work: Does a piece. With `at_once` above one it is called in threads of its own.
        at_once: How many pieces are done at the same time.
        stop: Makes pieces that are being done end soon: called when this thread is interrupted, or a piece raises.
            They are waited for, and the interrupt or error goes on to the caller.
        slots: What pieces share; all of it is there while nothing is done.
    """
    if at_once == 1 or len(waits_for) == 1:
        for name in waits_for:
            work(name)
        return
    slots = slots or _Unbounded()
    rank = {name: number for number, name in enumerate(waits_for)}
    names = list(waits_for)
    sorter = TopologicalSorter(waits_for)
    sorter.prepare()
    ready: list[int] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(at_once, thread_name_prefix="dataos-job") as pool:
        try:
            while sorter.is_active():
                for name in sorter.get_ready():
                    heapq.heappush(ready, rank[name])
                for number in _startable(ready, at_once - len(running), lambda number: slots.take(names[number])):
                    running[pool.submit(work, names[number])] = names[number]
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    slots.give_back(name)
                    future.result()
                    sorter.done(name)
        except BaseException:
            stop()
            raise


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
