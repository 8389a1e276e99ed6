"""The word that was meant: one slip or two, and never a guess between several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.manifests.spelling import meant, near, nearest, slips_between


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("from", "from", 0),
        ("frm", "from", 1),
        ("form", "from", 1),
        ("fro", "from", 1),
        ("flair", "flare", 2),
        ("a", "xyz", 3),
    ],
)
def test_a_slip_is_a_letter_or_two_that_changed_places(one, other, slips):
    assert slips_between(one, other, 3) == slips_between(other, one, 3) == slips


@given(one=st.text("abc", max_size=8), other=st.text("abc", max_size=8), most=st.integers(0, 4))
def test_giving_up_early_changes_no_answer(one, other, most):
    exact = slips_between(one, other, 99)
    found = slips_between(one, other, most)
    assert found == exact if exact <= most else found > most


def test_one_near_word_is_meant_and_of_several_none():
    assert meant("saveMod", ["saveMode", "name"]) == "saveMode"
    assert meant("save_mode", ["saveMode"]) == "saveMode"
    assert meant("tess", ["test", "less"]) is None
    assert nearest("flair", ["flash", "flare"]) == "flare"


def test_short_words_are_near_to_few():
    assert near("ab", ["ac", "abc"]) == []
    assert meant("nam", ["name", "tags"]) == "name"
    assert nearest("zebra", ["name"]) is None
