"""Put the values of environment variables into a document, one scalar at a time.

It happens after composing, so positions stay right and no value can add a key or an item. The rules:

- A scalar that is exactly `$NAME` or `${NAME}` is replaced anywhere, in the data of secrets too.
- Inside longer text only `${NAME}` is replaced, and not in the data of secrets, SQL or templates, where `$` and braces
  are what they look like.
- An undefined `${NAME}` is an error, or a warning where templates are checked; an undefined `$NAME` is text.
- What is put in stays text; a field that asks for a number or a boolean reads it as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath, Severity
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.masking import sounds_secret
from dataos_dagster.manifests.placeholders import (
    VARIABLE,
    WHOLE_VARIABLE,
    fill,
    has_signs,
    is_placeholder,
    placeholder_beside_templates,
    placeholder_in,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from dataos_dagster.manifests.document import Document

# Keys whose text is SQL, a query or a template: `$` and braces in it are not this project's.
_TEMPLATE_KEYS = frozenset(
    {
        "sql",
        "ql",
        "query",
        "bodytemplate",
        "titletemplate",
        "template",
        "mapping",
        "bloblang",
        "expression",
        "schemastring",
    }
)
# Keys whose text is a whole query.
_QUERIES = frozenset({"sql", "query"})
_TEMPLATE_ENDINGS = ("template", "jqfilter", "sql", "query")
# Kinds whose texts are rendered when an incident or a query comes: `{{ … }}` is theirs anywhere.
_TEMPLATE_KINDS = frozenset({"pager", "monitor", "lens", "stack"})
_SECRET_SECTIONS = frozenset(kind.name for kind in KINDS.values() if kind.secret)
_SECRET_DATA = frozenset({"data", "values"})
# Mappings of a manifest that define variables for the process it starts.
_ENVIRONMENTS = frozenset({"envs", "environmentVars", "env", "environment"})
_LONGEST_SHOWN = 60


@dataclass(slots=True)
class Interpolation:
    """A document's values with variables put in.

    Attributes:
        data: The values.
        diagnostics: Placeholders and undefined variables.
        placeholders: Where values (or the keys in front of them) are still open.
    """

    data: Any
    diagnostics: list[Diagnostic] = field(default_factory=list)
    placeholders: set[DocumentPath] = field(default_factory=set)

    @property
    def is_broken(self) -> bool:
        """Tell whether something is open that must not be."""
        return any(found.severity is Severity.ERROR for found in self.diagnostics)


def interpolate(
    document: Document,
    data: Any,
    environment: Mapping[str, str],
    *,
    allow_placeholders: bool = False,
    fill_placeholders: bool = False,
) -> Interpolation:
    """Return the values of a document with the variables of an environment put in.

    Args:
        document: Where the values come from; it locates what is found.
        data: The document's `data`; mappings and lists of it are changed in place.
        environment: Variables by name.
        allow_placeholders: The document is a template: what is open is a warning.
        fill_placeholders: Put a word in the place of each placeholder.
    """
    interpolation = Interpolation(data)
    if has_signs(document.encoded):
        severity = Severity.WARNING if allow_placeholders else Severity.ERROR
        walk = _Walk(document, environment, severity, interpolation, fills=fill_placeholders)
        interpolation.data = walk.value(data, ())
    return interpolation


class _Walk:
    """One pass over the values of a document."""

    def __init__(
        self,
        document: Document,
        environment: Mapping[str, str],
        severity: Severity,
        result: Interpolation,
        *,
        fills: bool,
    ) -> None:
        self._fills = fills
        self._document = document
        self._environment = environment
        self._severity = severity
        self._result = result
        data = result.data if isinstance(result.data, dict) else {}
        self._kind_has_templates = str(data.get("type")) in _TEMPLATE_KINDS or bool(_TEMPLATE_KINDS & data.keys())
        self._own_variables = frozenset(_variables(data))

    def value(self, value: Any, path: DocumentPath) -> Any:
        """Return a value with variables put in."""
        if isinstance(value, str):
            if "$" not in value and "<" not in value and "{{" not in value:
                return value
            text = self._text(value, path)
            return _filled(text, path) if self._fills and path in self._result.placeholders else text
        if isinstance(value, dict):
            for key, child in value.items():
                inner = (*path, key)
                if is_placeholder(key) or VARIABLE.fullmatch(key):
                    self._open(inner, key, in_key=True)
                value[key] = self.value(child, inner)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                value[index] = self.value(child, (*path, index))
        return value

    def _text(self, text: str, path: DocumentPath) -> str:
        whole = WHOLE_VARIABLE.fullmatch(text)
        if whole:
            name = whole["braced"] or whole["bare"]
            if name in self._environment:
                return self._environment[name]
            if whole["braced"]:
                self._undefined(name, path)
            return text
        if _in_secret_data(path):
            if is_placeholder(text):
                self._open(path, "")
            return text
        if _in_template(path) or self._kind_has_templates:
            found = placeholder_beside_templates(text)
            if not self._kind_has_templates and is_placeholder(text.strip()):
                found = text.strip()
        else:
            text = VARIABLE.sub(lambda variable: self._variable(variable, path), text)
            found = placeholder_in(VARIABLE.sub("", text))
        if found:
            is_secret = bool(path) and isinstance(path[-1], str) and sounds_secret(path[-1])
            self._open(path, "" if is_secret else found)
        return text

    def _variable(self, variable: re.Match[str], path: DocumentPath) -> str:
        name = variable[1]
        if name not in self._environment:
            self._undefined(name, path)
        return self._environment.get(name, variable.group())

    def _undefined(self, name: str, path: DocumentPath) -> None:
        if name in self._own_variables:
            return
        self._report(
            "undefined-variable",
            path,
            f"the environment variable {name} is not set",
            f"set it (export {name}=…), or write the value itself",
        )

    def _open(self, path: DocumentPath, placeholder: str, *, in_key: bool = False) -> None:
        shown = placeholder if len(placeholder) <= _LONGEST_SHOWN else f"{placeholder[:_LONGEST_SHOWN]}…"
        self._report(
            "placeholder",
            path,
            f"the placeholder {shown} is not filled in" if shown else "a placeholder is not filled in",
            "write the value in its place; to check a template as it is, use --allow-placeholders",
            in_key=in_key,
        )

    def _report(self, code: str, path: DocumentPath, message: str, hint: str, *, in_key: bool = False) -> None:
        if path in self._result.placeholders:
            return
        self._result.placeholders.add(path)
        self._result.diagnostics.append(
            self._document.diagnostic(code, self._severity, path, message, hint, key=in_key)
        )


def _filled(text: str, path: DocumentPath) -> str:
    """Return a text with words in the place of placeholders; a query in the place of one that stands for a query."""
    is_query = bool(path) and str(path[-1]).lower() in _QUERIES and " " not in fill(text).strip()
    return "SELECT 1 AS placeholder" if is_query else fill(text)


def _in_secret_data(path: DocumentPath) -> bool:
    in_section = False
    for step in path:
        if in_section and step in _SECRET_DATA:
            return True
        in_section = in_section or step in _SECRET_SECTIONS
    return False


def _in_template(path: DocumentPath) -> bool:
    names = (step.lower() for step in path if isinstance(step, str))
    return any(name in _TEMPLATE_KEYS or name.endswith(_TEMPLATE_ENDINGS) for name in names)


def _variables(value: Any) -> list[str]:
    """Return the variables that a manifest defines for the process it starts."""
    if isinstance(value, list):
        return [name for item in value for name in _variables(item)]
    if not isinstance(value, dict):
        return []
    own = [name for key in _ENVIRONMENTS & value.keys() if isinstance(value[key], dict) for name in value[key]]
    return own + [name for child in value.values() for name in _variables(child)]
