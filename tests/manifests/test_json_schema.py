"""JSON Schema of manifests: it takes what the loader takes without a word, and refuses what the loader refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dataos_dagster.cli.application import application
from dataos_dagster.manifests.json_schema import json_schema
from dataos_dagster.manifests.kinds import KINDS

WORKFLOW = {
    "name": "wf",
    "version": "v1",
    "type": "workflow",
    "tags": ["a"],
    "workflow": {
        "schedule": {"cron": "0 5 * * *", "concurrencyPolicy": "forbid"},
        "dag": [
            {
                "name": "load",
                "dependencies": "other",
                "spec": {
                    "stack": "flare:7.0",
                    "envs": {"A": 1},
                    "dataosSecrets": ["one", {"name": "two", "allKeys": True}],
                    "stackSpec": {
                        "driver": {"cores": "$CORES"},
                        "sparkConf": [{"a": 1}],
                        "job": {
                            "explain": True,
                            "inputs": [{"name": "a", "dataset": "dataos://lakehouse:a/b", "options": {"header": True}}],
                            "outputs": [
                                {"name": "a", "dataset": "dataos://lakehouse:a/c", "options": {"saveMode": "APPEND"}}
                            ],
                        },
                    },
                },
            },
            {"name": "other", "spec": {"stack": "soda+python:1.0", "stackSpec": {"inputs": [1]}}},
        ],
    },
}


def refused(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> str | None:
    """Return why a value does not satisfy a schema; None when it does. Knows the keywords that are used here."""
    if "$ref" in schema:
        return refused(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    if "anyOf" in schema and all(refused(option, value, root) for option in schema["anyOf"]):
        return f"{value!r} is none of the alternatives"
    for part in schema.get("allOf", ()):
        if "if" not in part or refused(part["if"], value, root) is None:
            found = refused(part.get("then", part), value, root)
            if found:
                return found
    return _plain(schema, value) or _children(schema, value, root)


def _plain(schema: dict[str, Any], value: Any) -> str | None:
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    wanted = schema.get("type", list(types))
    wanted = [wanted] if isinstance(wanted, str) else wanted
    fits = any(isinstance(value, types[name]) and (name == "boolean" or not isinstance(value, bool)) for name in wanted)
    if not fits and not (isinstance(value, bool) and "boolean" in wanted):
        return f"{value!r} is not of type {wanted}"
    if "const" in schema and value != schema["const"]:
        return f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is not one of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"].replace("?<", "?P<"), value):
        return f"{value!r} does not match"
    if "minItems" in schema and isinstance(value, list) and len(value) < schema["minItems"]:
        return "too few items"
    return None


def _children(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> str | None:
    if isinstance(value, dict):
        missing = [key for key in schema.get("required", ()) if key not in value]
        if missing:
            return f"{missing} missing"
        for key, child in value.items():
            if key in schema.get("properties", {}):
                found = refused(schema["properties"][key], child, root)
            else:
                found = f"unknown {key}" if schema.get("additionalProperties") is False else None
            if found:
                return f"{key}: {found}"
    if isinstance(value, list) and "items" in schema:
        return next((found for item in value if (found := refused(schema["items"], item, root))), None)
    return None


def verdict(value: Any, kind: str | None = "workflow") -> str | None:
    schema = json_schema(kind)
    return refused(schema, value, schema)


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_every_schema_is_json_and_closed_in_itself(kind):
    schema = json_schema(kind)
    text = json.dumps(schema)

    assert json.loads(text) == schema
    for name in re.findall(r'"#/\$defs/([^"]+)"', text):
        assert name in schema["$defs"]


def test_a_present_form_is_taken():
    assert verdict(WORKFLOW) is None
    assert verdict(WORKFLOW, None) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("workflow", "dag"), {}),
        (("workflow", "dag", 0, "name"), []),
        (("workflow", "dag", 0, "spec", "stackSpec", "job", "inputs"), {}),
        (("workflow", "dag", 0, "spec", "stackSpec", "job", "inputs", 0, "optons"), {}),
        (("workflow", "dag", 0, "spec", "stackSpec", "driver", "cores"), "many"),
        (("workflow", "dag", 0, "spec", "stackSpec", "job", "outputs", 0, "options", "saveMode"), "replace"),
        (("workflow", "dag", 0, "spec", "flare"), {}),
        (("type",), "workflows"),
        (("worklfow",), {}),
    ],
)
def test_what_the_loader_speaks_of_is_refused(path, value, project_of):
    manifest = json.loads(json.dumps(WORKFLOW))
    target: Any = manifest
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value

    assert verdict(manifest) is not None
    assert project_of(json.dumps(manifest)).diagnostics


def test_the_section_of_other_stacks_is_free():
    manifest = json.loads(json.dumps(WORKFLOW).replace("flare:7.0", "toolbox"))
    manifest["workflow"]["dag"][0]["spec"]["stackSpec"] = {"dataset": "x"}

    assert verdict(manifest) is None


def test_every_field_that_users_write_first_is_described():
    schema = json_schema("workflow")
    fields = schema["$defs"]["WorkflowSection"]["properties"] | schema["$defs"]["FlareJob"]["properties"]

    assert fields["dag"]["description"] == "Jobs and nested workflows."
    assert all(
        "description" in field for name, field in fields.items() if name in {"dag", "schedule", "inputs", "outputs"}
    )


def test_the_schema_for_all_kinds_looks_at_the_type():
    assert verdict({"name": "a", "version": "v1", "type": "nothing"}, None) is not None
    assert verdict({"name": "a", "version": "v1", "type": "policy", "policy": {"x": 1}}, None) is None
    assert verdict({"name": "a", "version": "v1", "type": "depot", "depot": {"type": []}}, None) is not None


class TestCommand:
    @pytest.fixture
    def run(self):
        from typer.testing import CliRunner

        return lambda *arguments: CliRunner().invoke(application, ["schema", *arguments])

    def test_it_prints_the_schema_of_a_kind(self, run):
        result = run("depot")

        assert result.exit_code == 0
        assert json.loads(result.stdout) == json_schema("depot")

    def test_without_a_kind_it_prints_one_for_all(self, run):
        assert json.loads(run().stdout)["properties"]["type"]["enum"] == list(KINDS)

    def test_it_lists_the_kinds(self, run):
        assert run("--list").stdout.split() == list(KINDS)

    def test_it_writes_a_file(self, run, tmp_path):
        result = run("workflow", "--output", str(tmp_path / "workflow.json"))

        assert result.exit_code == 0
        assert json.loads((tmp_path / "workflow.json").read_text()) == json_schema("workflow")

    def test_a_file_that_cannot_be_written_is_a_usage_error(self, run, tmp_path):
        assert run("workflow", "--output", str(tmp_path / "no" / "where.json")).exit_code == 2

    def test_an_unknown_kind_is_a_usage_error_with_the_nearest(self, run):
        result = run("workflows")

        assert result.exit_code == 2
        assert "did you mean `workflow`?" in result.stderr
