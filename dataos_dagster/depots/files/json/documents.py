"""Parse JSON so that nothing of a number's spelling is lost: a column of texts gets it back as it was written."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but missing in typeshed
from typing import Any, Self

_DECODER = json.JSONDecoder(strict=False)
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'((?:[^'\\]|\\.)*)'")


class Number(float):
    """A number that was written with a fraction or exponent, and its spelling."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number behind a spelling."""
        number = super().__new__(cls, text)
        number.text = text
        return number


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its object, or None when the text is not one; `text` is what was read."""

    value: dict[str, Any] | None
    text: str


def parse(text: str) -> list[Record]:
    """Return the rows of one document: an object is one, an array of objects as many as it holds.

    Args:
        text: A line, or a whole file; blank text has no rows.
    """
    if not text.strip():
        return []
    try:
        document = _load(text)
    except ValueError:
        try:
            document = _load(_double_quoted(text)) if "'" in text else None
        except ValueError:
            document = None
    if isinstance(document, dict):
        return [Record(document, text)]
    if isinstance(document, list):
        return [Record(item if isinstance(item, dict) else None, text) for item in document]
    return [Record(None, text)]


def spelled(value: Any) -> str:
    """Return a value as text, for a column of texts: a text itself, the rest as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(_nested(item) for item in value)}]"
    return f"{{{','.join(f'{json.dumps(key, ensure_ascii=False)}:{_nested(item)}' for key, item in value.items())}}}"


def raw_members(text: str) -> dict[str, str]:
    """Return the members of an object as they are written; empty for what is no object."""
    found: dict[str, str] = {}
    at = _skip(text, 0)
    if not text.startswith("{", at):
        return found
    at = _skip(text, at + 1)
    while text.startswith('"', at):
        key, at = scanstring(text, at + 1, False)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[key] = text[start:end]
        at = _skip(text, end)
        at = _skip(text, at + 1) if text.startswith(",", at) else at
    return found


def decimal_of(value: float) -> Decimal:
    """Return a number exactly as it was written."""
    return Decimal(value.text if isinstance(value, Number) else value)


def _nested(value: Any) -> str:
    if value is None:
        return "null"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else spelled(value)


def _load(text: str) -> Any:
    return json.loads(text, parse_float=Number, strict=False, parse_constant=_constant)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _double_quoted(text: str) -> str:
    """Return JSON whose texts stand in single quotes, as Spark's parser admits them, in double ones."""

    def quoted(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return '"' + found[1].replace("\\'", "'").replace('"', '\\"') + '"'

    return _TEXT.sub(quoted, text)


def _constant(name: str) -> float:
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[name]
