"""Cutting cycles: what stays has none, and nothing is cut in vain."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.workflows.cycles import cut_cycles


class Pair(NamedTuple):
    upstream: str
    downstream: str


nodes = st.sampled_from("abcdefgh")
graphs = st.lists(st.builds(Pair, nodes, nodes).filter(lambda pair: pair.upstream != pair.downstream), max_size=30)


def has_cycle(edges) -> bool:
    rest = set(edges)
    while rest:
        free = {edge for edge in rest if edge.upstream not in {other.downstream for other in rest}}
        if not free:
            return True
        rest -= free
    return False


@given(graphs)
def test_what_stays_has_no_cycle_and_every_edge_is_accounted_for(edges):
    kept, cut = cut_cycles(edges)
    assert not has_cycle(kept)
    assert sorted([*kept, *cut]) == sorted(edges)


@given(graphs)
def test_an_edge_is_cut_only_when_edges_before_it_close_a_cycle_with_it(edges):
    kept, _ = cut_cycles(edges)
    chosen: list[Pair] = []
    for edge in edges:
        if not has_cycle([*chosen, edge]):
            chosen.append(edge)
    assert kept == chosen


def test_the_last_edge_of_a_cycle_is_cut():
    edges = [Pair("a", "b"), Pair("b", "c"), Pair("c", "a"), Pair("c", "d")]
    assert cut_cycles(edges) == ([edges[0], edges[1], edges[3]], [edges[2]])
