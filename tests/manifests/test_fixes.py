"""Fixes change what they name, keep everything else, and leave nothing to fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataos_dagster.manifests.diagnostics import Edit, Fix, Position, Range, Severity
from dataos_dagster.manifests.fixes import apply, fix_file, line_edits, safe_fixes
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

LIMITS = LimitSettings()


def edit(line: int, start: int, end: int, text: str) -> Edit:
    return Edit(Range(Position(line, start), Position(line, end)), text)


def errors_of(text: str) -> int:
    _, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    return sum(found.severity is Severity.ERROR for found in diagnostics)


def fixed(text: str) -> str:
    """Return a text with all safe fixes applied, again and again until there are none."""
    for _ in range(10):
        _, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
        fixes = [found.fix for found in safe_fixes(diagnostics).get("x.yaml", [])]
        after = apply(text, fixes)
        if after == text or errors_of(after) > errors_of(text):
            return text
        text = after
    raise AssertionError("fixes do not come to an end")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("workflow:\n\tdag:\n\t\t- name: a # keep\n", "workflow:\n  dag:\n    - name: a # keep\n"),
        ("owner:   @mira   # who\n", 'owner:   "@mira"   # who\n'),
        ("tags:\n  - a\n  -b   # tight\n\n  - c\n", "tags:\n  - a\n  - b   # tight\n\n  - c\n"),
        ("name:x\nversion: v1\n", "name: x\nversion: v1\n"),
        ("description: {{ x }}\n", 'description: "{{ x }}"\n'),
        ("name: {{x}}-r\nversion: v1\n", 'name: "{{x}}-r"\nversion: v1\n'),
        ('name: "x",  # a comment\ntype: y\n', 'name: "x"  # a comment\ntype: y\n'),
        ("**name**: x\nversion: **v1**\n", "name: x\nversion: v1\n"),
        ("description: Note: late # really\n", 'description: "Note: late" # really\n'),
        ('text: say "hi": now\n', "text: 'say \"hi\": now'\n"),
        ("a:\n\u00a0\u00a0b: 1\n", "a:\n  b: 1\n"),
    ],
)
def test_a_safe_fix_keeps_comments_and_layout(wrong, right):
    assert fixed(wrong) == right
    assert errors_of(right) == 0
    assert fixed(right) == right


@pytest.mark.parametrize(
    "text",
    [
        "secrets:\n  - name: a\n  allkeys: true\n",
        'title: "late\nversion: v1\ntype: "x"\n',
        "name: x version: v1\n",
        "tags: [a, b\nversion: v1\n",
        "job:\n  logLevel: INFO\n  logLevel: WARN\n",
    ],
)
def test_what_could_mean_two_things_is_left_to_the_user(text):
    assert fixed(text) == text


def test_edits_that_overlap_are_not_both_applied():
    fixes = [
        Fix("", (edit(1, 1, 4, "x"),)),
        Fix("", (edit(1, 3, 5, "y"), edit(2, 1, 2, "z"))),
        Fix("", (edit(2, 1, 1, "w"),)),
    ]
    assert apply("abcdef\nghi", fixes) == "xdef\nwghi"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_stay_as_they_are(line_break):
    text = f"a: 1{line_break}b: @x{line_break}c: 3{line_break}"
    assert fixed(text) == text.replace("@x", '"@x"')


def test_a_file_keeps_its_mark_its_permissions_and_its_name(tmp_path):
    target = tmp_path / "real.yaml"
    target.write_bytes(b"\xef\xbb\xbfowner: @mira\r\n")
    target.chmod(0o640)
    link = tmp_path / "orders.yaml"
    link.symlink_to(target)
    _, diagnostics = read_text("owner: @mira\r\n", file=link, name="orders.yaml", limits=LIMITS)
    assert fix_file(link, diagnostics, errors_of)
    assert target.read_bytes() == b'\xef\xbb\xbfowner: "@mira"\r\n'
    assert target.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["orders.yaml", "real.yaml"]


def test_a_fix_that_would_break_the_file_is_not_applied(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\n")
    [found] = read_text("a: @\n", file=file, name="x.yaml", limits=LIMITS)[1]
    from dataclasses import replace

    worse = replace(found, fix=Fix("break it", (edit(1, 4, 5, "["),), safe=True))
    assert not fix_file(file, [worse], errors_of)
    assert file.read_text() == "a: 1\n"


@given(st.text(alphabet="abc :-", max_size=30), st.text(alphabet="abc :-'\"", max_size=30))
@settings(max_examples=200, deadline=None)
def test_the_edits_of_a_line_turn_the_one_into_the_other(before, after):
    edits = line_edits(1, before, after)
    assert apply(before, [Fix("", edits)]) == after


PIECES = ["\t", "-", "- ", ":", ": ", "{{ x }}", "*", "@", "'", '"', ",", "**", " #c", "\n", "  ", "\u00a0", "%", "`"]
MANIFEST = "# head\nname: a\ntags:\n  - x\n  - y  # why\nworkflow:\n  dag:\n    - name: load\n      spec: {a: 1}\n      sql: |\n        select 1\n"


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_fixing_twice_changes_nothing_more_and_brings_no_errors(data):
    text = MANIFEST
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at:]
    after = fixed(text)
    assert fixed(after) == after
    assert errors_of(after) <= errors_of(text)
