"""Warn of what is YAML, and hardly what was meant: a key twice, braces without quotes, a comma behind a value."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import SourceText
from dataos_dagster.manifests.diagnostics import Diagnostic, Edit, Fix, Position, Range, Severity
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.masking import ENVELOPE_KEYS
from dataos_dagster.manifests.positions import FIELDS
from dataos_dagster.manifests.snippets import snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from yaml.nodes import Node

    from dataos_dagster.manifests.composing import Oddity
    from dataos_dagster.manifests.document import Document


@dataclass(frozen=True, slots=True)
class _Saying:
    """How one kind of oddity is told."""

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


def diagnose_oddity(oddity: Oddity, document: Document, text: str) -> Diagnostic:
    """Return the diagnostic of what the composer found odd in a document."""
    saying = _SAYINGS[oddity.code]
    place = range_of_node(oddity.node)
    first = oddity.first.start_mark.line + 1 if oddity.first is not None else 0
    return Diagnostic(
        code=oddity.code,
        severity=saying.severity,
        file=document.name,
        line=place.start.line,
        column=place.start.column,
        end_line=place.end.line,
        end_column=place.end.column,
        path=oddity.path,
        message=saying.message.format(detail=oddity.detail, first=first),
        hint=saying.hint,
        fix=_quote(place, oddity.detail) if oddity.code == "unquoted-braces" else None,
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


# Blanks that are no indentation to YAML: non-breaking, typographic and zero-width ones.
ODD_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff\ufffc"
# Dashes and bullets that begin no item of a list.
ODD_DASHES = "\u2010-\u2015\u2022\u00b7\u2212\u25cf\u25e6"
# A key that a missing line break has glued to the comment in front of it: `# Resource meta sectionname: orders`.
_COMMENT_NOUNS = r"section|specification|spec|configuration|config|details?|attributes?|metadata|block|part|settings?"
_KEYS = "|".join(
    sorted(
        {"name", "version", "type", "tags", "description", "owner", "layer", "workspace", "title", "schedule", "cron"}
        | {"report", "equation", "stream", "incident", "source", "conditions", "output", "inputs", "outputs", "steps"}
        | {"dag", "spec", "stack", "stackSpec", "compute", "resources", "properties", "secrets", "data", "replicas"}
        | {"selector", "rules", "mask", "filters", "ports", "meta", "collaborators", "refs", "sink", "options", "job"}
        | set(KINDS)
    )
)
_GLUED_COMMENT = re.compile(
    rf"^[ \t]*#[^\n]*?(?:{_COMMENT_NOUNS})(?P<key>{_KEYS})[ \t]*:(?=[ \t]|$)", re.MULTILINE | re.IGNORECASE
)
_EMPTY_SECTION = re.compile(
    rf"^(?P<section>{'|'.join(KINDS)}):[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*(?P<next>[A-Za-z_][\w-]*):(?=\s)",
    re.MULTILINE,
)
_COMMA = re.compile(r":[ \t]+(?P<value>[^\s\"'#\[{|>&*!%@`,][^\s,\"']*(?P<mark>,))[ \t]*$", re.MULTILINE)
_TYPOGRAPHIC = re.compile("(?::|-)[ \t]+(?P<value>(?P<mark>[\u201c\u2018]))")
_ODD_SPACE = re.compile(rf"^[ \t]*(?P<value>(?P<mark>[{ODD_SPACES}]+))", re.MULTILINE)
_ODD_DASH = re.compile(rf"^[ \t]*(?P<value>(?P<mark>[{ODD_DASHES}]))(?=[ \t])", re.MULTILINE)
_DASHED = re.compile(r"^[ \t]*(?P<value>(?P<mark>-)[A-Za-z\"'$<{])", re.MULTILINE)
_GLUED_KEY = re.compile(r"^[ \t]*(?P<value>[A-Za-z_][\w-]*(?P<mark>:)(?![/:\s])[^\s:]+)[ \t]*$", re.MULTILINE)


def glued_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each key that seems to be glued to the comment in front of it."""
    if "#" in text:
        source = SourceText(text)
        for found in _GLUED_COMMENT.finditer(text):
            yield *source.place(found.start("key")), found["key"]


