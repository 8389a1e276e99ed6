"""Properties texts are read as Java reads them, and written so that it reads the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.secrets.properties import format_properties, parse_properties

TEXTS = st.text(st.characters(exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("user=ann\npassword=x=y:z\n", {"user": "ann", "password": "x=y:z"}),
        ("user: ann\r\npassword : p w \r\n", {"user": "ann", "password": "p w "}),
        ("# comment\n! another\n\n  user = ann", {"user": "ann"}),
        ("long=one,\\\n     two", {"long": "one,two"}),
        ("path=C:\\\\keys\\u0041", {"path": "C:\\keysA"}),
        ("tab=a\\tb\\nc", {"tab": "a\tb\nc"}),
        ("a\\=b=c", {"a=b": "c"}),
        ("empty=", {"empty": ""}),
        ("ends=in\\", {"ends": "in"}),
    ],
)
def test_every_form_that_java_knows_is_read(text, pairs):
    assert parse_properties(text) == pairs


@pytest.mark.parametrize("text", ["", "one line of text", "a=b\nno pair here", "-----BEGIN KEY-----\nMIIE"])
def test_a_text_of_another_kind_has_no_pairs(text):
    assert parse_properties(text) == {}


@given(st.dictionaries(TEXTS.filter(bool), TEXTS, min_size=1))
def test_what_is_written_is_read_back(pairs):
    assert parse_properties(format_properties(pairs)) == pairs
