"""Do pieces of work in the order of what waits for what, independent ones side by side."""

from __future__ import annotations

import heapq
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


def work_in_order(
    waits_for: Mapping[str, Collection[str]], work: Callable[[str], None], *, at_once: int, stop: Callable[[], None]
) -> None:
    """Do all of the work, each piece after those that it waits for; of those that may start, the first goes first.

    Args:
        waits_for: Piece of work to those that go before it, in an order in which they could be done one by one.
        work: Does a piece. With `at_once` above one it is called in threads of its own.
        at_once: How many pieces are done at the same time.
        stop: Makes pieces that are being done end soon: called when this thread is interrupted, or a piece raises.
            They are waited for, and the interrupt or error goes on to the caller.
    """
    if at_once == 1 or len(waits_for) == 1:
        for name in waits_for:
            work(name)
        return
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
                while ready and len(running) < at_once:
                    name = names[heapq.heappop(ready)]
                    running[pool.submit(work, name)] = name
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    future.result()
                    sorter.done(name)
        except BaseException:
            stop()
            raise
