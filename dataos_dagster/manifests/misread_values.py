"""Warn of what the composer reads in another way than its writer: a key twice, braces without quotes, a stray tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.manifests.diagnostics import Diagnostic, Edit, Fix, Position, Range, Severity
from dataos_dagster.manifests.snippets import snippet

if TYPE_CHECKING:
    from yaml.nodes import Node

    from dataos_dagster.manifests.composing import Misread
    from dataos_dagster.manifests.document import Document


@dataclass(frozen=True, slots=True)
class _Saying:
    """How one kind of misreading is told."""

    severity: Severity
    message: str
    hint: str


_SAYINGS = {
    "duplicate-key": _Saying(
        Severity.WARNING,
        "the key {detail!r} stands twice in one mapping, first on line {first}; this one counts",
        "keep one of the two",
    ),
    "unquoted-braces": _Saying(
        Severity.WARNING,
        "braces without quotes are a mapping in YAML, not the text they look like",
        'put it in quotes: "{{ … }}"',
    ),
    "unknown-tag": _Saying(
        Severity.WARNING,
        "a value that begins with '!' is a YAML tag, and the value is what follows it",
        "put the value in quotes",
    ),
    "list-below-value": _Saying(
        Severity.WARNING,
        "the key has a value, so the lines with '-' below it are part of that text and no list",
        "delete the value when the list belongs to the key; otherwise write the list's own key above it",
    ),
    "complex-key": _Saying(
        Severity.ERROR,
        "a list or mapping stands where a key is expected",
        "write a plain key, and quote it when it begins with [, { or ?",
    ),
    "wrong-merge": _Saying(
        Severity.ERROR, "'<<' merges mappings, and this is none", "name the anchor of a mapping, such as <<: *defaults"
    ),
}


def diagnose_misread(misread: Misread, document: Document, text: str) -> Diagnostic:
    """Return the diagnostic of what the composer found odd in a document."""
    saying = _SAYINGS[misread.code]
    place = range_of_node(misread.node)
    first = misread.first.start_mark.line + 1 if misread.first is not None else 0
    return Diagnostic.at(
        place,
        misread.code,
        saying.severity,
        document.name,
        saying.message.format(detail=misread.detail, first=first),
        saying.hint,
        path=misread.path,
        fix=_quote(place, misread.detail) if misread.code == "unquoted-braces" else None,
        snippet=snippet(text, place),
    )


def range_of_node(node: Node) -> Range:
    """Return where a node stands, 1-based."""
    start, end = node.start_mark, node.end_mark
    return Range(Position(start.line + 1, start.column + 1), Position(end.line + 1, end.column + 1))


def _quote(place: Range, text: str) -> Fix | None:
    """Return the fix that puts quotes around a value of one line, unless it holds both kinds itself."""
    if place.start.line != place.end.line or "\\" in text:
        return None
    mark = next((mark for mark in "\"'" if mark not in text), None)
    if mark is None:
        return None
    ends = (Range(place.start, place.start), Range(place.end, place.end))
    return Fix("put it in quotes", tuple(Edit(end, mark) for end in ends), safe=True)
