"""Whatever a file holds, reading it raises nothing and points into the file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dataos_dagster.manifests.composing import LINE_BREAK
from dataos_dagster.manifests.console import render
from dataos_dagster.manifests.fixes import apply
from dataos_dagster.manifests.interpolation import interpolate
from dataos_dagster.manifests.reader import read_file, read_text
from dataos_dagster.settings import LimitSettings

LIMITS = LimitSettings()
MANIFEST = """\
# a workflow
name: wf-orders
version: v1
type: workflow
tags: [sales, daily]
description: "Orders of the day"
workflow:
  schedule:
    cron: '0 6 * * *'
  dag:
    - name: load
      spec:
        stack: flare:7.0
        stackSpec:
          job:
            inputs:
              - name: orders
                dataset: dataos://lakehouse:retail/orders
            steps:
              - sequence:
                  - name: late
                    sql: |
                      select *
                      from orders where late = true
"""
ALPHABET = "abc: -#\n\t'\"{}[]&*!|>%@`,?$<=~\\éß\u2028\u00a0\ufeff0123"
SNIPPETS = [
    "\t",
    "- ",
    "-",
    ":",
    ": ",
    "{{ x }}",
    "*",
    "'",
    '"',
    "[",
    "}",
    "#",
    "|",
    "  ",
    "\n",
    "${X}",
    "**a**",
    "&a",
    "`",
]


def check(text: str) -> None:
    documents, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    lines = LINE_BREAK.split(text)
    for found in diagnostics:
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
        assert (found.line, found.column) <= (found.end_line, found.end_column)
        assert found.message
        assert found.hint
        assert render(found)
        if found.fix is not None:
            apply(text, [found.fix])
    for document in documents:
        _check_positions(document, document.data, (), lines)
        interpolate(document, document.data, {"X": "x"})


def _check_positions(document, value, path, lines) -> None:
    place = document.range_of(path)
    assert 1 <= place.start.line <= len(lines)
    assert 1 <= place.start.column <= len(lines[place.start.line - 1]) + 1
    assert place.start <= place.end
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        _check_positions(document, child, (*path, key), lines)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes(content):
    # hypothesis calls the function many times, so a file of its own each time instead of pytest's folder.
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        documents, diagnostics = read_file(Path(file.name), name="x.yaml", limits=LIMITS)
    assert documents or diagnostics


@given(st.text(alphabet=st.one_of(st.sampled_from(ALPHABET), st.characters(exclude_categories=["Cs"])), max_size=200))
@settings(max_examples=400, deadline=None)
@example("? a\n: b\n")
@example("a: &x\n<<: *x\n")
@example("{{a}}: b")
@example("- {{a}}")
@example("a: |\n\tb")
@example("\u2028a: b\n c")
@example("?")
@example("%YAML 1.1\n---\na")
@example("a: 'b\n\n c'\n d: e")
@example("? [a]\n: b")
@example("<<: [a]")
@example("!!binary x: y")
@example("a: b\n\ufeffc")
def test_any_text(text):
    check(text)


@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_mutation_of_a_manifest(data):
    text = MANIFEST
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        removed = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(["", *SNIPPETS])) + text[at + removed :]
    check(text)


# JSON escapes what is above U+FFFF as two surrogates, which is no YAML.
texts = st.text(alphabet=st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_what_another_writer_dumps_is_read_back(value):
    import json

    text = json.dumps(value, ensure_ascii=True)
    documents, _ = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    assert [document.data for document in documents] == [value]
