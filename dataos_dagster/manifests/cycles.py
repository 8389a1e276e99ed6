"""Circles in a graph of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Return one circle as the names on it, the first one again at the end; None when there is none.

    Names that lead nowhere are no part of any circle. The walk keeps its own stack: a chain may be longer than
    Python's call stack is deep.

    Args:
        edges: Name to the names that it leads to.
    """
    done: set[str] = set()
    for start in edges:
        trail: list[str] = []
        on_trail: set[str] = set()
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                on_trail.discard(trail.pop())
                done.add(name)
                continue
            if name in on_trail:
                return (*trail[trail.index(name) :], name)
            if name in done:
                continue
            trail.append(name)
            on_trail.add(name)
            pending.append((name, True))
            pending += [(following, False) for following in edges.get(name, ()) if following in edges]
    return None
