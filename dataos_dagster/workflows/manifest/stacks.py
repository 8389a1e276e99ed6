"""`stack: name[+language][:version]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from dataos_dagster.manifests.model import ManifestModel, ScalarText

_STACK = re.compile(
    r"(?P<name>[A-Za-z0-9_-]+)(?:\+(?P<language>[A-Za-z0-9_.-]+))?(?:\s*:\s*(?P<version>[A-Za-z0-9_.-]+))?"
)

# Stacks that DataOS has, with or without this package running them.
KNOWN_STACKS = (
    "alpha",
    "beacon",
    "bento",
    "bento-worker",
    "benthos",
    "container",
    "dataos-ctl",
    "dbt",
    "dlthub",
    "fastfun",
    "flare",
    "flash",
    "lakesearch",
    "lakesearch-v2",
    "nilus",
    "python",
    "python3",
    "scanner",
    "soda",
    "steampipestack",
    "steampipe",
    "stream-monitor",
    "superset",
    "talos",
    "toolbox",
)


def stack_name(text: Any) -> str | None:
    """Return the stack's name in lower case, without language and version; None when the text is no stack."""
    found = _STACK.fullmatch(text.strip()) if isinstance(text, str) else None
    return found["name"].lower() if found else None


class StackReference(ManifestModel):
    """Which stack runs; without a version the newest is meant."""

    name: ScalarText
    language: str | None = None
    version: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        found = _STACK.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            raise ValueError("expected a stack as `name`, `name:version` or `name+language:version`")
        return found.groupdict()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe what is written: one text."""
        del schema, handler
        return {"type": "string", "pattern": f"^{_STACK.pattern.replace('?P<', '?<')}$", "examples": ["flare:7.0"]}

    def __str__(self) -> str:
        language = f"+{self.language}" if self.language else ""
        return f"{self.name}{language}{f':{self.version}' if self.version else ''}"
