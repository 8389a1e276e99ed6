"""What a plain scalar means.

DataOS reads manifests with a Go library for which `yes`, `on` and dates are strings until a field asks for something
else; models here ask the same way. So a plain scalar is null, a boolean, a number or a string, and nothing else: no
country code becomes `False`, no time of day a number, no day a date object.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED_INTEGER = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F]+|[oO]?[0-7]+|[bB][01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOATS = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
# CPython refuses to convert longer decimal literals; no field of a manifest holds one.
_LONGEST_NUMBER = 400


def resolve(text: str) -> Scalar:
    """Return what a plain scalar means, by YAML 1.2's core schema and Go's octal `0755`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED_INTEGER.fullmatch(text):
        digits = text.lower()
        return int(digits, 0) if "x" in digits or "b" in digits or "o" in digits else int(digits, 8)
    if _FLOAT.fullmatch(text):
        return float(text)
    special = _SPECIAL_FLOATS.get(text.lower())
    return text if special is None else float(special)
