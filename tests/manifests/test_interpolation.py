"""Variables are put in scalar by scalar; what stays open is told in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.interpolation import interpolate
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

ENVIRONMENT = {"SCHEMA": "retail", "PASSWORD": "p: [x", "PORT": "5432"}


def put_in(text: str, environment=ENVIRONMENT, *, allow_placeholders: bool = False):
    [document], diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LimitSettings())
    assert [found for found in diagnostics if found.severity is Severity.ERROR] == []
    return interpolate(document, document.data, environment, allow_placeholders=allow_placeholders)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: $SCHEMA", "retail"),
        ("a: ${SCHEMA}", "retail"),
        ("a: dataos://lakehouse:${SCHEMA}/orders", "dataos://lakehouse:retail/orders"),
        ("a: ${SCHEMA}-${PORT}", "retail-5432"),
        ("a: ${PORT}", "5432"),
        ("a: costs $SCHEMA", "costs $SCHEMA"),
        ("a: $UNKNOWN", "$UNKNOWN"),
        ("a: $|key|", "$|key|"),
        ("a: orders$files", "orders$files"),
        ("a: ^[a-z]+$", "^[a-z]+$"),
        ("a: ${!json()}", "${!json()}"),
        ("a: ${LEVEL:-info}", "${LEVEL:-info}"),
    ],
)
def test_a_scalar_is_replaced_by_the_rules(text, expected):
    result = put_in(text)
    assert result.data == {"a": expected}
    assert result.diagnostics == []


def test_a_value_cannot_add_keys_or_items():
    result = put_in("a: ${X}\nb: [${X}]".replace("[${X}]", '["${X}"]'), {"X": "x\nc: d\n- e"})
    assert result.data == {"a": "x\nc: d\n- e", "b": ["x\nc: d\n- e"]}


def test_what_is_put_in_is_not_looked_at_again():
    assert put_in("a: x-${A}", {"A": "${B}", "B": "b"}).data == {"a": "x-${B}"}


@pytest.mark.parametrize("section", ["secret", "instance-secret", "depot"])
def test_secret_data_is_replaced_only_as_a_whole(section):
    result = put_in(
        f"type: {section}\n{section}:\n  data:\n    a: $PASSWORD\n    b: ${{PASSWORD}}\n    c: x${{SCHEMA}}$y{{{{z}}}}\n"
    )
    assert result.data[section]["data"] == {"a": "p: [x", "b": "p: [x", "c": "x${SCHEMA}$y{{z}}"}
    assert result.diagnostics == []


@pytest.mark.parametrize("key", ["sql", "ql", "bodyTemplate", "valueJqFilter", "mapping"])
def test_sql_and_templates_are_left_alone(key):
    result = put_in(f"a:\n  {key}: 'x ${{SCHEMA}} {{{{ y }}}} <b>'\n")
    assert result.data == {"a": {key: "x ${SCHEMA} {{ y }} <b>"}}
    assert result.diagnostics == []
    assert put_in(f"{key}: ${{SCHEMA}}").data == {key: "retail"}


@pytest.mark.parametrize(
    "placeholder",
    ["${{owner}}", "{{owner}}", "${name of the owner}", "${owner-name}", "<owner>", "<owner name>", "${OWNER}", "x-${{y}}",
     "https://<host>:<port>/x", "dataos://{{depot}}:none"],
)  # fmt: skip
def test_every_spelling_of_a_placeholder_is_an_error_in_its_place(placeholder):
    result = put_in(f"name: a\nowner: '{placeholder}'\n")
    [found] = result.diagnostics
    assert (found.severity, found.location, found.path) == (Severity.ERROR, "x.yaml:2:8", ("owner",))
    assert found.code == ("undefined-variable" if placeholder == "${OWNER}" else "placeholder")
    assert result.placeholders == {("owner",)}
    assert result.is_broken


def test_templates_may_be_checked_as_they_are():
    result = put_in("type: '${{type}}'\na: ${X}\nb: ['<c>']\n", allow_placeholders=True)
    assert {found.severity for found in result.diagnostics} == {Severity.WARNING}
    assert result.placeholders == {("type",), ("a",), ("b", 0)}
    assert not result.is_broken


def test_a_key_may_be_a_placeholder():
    [found] = put_in("a:\n  ${{key}}: 1\n").diagnostics
    assert (found.code, found.location) == ("placeholder", "x.yaml:2:3")


@pytest.mark.parametrize(
    "text",
    [
        "schema: array<struct<a:int>>",
        "description: use <b>bold</b> words",
        "check: row_count between 1 and 5 < 10 > 3",
        "filter: a<b and c>d",
        "a: '<='",
    ],
)
def test_angle_brackets_of_types_tags_and_comparisons_are_no_placeholders(text):
    assert put_in(text).diagnostics == []


def test_templates_of_alerts_are_theirs():
    text = "type: pager\npager:\n  output:\n    email:\n      subject: '{{ name }} failed'\n"
    assert put_in(text).diagnostics == []


def test_variables_that_the_manifest_defines_for_its_process_are_left_to_it():
    text = "service:\n  envs:\n    TOPIC: orders\n  arguments:\n    - --topic=${TOPIC}\n"
    result = put_in(text)
    assert result.data["service"]["arguments"] == ["--topic=${TOPIC}"]
    assert result.diagnostics == []


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), st.text(max_size=20), max_size=3),
    st.text(alphabet="ABC${} x<>-", max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_the_shape_of_a_document_never_changes(environment, text):
    import json

    source = json.dumps({"a": {"b": [text, 1, None]}, "c": text})
    result = put_in(source, environment)
    assert list(result.data) == ["a", "c"]
    assert result.data["a"]["b"][1:] == [1, None]
    assert isinstance(result.data["a"]["b"][0], str)
    assert isinstance(result.data["c"], str)
