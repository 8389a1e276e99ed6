"""What all models of manifests share: how keys are spelt, how YAML scalars are taken, what is kept out of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema


class NoEffect(NamedTuple):
    """Why a field that is accepted has no effect.

    Attributes:
        reason: What there is instead, or is missing.
        told: How a use of it is told: `info` where a job does and writes the same all the same, None where nobody
            could expect anything else, as of a comment.
    """

    reason: str
    told: Literal["warning", "info"] | None = "warning"


class ManifestModel(BaseModel):
    """A mapping of a manifest.

    Keys are the field names in camel case. Python code may use the field names; manifests may not. Unknown keys are
    refused here and turned into warnings by `validation`, which then validates without them: a correct manifest
    pays nothing for the search. Errors carry no input values, which may be secret.

    Attributes:
        no_effect: Fields that are accepted and that nothing here reads, by name.
    """

    no_effect: ClassVar[Mapping[str, NoEffect]] = {}

    model_config = ConfigDict(
        alias_generator=to_camel,
        coerce_numbers_to_str=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    @classmethod
    def section_model(cls, key: str, data: Any) -> type[BaseModel] | None:  # noqa: ARG003 - for those that override
        """Return the model of the section behind a key where a value beside it decides; None where none does.

        Args:
            key: Key of the section.
            data: The mapping that holds it.
        """
        return None


def scalar_text(value: Any) -> Any:
    """Return the text that a YAML scalar was meant as; anything else as it is.

    YAML reads `true`, `8` and `2030-01-01` as typed values where the manifest's author means text for another
    program: options of Spark, environment variables, secrets.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value.isoformat()
    return value


def option_text(value: Any) -> Any:
    """Return an option's value as text; lists and mappings become JSON, which is what connectors read."""
    return json.dumps(value) if isinstance(value, dict | list) else scalar_text(value)


def option_map(value: Any) -> Any:
    """Return a mapping of options with text values, without those that are empty; anything else as it is."""
    if isinstance(value, dict):
        return {str(key): option_text(item) for key, item in value.items() if item is not None}
    return value


def one_or_many(value: Any) -> Any:
    """Return a list for a single text or mapping, and an empty one for none."""
    if value is None:
        return []
    return [value] if isinstance(value, str | dict) else value


_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}

# JSON that may stand in YAML without quotes, and is a mapping there.
JsonText = Annotated[
    str,
    BeforeValidator(lambda value: json.dumps(value) if isinstance(value, dict) else value),
    WithJsonSchema({"type": ["string", "object"]}),
]
# Text whose YAML form may be a number, a boolean or a date.
ScalarText = Annotated[str, BeforeValidator(scalar_text), WithJsonSchema(_SCALAR)]
# Options and environment variables: everything is text to the program that reads them.
TextMap = Annotated[Mapping[str, str], BeforeValidator(option_map), WithJsonSchema({"type": "object"})]
# A list of texts, which may be written as one text.
TextList = Annotated[
    tuple[ScalarText, ...],
    BeforeValidator(one_or_many),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}),
]


class OneOrMany:
    """Take a single text or mapping for a list that has only that one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate what `source`, a sequence, validates."""
        return core_schema.no_info_before_validator_function(one_or_many, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Accept a list, and an item on its own."""
        listed = handler(schema)
        return {"anyOf": [listed, listed.get("items", {})]}


def folded(value: Any) -> Any:
    """Return a text in lower case without blanks around it; anything else as it is."""
    return value.strip().lower() if isinstance(value, str) else value


class AnyCase:
    """Take the words of a `Literal` in any letter case, and other words for them.

    Args:
        synonyms: Other word, in lower case, to the word of the `Literal` that it means.
    """

    def __init__(self, synonyms: Mapping[str, str] | None = None) -> None:
        self.synonyms = dict(synonyms or {})

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate what `source`, a `Literal`, validates after finding the word that is meant."""
        words = {word.lower(): word for word in get_args(source)} | self.synonyms

        def meant(value: Any) -> Any:
            return words.get(value.strip().lower(), value) if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(meant, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Offer the words as they are, and accept them in other letter cases."""
        plain = handler(schema)
        words = (*(plain.get("enum") or [plain["const"]]), *self.synonyms)
        return {"anyOf": [plain, {"type": "string", "pattern": f"^({'|'.join(map(_any_case_pattern, words))})$"}]}


def _any_case_pattern(word: str) -> str:
    # The regular expressions of JSON Schema have no flag for letter case.
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in word)
