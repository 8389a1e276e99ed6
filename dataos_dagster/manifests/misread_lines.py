"""Warn of lines that YAML reads in another way than their writer: they are YAML, so no parser complains."""

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


@dataclass(frozen=True, slots=True)
class MisreadLine:
    """What a line means to its writer and not to YAML, and the place in the file that shows it."""

    code: str
    place: Range
    message: str
    hint: str
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    """One way of writing a value that YAML takes for a part of the value.

    Attributes:
        pattern: Its group `value` must begin where a value of a document does, which it does not inside a text of
            several lines; the group `mark` is what is told.
        may_match: A quick look at the text and its documents, which spares nearly all files the pattern.
        repair: What the edit does, as an order; None where only the writer knows what was meant.
        edit: The change of the mark's place.
        safe: There is only one thing that the writer can have meant.
    """

    code: str
    pattern: re.Pattern[str]
    may_match: Callable[[str, Sequence[Document]], bool]
    message: str
    hint: str
    repair: str | None = None
    edit: Callable[[Range], Edit] = lambda place: Edit(place, "")
    safe: bool = False

    def tell(self, place: Range) -> MisreadLine:
        """Return what is told at the place of a mark."""
        fix = Fix(self.repair, (self.edit(place),), safe=self.safe) if self.repair else None
        return MisreadLine(self.code, place, self.message, self.hint, fix)


def _space_behind(place: Range) -> Edit:
    return Edit(Range(place.end, place.end), " ")


def _plain_blanks(place: Range) -> Edit:
    return Edit(place, " " * (place.end.column - place.start.column))


_RULES = (
    _Rule(
        "typographic-quotes",
        re.compile("(?::|-)[ \t]+(?P<value>(?P<mark>[\u201c\u2018]))"),
        lambda text, _: "\u201c" in text or "\u2018" in text,
        "slanted quotes are part of the value in YAML, they do not quote it",
        "write \" or ' instead",
    ),
    _Rule(
        "odd-space",
        re.compile(rf"\n[ \t]*(?P<value>(?P<mark>[{ODD_SPACES}]+))"),
        lambda text, _: not text.isascii(),
        "an invisible character that is no plain space begins this key, so it is part of it",
        "replace it by plain spaces; it often comes with text pasted from a web page",
        "replace it by plain spaces",
        _plain_blanks,
        safe=True,
    ),
    _Rule(
        "odd-dash",
        re.compile(rf"\n[ \t]*(?P<value>(?P<mark>[{ODD_DASHES}]))(?=[ \t])"),
        lambda text, _: not text.isascii(),
        "a dash or bullet that is no '-' begins a text, not an item of a list",
        "write '- ' in front of each item",
    ),
    _Rule(
        "trailing-comma",
        re.compile(r":[ \t]+(?P<value>[^\s\"'#\[{|>&*!%@`,][^\s,\"']*(?P<mark>,))[ \t]*(?=\n|$)"),
        lambda text, _: ",\n" in text or text.endswith(","),
        "the comma belongs to the value: YAML puts none between keys",
        "delete the comma, or quote the value when the comma is meant",
        "delete the comma",
    ),
    _Rule(
        "missing-space-after-dash",
        re.compile(r"\n[ \t]*+(?P<value>(?P<mark>-)[A-Za-z\"'$<{])"),
        # A text that begins with a dash, as JSON writes it.
        lambda _, documents: any('"-' in document.encoded for document in documents),
        "a '-' without a space behind it is part of a text, not an item of a list",
        "write '- ' in front of each item",
        "put a space behind '-'",
        _space_behind,
    ),
    _Rule(
        "missing-space-after-colon",
        re.compile(r"\n[ \t]*+(?P<value>[A-Za-z_][\w-]*+(?P<mark>:)(?![/:\s])[^\s:]+)[ \t]*(?=\n|$)"),
        lambda *_: True,
        "a ':' without a space behind it is part of a text, not the end of a key",
        "write 'key: value'",
        "put a space behind ':'",
        _space_behind,
    ),
)


def misread_lines(text: str, documents: Sequence[Document], name: str) -> list[Diagnostic]:
    """Return warnings about lines that YAML reads in another way than their writer.

    Args:
        text: The whole text of a file.
        documents: All that it holds.
        name: Path of the file, as displayed.
    """
    found = list(glued_comments(text))
    if any(":null" in document.encoded for document in documents):
        found += unindented_sections(text)
    found += _misread_values(text, documents)
    return [
        Diagnostic.at(
            each.place,
            each.code,
            Severity.WARNING,
            name,
            each.message,
            each.hint,
            fix=each.fix,
            snippet=snippet(text, each.place),
        )
        for each in found
    ]


def glued_comments(text: str) -> Iterator[MisreadLine]:
    """Yield each key that seems to be glued to the comment in front of it."""
    if "#" not in text:
        return
    source = SourceText(f"\n{text}")
    for found in _GLUED_COMMENT.finditer(source.text):
        yield MisreadLine(
            "key-in-comment",
            _place(source, found, "key"),
            f"the key {found['key']!r} stands in a comment, so it does not count",
            f"begin a new line in front of '{found['key']}:'",
        )


def unindented_sections(text: str) -> Iterator[MisreadLine]:
    """Yield each section that holds nothing because what belongs to it stands in its own column.

    Keys of the envelope may follow a section, unless they stood above it already.
    """
    source = SourceText(f"\n{text}")
    for found in _EMPTY_SECTION.finditer(source.text):
        section, following = found["section"], found["next"]
        if following not in ENVELOPE_KEYS or re.search(rf"^{following}:", text[: found.start()], re.MULTILINE):
            yield MisreadLine(
                "section-not-indented",
                _place(source, found, "section"),
                f"the section {section!r} holds nothing: {following!r} below it stands in its own column",
                f"indent the lines that belong to {section!r} by 2 columns",
            )


def _misread_values(text: str, documents: Sequence[Document]) -> Iterator[MisreadLine]:
    """Yield what the rules find at values of the documents."""
    source = SourceText(f"\n{text}")
    starts: set[Position] = set()
    for rule in _RULES:
        for found in rule.pattern.finditer(source.text) if rule.may_match(text, documents) else ():
            starts = starts or _value_starts(documents)
            if _place(source, found, "value").start in starts:
                yield rule.tell(_place(source, found, "mark"))


def _value_starts(documents: Sequence[Document]) -> set[Position]:
    """Return where values begin."""
    starts: set[Position] = set()
    for document in documents:
        records = array("I", document.positions.records)
        starts.update(map(Position, records[::FIELDS], records[1::FIELDS]))
    return starts


def _place(source: SourceText, found: re.Match[str], group: str) -> Range:
    """Return the place in the file of a group of a match in the text with a line break in front of it."""
    (line, column), (end_line, end_column) = source.place(found.start(group)), source.place(found.end(group))
    return Range(Position(line - 1, column), Position(end_line - 1, end_column))
