"""Turning data into models: what is repaired, what is said, and that no message holds a value."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from dataos_dagster.manifests.cron import check_cron
from dataos_dagster.manifests.cycles import find_cycle
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.draft import Draft
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, TextMap
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.manifests.resource import original_path
from dataos_dagster.manifests.validation import suggestion, validate
from dataos_dagster.settings import LimitSettings


class Inner(ManifestModel):
    size_limit: int | None = None
    mode: Annotated[Literal["fast", "safe"], AnyCase({"quick": "fast"})] = "safe"
    key: SecretStr | None = None


class Outer(ManifestModel):
    name: Annotated[ScalarText, Field(min_length=1, description="What it is called.")]
    tags: TextList = ()
    options: TextMap = {}  # noqa: RUF012 - pydantic copies it
    inner: Inner | None = None
    items: tuple[Inner, ...] = ()
    ratio: Annotated[float | None, Field(ge=0, le=1)] = None


def check(text: str, **options):
    documents, found = read_text(text, file=Path("m.yaml"), name="m.yaml", limits=LimitSettings())
    assert found == []
    draft = Draft(documents[0], documents[0].data, **options)
    return validate(draft, Outer, ("outer",)), draft.findings


def said(findings):
    return [(found.code, found.line, found.column) for found in findings]


def test_a_correct_value_says_nothing():
    model, findings = check("outer: {name: a, tags: b, options: {x: true, y: 1.5, z: [1]}, inner: {sizeLimit: 3}}")

    assert findings == []
    assert model.options == {"x": "true", "y": "1.5", "z": "[1]"}
    assert model.tags == ("b",)
    assert model.inner.size_limit == 3


def test_field_names_of_the_code_are_no_keys():
    model, findings = check("outer: {name: a, inner: {size_limit: 3}}")

    assert said(findings) == [("key-spelling", 1, 26)]
    assert model.inner.size_limit == 3


def test_the_right_spelling_wins_over_another_one():
    model, findings = check("outer: {name: a, inner: {sizeLimit: 3, sizelimit: 4}}")

    assert said(findings) == [("unknown-key", 1, 40)]
    assert model.inner.size_limit == 3


def test_several_things_are_repaired_at_once_in_lists_too():
    model, findings = check(
        "outer:\n  name: a\n  tags:\n  items:\n    - {mode: , x: 1}\n    - {MODE: Quick}\n    - {zz: 1}"
    )

    assert [found.code for found in sorted(findings, key=lambda found: found.line)] == [
        "unknown-key",
        "key-spelling",
        "unknown-key",
    ]
    assert [item.mode for item in model.items] == ["safe", "fast", "safe"]


def test_empty_items_of_a_list_are_left_out():
    model, findings = check("outer:\n  name: a\n  tags:\n    -\n    - b\n    -")

    assert findings == []
    assert model.tags == ("b",)


def test_all_errors_are_reported_at_once():
    model, findings = check("outer:\n  inner: {sizeLimit: x, mode: slow}\n  ratio: 2")

    assert {found.code for found in findings} == {"missing-key", "wrong-type", "wrong-value"}
    assert len(findings) == 4
    # Something fits in the place of each, so that the rest of the document can be checked.
    assert (model.name, model.inner.size_limit, model.inner.mode) == ("placeholder", 1, "fast")


def test_what_stands_below_a_wrong_value_is_checked_too():
    _, findings = check("outer:\n  nmae: a\n  items:\n    - {mode: saef, sizeLimit: x}\n    - 3\n  tags: {a: 1}")

    assert sorted(said(findings)) == [
        ("missing-key", 2, 3),
        ("wrong-type", 4, 31),
        ("wrong-type", 5, 7),
        ("wrong-type", 6, 9),
        ("wrong-value", 4, 14),
    ]


def test_a_misspelt_key_in_the_place_of_a_missing_one_is_the_error_and_can_be_mended():
    _, [found] = check("outer:\n  nmae: a")

    assert (found.code, found.message) == ("missing-key", "`name` is missing, and `nmae` is no key")
    assert found.fix.safe
    assert found.fix.edits[0].text == "name"


def test_a_misspelt_word_is_mended_where_only_one_is_near():
    _, [found] = check("outer: {name: a, inner: {mode: fsat}}")

    assert (found.code, found.hint, found.fix.edits[0].text) == ("wrong-value", "did you mean `fast`?", "fast")


def test_a_misspelt_key_that_is_only_ignored_is_left_to_its_author():
    _, [found] = check("outer: {name: a, ratoi: 1}")

    assert (found.code, found.fix) == ("unknown-key", None)
    assert "`--fix` leaves it to you" in found.hint


def test_a_missing_key_is_reported_at_the_key_of_its_mapping_with_its_description():
    _, [found] = check("\n\nouter:\n  tags: []")

    assert (found.code, found.line, found.column, found.hint) == ("missing-key", 3, 1, "What it is called.")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("ratio: 2", "`ratio` must be at most 1.0"),
        ("ratio: x", "`ratio` must be a number, not text"),
        ("tags: [[a]]", "`tags[0]` must be text, not a list"),
        ("inner: 3", "`inner` must be a mapping, not a number"),
        ("inner: {mode: saef}", "`mode` must be one of fast, safe"),
        ("items: {a: 1}", "`items` must be a list, not a mapping"),
        ("inner: {sizeLimit: 1.5}", "`sizeLimit` must be a whole number, not a fraction"),
        ("name: ''", "`name` must not be empty"),
    ],
)
def test_messages_say_what_was_expected(value, message):
    name = "" if value.startswith("name") else "name: a, "
    _, [found] = check(f"outer: {{{name}{value}}}")

    assert found.message == message
    assert found.severity is Severity.ERROR


def test_no_message_holds_a_value():
    _, findings = check(
        "outer: {name: [geheim], inner: {key: [geheim], mode: geheim, sizeLimit: geheim}, ratio: geheim}"
    )

    assert len(findings) == 5
    assert all("geheim" not in f"{found.message} {found.hint}" for found in findings)


def test_what_is_not_a_mapping_is_refused_at_its_key():
    model, [found] = check("outer: [a]")

    assert model is None
    assert (found.code, found.column) == ("wrong-type", 1)


def test_a_placeholder_is_not_reported_a_second_time():
    text = "outer: {name: a, ratio: '${{x}}'}"

    _, findings = check(text, placeholders=[("outer", "ratio")])
    assert findings == []


def test_a_template_gets_values_that_fit():
    text = "outer: {name: '${{x}}', ratio: '${{x}}', inner: {mode: '${{x}}'}, items: '${{x}}'}"
    places = [("outer", "ratio"), ("outer", "inner", "mode"), ("outer", "items")]
    model, findings = check(text, placeholders=places, allow_placeholders=True)

    assert findings == []
    assert model.inner.mode == "fast"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("nmae", "did you mean `name`?"),
        ("SAVE_MODE", "did you mean `saveMode`?"),
        ("zzzzzz", "known here: name, saveMode"),
    ],
)
def test_hints_name_the_nearest_word_or_all(word, hint):
    assert suggestion(word, ["name", "saveMode"]) == hint


def test_moved_values_are_found_where_they_were_written():
    moves = [(("a",), ("b", "c")), (("b",), ("d",))]

    assert original_path(moves, ("d", "c", 0)) == ("a", 0)
    assert original_path(moves, ("x",)) == ("x",)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefgh"), max_size=4)))
def test_a_circle_is_found_exactly_when_there_is_one(edges):
    cycle = find_cycle(edges)

    remaining = {name: set(following) & edges.keys() for name, following in edges.items()}
    while any(not following for following in remaining.values()):
        remaining = {
            name: {n for n in following if remaining.get(n)} for name, following in remaining.items() if following
        }
    assert (cycle is not None) == bool(remaining)
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert all(following in edges[name] for name, following in pairwise(cycle))


def test_a_long_chain_is_walked_without_recursion():
    edges = {str(index): [str(index + 1)] for index in range(50_000)}

    assert find_cycle(edges) is None
    assert len(find_cycle(edges | {"50000": ["0"]})) == 50_002


NUMBERS = st.integers(min_value=0, max_value=59).map(str)


@given(NUMBERS, st.sampled_from(["*", "*/2", "1-5", "0,12", "5/10"]), st.sampled_from(["jan", "JAN-mar", "*/3", "12"]))
def test_crons_of_five_fields_are_taken_as_they_are(minute, hour, month):
    assert check_cron(f" {minute}  {hour} * {month} sun ") == f"{minute} {hour} * {month} sun"