def unindented_sections(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield line, column and name of each section that holds nothing, and the key that stands beside it instead.

    Keys of the envelope may follow a section, unless they stood above it already.
    """
    source = SourceText(text)
    for found in _EMPTY_SECTION.finditer(text):
        following = found["next"]
        if following not in ENVELOPE_KEYS or re.search(rf"^{following}:", text[: found.start()], re.MULTILINE):
            yield *source.place(found.start("section")), found["section"], following


def suspicious_lines(text: str, documents: Sequence[Document], name: str) -> list[Diagnostic]:
    """Return warnings about lines that YAML reads in another way than their writer."""
    found = [glued_comment(text, name, *place) for place in glued_comments(text)]
    found += [unindented_section(text, name, *place) for place in unindented_sections(text)]
    if "\u201c" in text or "\u2018" in text:
        found += _at_values(text, documents, name, _TYPOGRAPHIC, _quotes)
    if not text.isascii():
        found += _at_values(text, documents, name, _ODD_SPACE, _odd_space)
        found += _at_values(text, documents, name, _ODD_DASH, _odd_dash)
    if ",\n" in text or text.endswith(","):
        found += _at_values(text, documents, name, _COMMA, _comma)
    found += _at_values(text, documents, name, _DASHED, _dash)
    found += _at_values(text, documents, name, _GLUED_KEY, _colon)
    return found


def glued_comment(text: str, name: str, line: int, column: int, key: str) -> Diagnostic:
    """Return the warning about a key that stands at the end of a comment."""
    return _warning(
        "key-in-comment",
        text,
        name,
        Range(Position(line, column), Position(line, column + len(key))),
        f"the key {key!r} stands in a comment, so it does not count",
        f"begin a new line in front of '{key}:'",
    )


def unindented_section(text: str, name: str, line: int, column: int, section: str, following: str) -> Diagnostic:
    """Return the warning about a section whose lines stand in its own column."""
    return _warning(
        "section-not-indented",
        text,
        name,
        Range(Position(line, column), Position(line, column + len(section))),
        f"the section {section!r} holds nothing: {following!r} below it stands in its own column",
        f"indent the lines that belong to {section!r} by 2 columns",
    )


def _quotes(text: str, name: str, place: Range) -> Diagnostic:
    return _warning(
        "typographic-quotes",
        text,
        name,
        place,
        "slanted quotes are part of the value in YAML, they do not quote it",
        "write \" or ' instead",
    )


def _odd_space(text: str, name: str, place: Range) -> Diagnostic:
    blanks = " " * (place.end.column - place.start.column)
    return _warning(
        "odd-space",
        text,
        name,
        place,
        "an invisible character that is no plain space begins this key, so it is part of it",
        "replace it by plain spaces; it often comes with text pasted from a web page",
        Fix("replace it by plain spaces", (Edit(place, blanks),), safe=True),
    )


def _odd_dash(text: str, name: str, place: Range) -> Diagnostic:
    return _warning(
        "odd-dash",
        text,
        name,
        place,
        "a dash or bullet that is no '-' begins a text, not an item of a list",
        "write '- ' in front of each item",
    )


def _comma(text: str, name: str, place: Range) -> Diagnostic:
    return _warning(
        "trailing-comma",
        text,
        name,
        place,
        "the comma belongs to the value: YAML puts none between keys",
        "delete the comma, or quote the value when the comma is meant",
        Fix("delete the comma", (Edit(place, ""),)),
    )


def _dash(text: str, name: str, place: Range) -> Diagnostic:
    return _warning(
        "missing-space-after-dash",
        text,
        name,
        place,
        "a '-' without a space behind it is part of a text, not an item of a list",
        "write '- ' in front of each item",
        Fix("put a space behind '-'", (Edit(Range(place.end, place.end), " "),)),
    )


def _colon(text: str, name: str, place: Range) -> Diagnostic:
    return _warning(
        "missing-space-after-colon",
        text,
        name,
        place,
        "a ':' without a space behind it is part of a text, not the end of a key",
        "write 'key: value'",
        Fix("put a space behind ':'", (Edit(Range(place.end, place.end), " "),)),
    )


def _at_values(
    text: str,
    documents: Sequence[Document],
    name: str,
    pattern: re.Pattern[str],
    tell: Callable[[str, str, Range], Diagnostic],
) -> Iterator[Diagnostic]:
    """Yield a warning for each match of `pattern` that is a value of its own: not inside a text of several lines."""
    matches = list(pattern.finditer(text))
    if not matches:
        return
    starts, source = _value_starts(documents), SourceText(text)
    for found in matches:
        if source.place(found.start("value")) in starts:
            line, column = source.place(found.start("mark"))
            end = column + len(found["mark"])
            yield tell(text, name, Range(Position(line, column), Position(line, end)))


def _value_starts(documents: Sequence[Document]) -> set[tuple[int, int]]:
    """Return where values begin."""
    starts: set[tuple[int, int]] = set()
    for document in documents:
        records = array("I", document.positions.records)
        starts.update(zip(records[::FIELDS], records[1::FIELDS], strict=True))
    return starts


def _warning(
    code: str, text: str, name: str, place: Range, message: str, hint: str, fix: Fix | None = None
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.WARNING,
        file=name,
        line=place.start.line,
        column=place.start.column,
        end_line=place.end.line,
        end_column=place.end.column,
        path=(),
        message=message,
        hint=hint,
        fix=fix,
        snippet=snippet(text, place),
    )
