"""Warn of lines that YAML reads in another way than their writer: they are YAML, so no parser complains."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

from dataos_dagster.manifests.composing import SourceText
from dataos_dagster.manifests.diagnostics import Diagnostic, Edit, Fix, Position, Range, Severity
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.masking import ENVELOPE_KEYS
from dataos_dagster.manifests.positions import FIELDS
from dataos_dagster.manifests.snippets import snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dataos_dagster.manifests.document import Document

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
# Patterns of lines begin with a line break, which the engine finds much faster than it finds `^`; they are applied to
# the text with one in front. Those that look at every line take blanks and names as a whole (`*+`): trying shorter ones
# would be most of the time.
_GLUED_COMMENT = re.compile(rf"\n[ \t]*#[^\n]*?(?:{_COMMENT_NOUNS})(?P<key>{_KEYS})[ \t]*:(?=[ \t]|$)", re.IGNORECASE)
_EMPTY_SECTION = re.compile(
    rf"\n(?P<section>{'|'.join(KINDS)}):[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*(?P<next>[A-Za-z_][\w-]*):(?=\s)"
)
_COMMA = re.compile(r":[ \t]+(?P<value>[^\s\"'#\[{|>&*!%@`,][^\s,\"']*(?P<mark>,))[ \t]*(?=\n|$)")
_TYPOGRAPHIC = re.compile("(?::|-)[ \t]+(?P<value>(?P<mark>[\u201c\u2018]))")
_ODD_SPACE = re.compile(rf"\n[ \t]*(?P<value>(?P<mark>[{ODD_SPACES}]+))")
_ODD_DASH = re.compile(rf"\n[ \t]*(?P<value>(?P<mark>[{ODD_DASHES}]))(?=[ \t])")
_DASHED = re.compile(r"\n[ \t]*+(?P<value>(?P<mark>-)[A-Za-z\"'$<{])")
_GLUED_KEY = re.compile(r"\n[ \t]*+(?P<value>[A-Za-z_][\w-]*+(?P<mark>:)(?![/:\s])[^\s:]+)[ \t]*(?=\n|$)")


def glued_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and name of each key that seems to be glued to the comment in front of it."""
    if "#" in text:
        source = SourceText(f"\n{text}")
        for found in _GLUED_COMMENT.finditer(source.text):
            yield *_place(source, found.start("key")), found["key"]


def unindented_sections(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield line, column and name of each section that holds nothing, and the key that stands beside it instead.

    Keys of the envelope may follow a section, unless they stood above it already.
    """
    source = SourceText(f"\n{text}")
    for found in _EMPTY_SECTION.finditer(source.text):
        following = found["next"]
        if following not in ENVELOPE_KEYS or re.search(rf"^{following}:", text[: found.start()], re.MULTILINE):
            yield *_place(source, found.start("section")), found["section"], following


def misread_lines(text: str, documents: Sequence[Document], name: str) -> list[Diagnostic]:
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
    source = SourceText(f"\n{text}")
    matches = list(pattern.finditer(source.text))
    if not matches:
        return
    starts = _value_starts(documents)
    for found in matches:
        if _place(source, found.start("value")) in starts:
            line, column = _place(source, found.start("mark"))
            end = column + len(found["mark"])
            yield tell(text, name, Range(Position(line, column), Position(line, end)))


def _value_starts(documents: Sequence[Document]) -> set[tuple[int, int]]:
    """Return where values begin."""
    starts: set[tuple[int, int]] = set()
    for document in documents:
        records = array("I", document.positions.records)
        starts.update(zip(records[::FIELDS], records[1::FIELDS], strict=True))
    return starts


def _place(source: SourceText, offset: int) -> tuple[int, int]:
    """Return the place in the file of an offset in a text with a line break in front of it."""
    line, column = source.place(offset)
    return line - 1, column


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
