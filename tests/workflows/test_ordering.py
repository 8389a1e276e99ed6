"""Work in order: what waits for what, side by side, and how it ends when somebody interrupts."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.workflows.ordering import work_in_order


@st.composite
def graphs(draw):
    """Return pieces of work that wait for earlier ones."""
    count = draw(st.integers(1, 12))
    earlier = [draw(st.sets(st.integers(0, number - 1))) if number else set() for number in range(count)]
    return {str(number): {str(other) for other in before} for number, before in enumerate(earlier)}


@given(graphs(), st.integers(1, 4))
def test_every_piece_is_done_once_and_after_those_that_it_waits_for(waits_for, at_once):
    done, lock = [], threading.Lock()

    def work(name):
        with lock:
            assert waits_for[name] <= set(done)
            done.append(name)

    work_in_order(waits_for, work, at_once=at_once, stop=lambda: None)
    assert sorted(done) == sorted(waits_for)


def test_at_most_so_many_are_done_at_the_same_time():
    running, most, lock = set(), [], threading.Lock()

    def work(name):
        with lock:
            running.add(name)
            most.append(len(running))
        threading.Event().wait(0.02)
        with lock:
            running.remove(name)

    work_in_order({str(number): set() for number in range(9)}, work, at_once=3, stop=lambda: None)
    assert max(most) == 3


class OneSlot:
    """One slot that pieces of these names need."""

    def __init__(self, *users):
        self.users, self.free = users, True

    def take(self, name):
        if name not in self.users:
            return True
        taken, self.free = self.free, False
        return taken

    def give_back(self, name):
        self.free = self.free or name in self.users


def test_a_piece_that_waits_for_a_slot_lets_others_pass():
    passed, done = threading.Event(), []

    def work(name):
        if name == "a":
            assert passed.wait(10)
        done.append(name)
        if name == "free":
            passed.set()

    names = dict.fromkeys(("a", "b", "c", "free"), ())
    work_in_order(names, work, at_once=2, stop=passed.set, slots=OneSlot("a", "b", "c"))
    assert done == ["free", "a", "b", "c"]


def test_an_interrupt_stops_what_is_done_waits_for_it_and_begins_nothing_new():
    stopped, ended, begun = threading.Event(), [], []

    def work(name):
        begun.append(name)
        if name == "loud":
            raise KeyboardInterrupt
        assert stopped.wait(10)
        ended.append(name)

    with pytest.raises(KeyboardInterrupt):
        work_in_order({"long": (), "loud": (), "later": ("long",)}, work, at_once=2, stop=stopped.set)
    assert (sorted(begun), ended) == (["long", "loud"], ["long"])


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_piece_that_pauses_lets_all_others_pass_and_gives_its_slots_back(at_once):
    calls = []

    def work(name):
        calls.append(name)
        return 0.2 if name == "tried" and calls.count("tried") < 3 else None

    waits_for = {"tried": (), "user": (), "free": (), "last": ("tried",)}
    work_in_order(waits_for, work, at_once=at_once, stop=lambda: None, slots=OneSlot("tried", "user"))
    assert calls[0] == "tried"
    assert sorted(calls[1:3]) == ["free", "user"]
    assert calls[3:] == ["tried", "tried", "last"]


def test_an_interrupt_ends_a_pause(monkeypatch):
    stopped = []

    def interrupted(seconds):
        assert seconds > 1000
        raise KeyboardInterrupt

    monkeypatch.setattr("dataos_dagster.workflows.ordering.time.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work_in_order({"a": (), "b": ()}, lambda _: 5000.0, at_once=2, stop=lambda: stopped.append(True))
    assert stopped == [True]
