"""A part of a text value is found in its file, however YAML wrote the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataos_dagster.manifests.diagnostics import Position
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

if TYPE_CHECKING:
    from pathlib import Path

SCALARS = {
    "plain": "sql: SELECT a FROM orders",
    "plain on several lines": "sql: SELECT a\n  FROM\n\n  orders",
    "literal": "sql: |\n  SELECT a\n    FROM orders",
    "literal that is indented deeper": "sql: |-\n        SELECT a\n\n        FROM orders\n",
    "literal with its own indentation": "sql: |2-\n\n    SELECT a\n  FROM orders",
    "literal with a comment": "sql: |  # orders of today\n  SELECT a\n  FROM orders\n# orders",
    "folded": "sql: >\n  SELECT a\n  FROM\n  orders\n\n",
    "folded with lines that stand out": "sql: >-\n  SELECT a\n\n\n      , b\n  FROM orders",
    "single quotes": "sql: 'SELECT ''a'' FROM orders'",
    "single quotes on several lines": "sql: 'SELECT ''a'',\n\n  ''b'' FROM\n  orders'",
    "double quotes": 'sql: "SELECT \\"a\\"\\tFROM orders"',
    "double quotes on several lines": 'sql: "SELECT \\u0061,\\n\\\n   \\x41 FROM\n  orders"',
    "a tag in front": "sql: !!str SELECT a FROM orders",
    "an anchor in front": "sql: &query 'SELECT a FROM orders'",
    "a block behind an anchor": "sql: &query >-\n  SELECT a\n  FROM orders",
    "another script": "sql: >\n  SELECT 'ü😀' AS ß\n  FROM orders",
}


def document_of(text: str, tmp_path: Path):
    file = tmp_path / "x.yaml"
    file.write_bytes(text.encode("utf-8"))
    [document], _ = read_text(file.read_bytes().decode("utf-8"), file=file, name="x.yaml", limits=LimitSettings())
    return document


def cut(text: str, place) -> str:
    assert place.start.line == place.end.line
    return text.split("\n")[place.start.line - 1][place.start.column - 1 : place.end.column - 1]


@pytest.mark.parametrize("text", SCALARS.values(), ids=list(SCALARS))
def test_a_word_of_a_text_is_found_where_it_was_written(text: str, tmp_path):
    document = document_of(text, tmp_path)
    sql = document.data["sql"]
    start = sql.index("orders")
    assert cut(text, document.range_in(("sql",), sql, start, start + len("orders"))) == "orders"
    first = sql.index("SELECT")
    assert cut(text, document.range_in(("sql",), sql, first, first + len("SELECT"))) == "SELECT"


def test_lines_that_end_with_a_carriage_return_count_like_others(tmp_path):
    text = "sql: >-\r\n  SELECT a\r\n  FROM orders\r\n"
    document = document_of(text, tmp_path)
    place = document.range_in(("sql",), document.data["sql"], document.data["sql"].index("orders"), 99)
    assert (place.start, place.end) == (Position(3, 8), Position(3, 14))


def test_an_escape_is_as_wide_as_it_is_written(tmp_path):
    text = 'sql: "SELECT \\u0061, b"'
    document = document_of(text, tmp_path)
    assert cut(text, document.range_in(("sql",), "SELECT a, b", 7, 8)) == "\\u0061"


def test_a_place_behind_the_text_is_its_last_character(tmp_path):
    text = "sql: SELECT a FROM"
    document = document_of(text, tmp_path)
    assert cut(text, document.range_in(("sql",), "SELECT a FROM", 13, 14)) == "M"


def test_a_text_that_does_not_stand_there_has_the_place_of_the_whole_value(tmp_path):
    document = document_of("sql: orders.sql", tmp_path)
    assert document.range_in(("sql",), "SELECT 1", 0, 6) == document.range_of(("sql",))


WORDS = st.lists(st.sampled_from(["SELECT", "a", ",", "'x'", '"y"', "ü", "\\n", "(", "-- c", "#", "{{b}}"]), min_size=1)


@given(words=WORDS, breaks=st.lists(st.integers(0, 2), min_size=12, max_size=12), style=st.sampled_from("|>'\""))
def test_every_character_of_every_style_is_found(words, breaks, style, tmp_path_factory):
    separators = [("\n" * breaks[index % len(breaks)]) or " " for index in range(len(words))]
    body = "".join(f"{separator}{word}" for separator, word in zip(separators, words, strict=True)).strip()
    text = f"sql: {quoted(body, style)}\n"
    document = document_of(text, tmp_path_factory.mktemp("file"))
    value = document.data["sql"]
    for offset, character in enumerate(value):
        if not character.isspace():
            found = cut(text, document.range_in(("sql",), value, offset, offset + 1))
            assert found in {character, {"'": "''", '"': '\\"', "\\": "\\\\"}.get(character)}


def quoted(body: str, style: str) -> str:
    lines = body.replace("\n", "\n  ")
    if style in "|>":
        return f"{style}\n  {lines}"
    if style == "'":
        return "'" + lines.replace("'", "''") + "'"
    return '"' + lines.replace("\\", "\\\\").replace('"', '\\"') + '"'
