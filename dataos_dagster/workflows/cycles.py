"""Cut a graph free of cycles at the edges that come last.

Edges are taken in the order given, and one that would close a cycle is cut: so of every cycle its last edge goes, and
the outcome depends on nothing but the order. Only what lies on or between cycles is searched, so that a graph without
cycles costs linear time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class _Edge(Protocol):
    @property
    def upstream(self) -> str: ...
    @property
    def downstream(self) -> str: ...


E = TypeVar("E", bound=_Edge)


def cut_cycles(edges: Sequence[E]) -> tuple[list[E], list[E]]:
    """Return the edges that stay and those that are cut, each in the order given."""
    pairs = [(edge.upstream, edge.downstream) for edge in edges]
    suspects = _downstream_of_cycles(pairs) & _downstream_of_cycles([(down, up) for up, down in pairs])
    kept: list[E] = []
    cut: list[E] = []
    after: dict[str, list[str]] = {}
    for edge in edges:
        if edge.upstream not in suspects or edge.downstream not in suspects:
            kept.append(edge)
        elif _reaches(after, edge.downstream, edge.upstream):
            cut.append(edge)
        else:
            after.setdefault(edge.upstream, []).append(edge.downstream)
            kept.append(edge)
    return kept, cut


def _downstream_of_cycles(pairs: Sequence[tuple[str, str]]) -> set[str]:
    """Return the nodes on cycles and behind them: those that Kahn's algorithm never gets to."""
    after: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for upstream, downstream in pairs:
        after.setdefault(upstream, []).append(downstream)
        waiting.setdefault(upstream, 0)
        waiting[downstream] = waiting.get(downstream, 0) + 1
    ready = [node for node, count in waiting.items() if count == 0]
    while ready:
        node = ready.pop()
        del waiting[node]
        for downstream in after.get(node, ()):
            waiting[downstream] -= 1
            if waiting[downstream] == 0:
                ready.append(downstream)
    return set(waiting)


def _reaches(after: Mapping[str, Iterable[str]], start: str, goal: str) -> bool:
    seen, stack = {start}, [start]
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        for following in after.get(node, ()):
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return False
