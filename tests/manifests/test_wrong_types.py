"""A value of the wrong type, in any field of any typed kind, is answered where it stands, and nothing raises.

The fields are those of the JSON Schema, which is made from the models: no field can be forgotten here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.json_schema import json_schema
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.loading import READ_BACK_KEYS, Loading
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPED = [name for name, kind in KINDS.items() if kind.rules]
SAMPLES = {"cron": "0 0 * * *", "timezone": "UTC", "stack": "flare:7.0", "tests": "avg > 1", "version": "v1"}
WRONG = {"mapping": {"zz": {"zz": 1}}, "list": [[["zz"]]], "scalar": "zz", "number": 3.25}


@cache
def schema_of(kind: str) -> dict[str, Any]:
    return json_schema(kind)


def alternatives(kind: str, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas that a value may satisfy, references followed."""
    if "$ref" in schema:
        yield from alternatives(kind, schema_of(kind)["$defs"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from alternatives(kind, option)
    else:
        yield schema


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a mapping; the section of a Flare job is that of Flare."""
    found = dict(schema.get("properties", {}))
    for condition in schema.get("allOf", ()):
        found |= condition["then"]["properties"]
    return found


def accepted(kind: str, schema: dict[str, Any]) -> set[str]:
    """Return the shapes of values that a schema takes; all of them where it says nothing."""
    shapes: set[str] = set()
    for option in alternatives(kind, schema):
        types = option.get("type")
        if types is None and not {"enum", "const", "pattern"} & option.keys():
            return set(WRONG)
        for name in [types] if isinstance(types, str) else types or ["string"]:
            shapes |= {
                "object": {"mapping"},
                "array": {"list"},
                "string": {"scalar", "number"},
                "integer": {"number"},
                "number": {"number"},
                "boolean": set(),
                "null": set(),
            }[name]
        if option.get("pattern") == r"^\$":
            shapes -= {"scalar"}
    return shapes


def places(kind: str, schema: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the way to each field below a mapping, and the field's schema."""
    for key, field in properties(schema).items():
        if path or key not in {"type", *READ_BACK_KEYS}:
            yield (*path, key), field
        for option in alternatives(kind, field):
            if option.get("type") == "object":
                yield from places(kind, option, (*path, key))
            elif option.get("type") == "array" and "items" in option:
                yield (*path, key, 0), option["items"]
                for item in alternatives(kind, option["items"]):
                    if item.get("type") == "object":
                        yield from places(kind, item, (*path, key, 0))


@cache
def all_places(kind: str) -> list[tuple[Any, frozenset[str]]]:
    found = places(kind, schema_of(kind))
    return [(path, frozenset(WRONG) - accepted(kind, field)) for path, field in found]


def sample(kind: str, key: str, schema: dict[str, Any]) -> Any:
    """Return a value that a schema takes: the least one."""
    option = next(alternatives(kind, schema))
    if "const" in option or "enum" in option:
        return option.get("const") or option["enum"][0]
    match option.get("type"):
        case "object":
            fields = properties(option)
            return {name: sample(kind, name, fields[name]) for name in option.get("required", ())}
        case "array":
            return [sample(kind, key, option["items"])] if option.get("minItems") else []
        case "integer" | "number":
            return max(1, option.get("minimum", 1))
        case "boolean":
            return True
    return SAMPLES.get(key, "a")


def manifest(kind: str, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the least manifest of a kind in which a value stands at a path."""
    data: Any = sample(kind, "", schema_of(kind)) | {"type": kind, "version": KINDS[kind].versions[0]}
    if kind == "depot":
        data["depot"]["type"] = source_of(path) or "file"
        data["depot"].setdefault(data["depot"]["type"], {})
    put(kind, data, path, value)
    return data


def source_of(path: tuple[str | int, ...]) -> str | int | None:
    """Return the section of a depot's own type that a path leads into."""
    sections = properties(schema_of("depot")["$defs"]["DepotSection"])
    source = next((step for step in path[1:2] if step in sections), None)
    return source if len(path) > 2 and source not in {"secrets", "connectionSecret"} else None


def put(kind: str, data: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Put a value into a manifest, and on the way to it what must be there."""
    schema = schema_of(kind)
    for step, following in zip(path, (*path[1:], None), strict=True):
        if following is None:
            if isinstance(data, list):
                data[:] = [value]
            else:
                data[step] = value
            break
        options = list(alternatives(kind, schema))
        if isinstance(step, str):
            field = next(properties(option)[step] for option in options if step in properties(option))
        else:
            field = next(option["items"] for option in options if "items" in option)
        wanted = list if isinstance(following, int) else dict
        child = (data[step] if data else None) if isinstance(data, list) else data.get(step)
        if not isinstance(child, wanted):
            made = [
                sample(kind, str(step), option)
                for option in alternatives(kind, field)
                if option.get("type") == ("array" if wanted is list else "object")
            ]
            child = made[0]
            if isinstance(data, list):
                data[:] = [child]
            else:
                data[step] = child
        data, schema = child, field


def text_of(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False)


def diagnostics(data: dict[str, Any], **options: Any):
    documents, found = read_text(text_of(data), file=Path("m.yaml"), name="m.yaml", limits=LimitSettings())
    loading = Loading({}, **options)
    for document in documents:
        loading.load(document, is_named=True)
    return [*found, *loading.diagnostics], documents


@pytest.mark.parametrize("kind", TYPED)
def test_there_are_fields_to_try(kind):
    assert any(wrong for _, wrong in all_places(kind))


@pytest.mark.parametrize("kind", TYPED)
def test_every_field_answers_a_wrong_type_where_it_stands(kind):
    silent = []
    for path, shapes in all_places(kind):
        for shape in sorted(shapes):
            found, [document] = diagnostics(manifest(kind, path, WRONG[shape]))
            place = document.range_of(path)
            start = document.range_of(path[:-1], key=True).start if isinstance(path[-1], int) else place.start
            near = [
                item
                for item in found
                if item.severity is not Severity.INFO and start.line <= item.line <= place.end.line
            ]
            if not near:
                silent.append((path, shape, [str(item) for item in found]))
    assert silent == []


def errors_at(path: tuple[str | int, ...], found) -> set[tuple[str, Any]]:
    """Return the errors about a value and what stands in it."""
    return {
        (each.code, each.path) for each in found if each.severity is Severity.ERROR and each.path[: len(path)] == path
    }


def are_independent(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    """Return whether both values can stand in one manifest, and each means something without the other."""
    parting = next((steps for steps in zip(one, other, strict=False) if steps[0] != steps[1]), None)
    if parting is None:
        return False  # one holds the other
    # A section that is a list cannot be a mapping; and what a section holds is not known where its stack is none.
    return isinstance(parting[0], str) == isinstance(parting[1], str) and set(parting) != {"stack", "stackSpec"}


def are_of_one_source(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    """Return whether two places of a depot are told of together: its type says which sections are looked at."""
    sections = {"type", *properties(schema_of("depot")["$defs"]["DepotSection"])} - {"secrets", "connectionSecret"}
    deciding = any(len(path) == 2 and path[0] == "depot" and path[1] in sections for path in (one, other))
    return source_of(one) == source_of(other) and not deciding


@pytest.mark.parametrize("kind", TYPED)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_wrong_value_in_any_field_hides_no_other_one(kind, data):
    choices = [(path, shape) for path, shapes in all_places(kind) for shape in sorted(shapes)]
    one, first = data.draw(st.sampled_from(choices))
    fitting = (each for each in choices if are_independent(one, each[0]))
    fitting = [each for each in fitting if kind != "depot" or are_of_one_source(one, each[0])]
    assume(fitting)
    other, second = data.draw(st.sampled_from(fitting))
    alone = errors_at(one, diagnostics(manifest(kind, one, WRONG[first]))[0])
    alone |= errors_at(other, diagnostics(manifest(kind, other, WRONG[second]))[0])
    both = manifest(kind, one, WRONG[first])
    put(kind, both, other, WRONG[second])
    found, _ = diagnostics(both)
    assert alone <= errors_at(one, found) | errors_at(other, found)


# What YAML allows in a text; what it does not is the reader's to answer.
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2000, exclude_categories=("Cc",)), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", TYPED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_in_any_field_is_read_or_answered(kind, data):
    path, _ = data.draw(st.sampled_from(all_places(kind)))
    written = manifest(kind, path, data.draw(JSON))

    found, [document] = diagnostics(written, allow_placeholders=data.draw(st.booleans()))

    lines = text_of(written).count("\n") + 1
    for item in found:
        assert 1 <= item.line <= lines
        assert item.column >= 1
        assert item.message
    assert document.data["type"] == kind


@settings(max_examples=100, deadline=None)
@given(section=JSON, kind=st.sampled_from(list(KINDS)))
def test_any_section_of_any_kind_is_read_or_answered(section, kind):
    found, _ = diagnostics({"name": "a", "version": "v1", "type": kind, kind: section})

    assert all(item.line >= 1 for item in found)


@settings(max_examples=100, deadline=None)
@given(
    envelope=st.dictionaries(st.sampled_from(["name", "version", "type", "tags", "workspace", "workflow", "x"]), JSON)
)
def test_any_envelope_is_read_or_answered(envelope):
    found, _ = diagnostics(envelope)

    assert found
