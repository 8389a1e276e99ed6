"""Secrets stay out of what is shown, also when the file does not parse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataos_dagster.manifests.console import render
from dataos_dagster.manifests.diagnostics import Position, Range
from dataos_dagster.manifests.interpolation import interpolate
from dataos_dagster.manifests.masking import SENSITIVE_PARTS, SENSITIVE_WORD
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.manifests.snippets import snippet
from dataos_dagster.settings import LimitSettings

LIMITS = LimitSettings()
SECRET = "hunter2-s3cr3t"


def shown(text: str, line: int) -> str:
    return snippet(text, Range(Position(line, 1), Position(line, 2)))


@pytest.mark.parametrize(
    "line",
    [
        f"password: {SECRET}",
        f"  - password: {SECRET}",
        f"    dbPassword:   {SECRET}",
        f"password:{SECRET}",
        f"\tpassword: {SECRET}",
        f"**password**: {SECRET}",
        f"fs.s3a.secret.key: {SECRET}",
        f"awssecretaccesskey: {SECRET}",
        f"options: {{user: me, password: {SECRET}}}",
        f'body: \'{{"api_key": "{SECRET}"}}\'',
        f"url: jdbc:postgresql://db/shop?user=me&password={SECRET}",
        f"url: postgresql://me:{SECRET}@db/shop",
        f"Authorization: Bearer {SECRET}",
        f"connectionString: Server=x;Pwd={SECRET}",
    ],
)
def test_a_value_that_sounds_secret_is_masked_in_any_document(line):
    text = f"name: a\n{line}\n"
    assert SECRET not in shown(text, 2)
    assert "********" in shown(text, 2)


def test_the_lines_of_a_secret_text_are_masked():
    text = f"envs:\n  PRIVATE_KEY: |\n    -----BEGIN-----\n    {SECRET}\n  USER: me\n"
    assert SECRET not in shown(text, 4)
    assert shown(text, 5).splitlines()[1] == "5 |   USER: me"


def test_the_value_behind_a_secret_name_is_masked():
    text = f"env:\n  - name: DB_PASSWORD\n    value: {SECRET}\n  - name: USER\n    value: me\n"
    assert SECRET not in shown(text, 3)
    assert "value: me" in shown(text, 5)


@pytest.mark.parametrize(
    "head", ["type: secret", "type: instance-secret", 'type: "secret"', "secret:", "type: depot", "- type: Secret"]
)
@pytest.mark.parametrize(
    "line", [f"    foo: {SECRET}", f"    {SECRET}", f"    - {SECRET}", f"    type: {SECRET}", f"# x: {SECRET}"]
)
def test_values_of_secret_kinds_are_masked_whatever_their_key(head, line):
    text = f"name: a\n{head}\nsection:\n  data:\n{line}\n"
    assert SECRET not in shown(text, 5)


def test_the_envelope_of_a_secret_kind_is_shown():
    text = "name: orders-r\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n"
    assert shown(text, 2) == "1 | name: orders-r\n2 | type: secret\n  | ^"
    assert shown(text, 5).splitlines()[1] == "5 |   acl: r"


@pytest.mark.parametrize("opening", ["|", ">-", '"-----BEGIN', "'-----BEGIN"])
def test_a_secret_text_is_masked_where_it_looks_like_keys(opening):
    text = f"type: secret\nsecret:\n  data:\n    a: {opening}\n      {SECRET}: x\n    b: y\n"
    assert SECRET not in shown(text, 5)
    assert shown(text, 6).splitlines()[1] == "6 |     b: ********"


def test_other_documents_of_the_file_are_shown():
    text = f"type: secret\nsecret:\n  data:\n    a: {SECRET}\n---\ntype: workflow\nowner: mira\n"
    assert "owner: mira" in shown(text, 7)


def test_names_of_secrets_are_shown():
    text = "spec:\n  dataosSecrets:\n    - name: orders-r\n      allKeys: true\n"
    assert "name: orders-r" in shown(text, 3)


def test_the_caret_stands_below_the_mask():
    text = f"password: {SECRET}\n"
    assert snippet(text, Range(Position(1, 14), Position(1, 18))) == "1 | password: ********\n  |           ^^^^^^^^"


def test_a_tab_is_shown_and_wide_characters_keep_the_caret_in_place():
    assert snippet("a: 日本 x\n", Range(Position(1, 7), Position(1, 8))) == "1 | a: 日本 x\n  |         ^"
    assert shown("\tb: 1\n", 1).splitlines()[0] == "1 | →b: 1"


def test_a_long_line_is_cut_around_the_caret():
    text = "sql: " + "a" * 400 + "X" + "b" * 400
    rows = snippet(text, Range(Position(1, 406), Position(1, 407))).splitlines()
    assert len(rows[0]) < 130
    assert rows[0][rows[1].index("^")] == "X"


BROKEN = [
    "type: secret\nsecret:\n  data:\n    a: {0}\n     b: x\n",
    "type: secret\nsecret:\n  data:\n    a: '{0}\n    b: x\n",
    "type: secret\nsecret:\n  data:\n    a: @{0}\n",
    "type: secret\nsecret:\n  data:\n    {0} x\n    b: x\n",
    "type: secret\nsecret:\n  data:\n    {0}:x y\n    b: x\n",
    "type: secret\nsecret:\n  data:\n    a: x {0}: y\n",
    "type: instance-secret\ninstance-secret:\n  data:\n  -{0}\n  - b\n",
    "type: workflow\nenvs:\n  password: {0}\n    a: b\n",
    "type: workflow\nenvs:\n  password: *{0}\n",
    'type: workflow\nenvs:\n  password: "{0}" x\n',
    "type: secret\nsecret:\n  data:\n    a: {0}\n    a: {0}\n",
    "type: secret\nsecret:\n  data:\n    a: {{{{{0}}}}}\n",
    "type: secret\nsecret:\n  data:\n    a: !{0}\n",
    "type: secret\nsecret:\n  data:\n    a: ${{{{{0}}}}}\n",
    "type: secret\nsecret:\n  data:\n    a: <{0}>\n",
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_secret_is_explained_without_being_told(text):
    text = text.format(SECRET)
    documents, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    for document in documents:
        diagnostics += interpolate(document, document.data, {}).diagnostics
    assert diagnostics
    for found in diagnostics:
        assert SECRET not in render(found)
        assert SECRET not in repr(found)


SECRET_MANIFEST = """\
name: orders-rw
version: v1
type: instance-secret
layer: user
instance-secret:
  type: key-value-properties
  acl: rw
  data:
    username: hunter2-s3cr3t
    password: "hunter2-s3cr3t"
    keys:
      - hunter2-s3cr3t
    text: |
      hunter2-s3cr3t
"""


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_mutation_of_a_secret_manifest_gives_it_away(data):
    text = SECRET_MANIFEST
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(SECRET_MANIFEST.index("acl:"), len(text)))
        text = (
            text[:at]
            + data.draw(st.sampled_from([" ", "\n", ":", "'", '"', "- ", "\t", "#", "{", "*", "@", "|"]))
            + text[at:]
        )
    _, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    for found in diagnostics:
        assert SECRET not in render(found)
        assert SECRET not in repr(found.fix)


@given(st.from_regex(re.compile(SENSITIVE_WORD, re.IGNORECASE | re.ASCII), fullmatch=True))
def test_each_sensitive_word_holds_one_of_the_parts_that_are_looked_for_first(word):
    assert any(part in word.lower() for part in SENSITIVE_PARTS)
