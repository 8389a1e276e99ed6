"""What the validation errors of pydantic mean to someone who writes manifests."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.manifests.cron import CRON_ERROR, TIMEZONE_ERROR
from dataos_dagster.manifests.locations import ADDRESS_ERROR
from dataos_dagster.manifests.spelling import meant

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with one value.

    Attributes:
        offset: 0-based character of the value that is at fault, where that is known.
        meant: The one word that the value can have meant.
    """

    code: str
    message: str
    hint: str = ""
    offset: int = 0
    meant: str | None = None


_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "datetime": "a moment",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_CODES = {ADDRESS_ERROR: "bad-address", CRON_ERROR: "bad-cron", TIMEZONE_ERROR: "bad-timezone"}
# What stands in for a placeholder where a value of that type is needed.
_STAND_INS: dict[str, Any] = {
    "string": "placeholder",
    "int": 1,
    "float": 1.0,
    "bool": False,
    "dict": {},
    "mapping": {},
    "model": {},
    "list": [],
    "tuple": [],
    ADDRESS_ERROR: "dataos://placeholder:placeholder/placeholder",
    CRON_ERROR: "0 0 * * *",
    TIMEZONE_ERROR: "UTC",
}


def explain(detail: ErrorDetails, value: Any, label: str) -> Problem | None:
    """Return what an error means; None when it only follows from another one.

    Messages never hold the value: it may be secret.

    Args:
        detail: The error, without its input.
        value: The value that it is about.
        label: The value's key, as messages name it.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _CODES:
        return Problem(_CODES[kind], context["problem"], context["hint"], context.get("offset", 0))
    if kind in {"literal_error", "enum"}:
        return _not_one_of(context["expected"], value, label)
    if kind.endswith(("_type", "_parsing", "_from_float")):
        expected = _EXPECTED.get(kind.partition("_")[0])
        if expected:
            hint = "write `- ` in front of each item" if expected == "a list" else ""
            return Problem("wrong-type", f"{label} must be {expected}, not {_found(value)}", hint)
    return _wrong_value(detail, value, label)


def _wrong_value(detail: ErrorDetails, value: Any, label: str) -> Problem | None:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in {"string_too_short", "too_short"}:
        if isinstance(value, list | dict) and len(value) >= context.get("min_length", 0):
            return None  # its items were refused, and are reported themselves
        problem = " must not be empty"
    elif kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        problem = f" must be {words} {context[bound]}"
    elif kind == "string_too_long":
        problem = f" is longer than {context['max_length']} characters"
    elif kind == "value_error":
        problem = f": {context['error']}"
    else:
        problem = f": {detail['msg']}"
    return Problem("wrong-value", f"{label}{problem}")


def stand_in(detail: ErrorDetails) -> Any:
    """Return a value that satisfies what an error asks for; None when there is none."""
    kind = detail["type"]
    if kind in {"literal_error", "enum"}:
        words = _words(detail.get("ctx", {}).get("expected", ""))
        return words[0] if words else None
    return _STAND_INS.get(kind, _STAND_INS.get(kind.partition("_")[0], "placeholder"))


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number" if isinstance(value, int) else "a fraction"
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else "text"


def _words(expected: str) -> list[str]:
    return [word.strip(" '") for part in expected.split(" or ") for word in part.split(",") if word.strip(" '")]


def _not_one_of(expected: str, value: Any, label: str) -> Problem:
    words = _words(expected)
    right = meant(value, words) if isinstance(value, str) else None
    near = difflib.get_close_matches(value.lower(), [w.lower() for w in words], n=1) if isinstance(value, str) else []
    hint = next((f"did you mean `{word}`?" for word in words if near and word.lower() == near[0]), "")
    if right is not None:
        hint = f"did you mean `{right}`?"
    return Problem("wrong-value", f"{label} must be one of {', '.join(words)}", hint, meant=right)
