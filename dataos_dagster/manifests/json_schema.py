"""JSON Schema of manifests, so that editors complete and check them.

The YAML language server takes the output of `dataos schema` as it is. What is allowed is the present form only: an
editor then marks old and misplaced forms, which this package reads with a warning.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from dataos_dagster.manifests.envelope import Envelope
from dataos_dagster.manifests.kinds import KINDS, Kind, load_rules
from dataos_dagster.manifests.loading import READ_BACK_KEYS
from dataos_dagster.manifests.products import KIND as PRODUCT

# The dialect that every editor knows.
DIALECT = "http://json-schema.org/draft-07/schema#"

_REFERENCE = "#/$defs/{model}"
# A number or a boolean may come from the environment.
_VARIABLE = {"type": "string", "pattern": r"^\$"}
_SCALARS = frozenset({"integer", "number", "boolean"})


def json_schema(kind: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema of one kind of manifest, or one for all of them that looks at `type`.

    Raises:
        KeyError: There is no such kind.
    """
    kinds = [KINDS[kind]] if kind is not None else list(KINDS.values())
    sections, definitions = _sections(kinds)
    manifests = {each.name: _manifest(each, sections.get(each.name), definitions) for each in kinds}
    body = manifests[kind] if kind is not None else _by_type(manifests)
    definitions.pop("Envelope")
    return {"$schema": DIALECT, "title": body.pop("title"), **_polished(body), "$defs": _polished(definitions)}


def _sections(kinds: list[Kind]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the schema of each typed kind's section, and what they refer to."""
    models = {each.name: load_rules(each.rules).model for each in kinds if each.rules}
    references, definitions = models_json_schema(
        [*((model, "validation") for model in dict.fromkeys(models.values())), (Envelope, "validation")],
        by_alias=True,
        ref_template=_REFERENCE,
    )
    sections = {name: references[model, "validation"] for name, model in models.items()}
    return sections, definitions.get("$defs", {})


def _manifest(kind: Kind, section: dict[str, Any] | None, definitions: dict[str, Any]) -> dict[str, Any]:
    envelope = definitions["Envelope"]
    properties = {
        **envelope["properties"],
        "type": {"const": kind.name, "description": f"This is a {kind.name}; its section has the same name."},
        "version": {
            "type": "string",
            "examples": list(kind.versions),
            "description": "Version of the manifest's form.",
        },
        kind.name: section or {"type": "object"},
        **{key: {"description": "Written by the platform; ignored."} for key in READ_BACK_KEYS},
    }
    is_product = kind.name == PRODUCT
    return {
        "title": kind.name,
        "type": "object",
        "properties": properties,
        "required": ["name", "version", "type", *([] if is_product else [kind.name])],
        # A data product keeps its body under the name of its version, and has keys of its own beside it.
        "additionalProperties": is_product,
    }


def _by_type(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": "DataOS manifest",
        "type": "object",
        "properties": {"type": {"enum": list(manifests), "description": "Kind of resource."}},
        "required": ["type"],
        "allOf": [
            {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": manifest}
            for name, manifest in manifests.items()
        ],
    }


def _polished(schema: Any) -> Any:
    """Return a schema that takes `$NAME` where it takes a number or a boolean, without the titles of fields."""
    if isinstance(schema, list):
        return [_polished(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A title that is a text is one; one that is a mapping is the field of that name.
    inner = {key: _polished(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if isinstance(schema.get("type"), str) and schema["type"] in _SCALARS:
        described = {key: inner.pop(key) for key in ("description", "default") if key in inner}
        return {**described, "anyOf": [inner, _VARIABLE]}
    return inner
