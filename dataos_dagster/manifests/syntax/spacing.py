"""Characters that look like space, dash or colon and are not, and spaces that are missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.manifests.misread_lines import ODD_DASHES, ODD_SPACES
from dataos_dagster.manifests.syntax.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.syntax.finding import Broken
    from dataos_dagster.manifests.syntax.lines import Line

_INDENT_TABS = re.compile(r"^[ ]*\t[ \t]*")
_TAB_BETWEEN = re.compile(r"(?<=[:\-])\t+[ \t]*|(?<=[:\-] )[ ]*\t+[ \t]*")
_ODD_INDENT = re.compile(rf"^[ \t]*[{ODD_SPACES}][\s{ODD_SPACES}]*")
_ODD_COLON = re.compile(r"^(?P<before>[ ]*(?:- +)*[\w.-]+)[ ]?(?P<colon>[\uff1a\ufe55\ua789;=])(?=\s|$)")
_ODD_DASH = re.compile(rf"^(?P<before>[ ]*)(?P<dash>[{ODD_DASHES}*+])(?=\s)")
_GLUED_DASH = re.compile(r"^(?P<before>[ ]*(?:- +)*)-(?=[^\s-])")
_GLUED_COLON = re.compile(r"^(?P<before>[ ]*(?:-[ ]+)*[A-Za-z_][\w.-]*):(?![\s/:])(?=\S)")
_NO_COLON = re.compile(r"^(?P<before>[ ]*(?:-[ ]+)*)(?P<key>[A-Za-z_][\w.-]*)(?:[ ]+(?P<value>\S.*?))?[ ]*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_TAB_WIDTHS = (2, 4, 8, 1)
# How far above the symptom a missing space or colon is looked for, in lines that say something.
_LOOK_BACK = 3
# How far above it a key without colon is looked for: the list below such a key is part of one text.
_TEXT_LINES = 40


def tabs(broken: Broken) -> Iterator[Finding]:
    """Tabs in front of a line, or between a dash or colon and what follows."""
    line = broken.lines[min(broken.trouble.line, len(broken.lines) - 1)]
    indented = [other for other in broken.lines if not other.inside and _INDENT_TABS.match(other.text)]
    if _INDENT_TABS.match(line.text) and indented:
        more = f" (and on {len(indented) - 1} more lines)" if len(indented) > 1 else ""
        for width in _TAB_WIDTHS:
            yield Finding(
                "tab",
                line.number,
                line.text.index("\t"),
                line.text.index("\t") + 1,
                f"a tab indents this line{more}; YAML indents with spaces only",
                "replace each tab by spaces; editors have a setting 'insert spaces for tabs'",
                {other.number: _expand(other.text, width) for other in indented},
                safe=True,
                repair=f"replace each tab by {width} spaces",
            )
    between = _TAB_BETWEEN.search(line.text)
    if between:
        yield Finding(
            "tab",
            line.number,
            between.start(),
            between.end(),
            "a tab stands where YAML wants a space",
            "write one space",
            {line.number: f"{line.text[: between.start()]} {line.text[between.end() :]}"},
            safe=True,
            repair="replace the tab by a space",
        )


def _expand(text: str, width: int) -> str:
    found = _INDENT_TABS.match(text)
    end = found.end() if found else 0
    return text[:end].replace("\t", " " * width) + text[end:]


def odd_spaces(broken: Broken) -> Iterator[Finding]:
    """Spaces of word processors and web pages that indent lines, anywhere up to the trouble."""
    last = max(broken.at.number, broken.trouble.line)
    for line in broken.lines[: last + 1]:
        indent = _ODD_INDENT.match(line.text)
        if indent:
            yield Finding(
                "odd-space",
                line.number,
                0,
                indent.end(),
                "an invisible character that is no plain space indents this line",
                "replace it by plain spaces; it often comes with text pasted from a web page",
                {line.number: " " * indent.end() + line.text[indent.end() :]},
                safe=True,
                repair="replace it by plain spaces",
                certain=True,
            )


def odd_characters(broken: Broken) -> Iterator[Finding]:
    """Dashes and colons of word processors, and the fences of Markdown."""
    for line in _near(broken):
        yield from _replaced(line.number, line.text, _ODD_COLON, "colon", "odd-colon", ":")
        yield from _replaced(line.number, line.text, _ODD_DASH, "dash", "odd-dash", "-")
        if _FENCE.match(line.text):
            yield Finding(
                "markdown-fence",
                line.number,
                0,
                len(line.text),
                "the line is the fence of a code block in Markdown, not YAML",
                "delete the line",
                {line.number: ""},
                safe=True,
                repair="delete the fence",
            )


def _replaced(number: int, text: str, pattern: re.Pattern[str], group: str, code: str, mark: str) -> Iterator[Finding]:
    found = pattern.match(text)
    if found is None:
        return
    start, end = found.span(group)
    yield Finding(
        code,
        number,
        start,
        end,
        f"{found[group]!r} stands where YAML wants {mark!r}",
        f"write {mark!r} and a space behind it",
        {number: text[: len(found["before"])] + mark + text[end:]},
        repair=f"write {mark!r} instead",
    )


def glued_dash(broken: Broken) -> Iterator[Finding]:
    """`-item` instead of `- item`."""
    for line in _near(broken):
        found = _GLUED_DASH.match(line.text)
        if found and not line.text.startswith("---"):
            column = len(found["before"])
            yield Finding(
                "missing-space-after-dash",
                line.number,
                column,
                column + 1,
                "there is no space behind '-', so this is no item of a list",
                f"write '- {_shown(line.text[column + 1 :])}'",
                {line.number: f"{line.text[: column + 1]} {line.text[column + 1 :]}"},
                safe=True,
                repair="put a space behind '-'",
            )


def glued_colon(broken: Broken) -> Iterator[Finding]:
    """`key:value` instead of `key: value`."""
    for line in _near(broken):
        found = _GLUED_COLON.match(line.text)
        if found and not line.inside:
            column = len(found["before"])
            key = found["before"].strip(" -")
            yield Finding(
                "missing-space-after-colon",
                line.number,
                column,
                column + 1,
                f"there is no space behind the ':' of {key!r}, so this is no key",
                f"write '{key}: …'",
                {line.number: f"{line.text[: column + 1]} {line.text[column + 1 :]}"},
                safe=True,
                repair="put a space behind ':'",
            )


def missing_colon(broken: Broken) -> Iterator[Finding]:
    """A key without its colon: YAML takes the line and those below it for one text."""
    near = {line.number for line in _near(broken)}
    above = [line for line in reversed(broken.lines[: broken.at.number]) if not line.blank]
    for line in dict.fromkeys([*_near(broken), *above[:_TEXT_LINES]]):
        if line.inside or line.key is not None:
            continue
        found = _NO_COLON.match(line.text[: line.value_column + len(line.value)])
        if found is None or (found["value"] and line.number not in near):
            continue
        column = found.end("key")
        rest = line.text[column:]
        yield Finding(
            "missing-colon",
            line.number,
            found.start("key"),
            column,
            f"there is no ':' behind {found['key']!r}",
            f"write '{found['key']}: …'" if found["value"] else f"write '{found['key']}:'",
            {line.number: f"{line.text[:column]}:{rest}"},
            repair=f"put ':' behind {found['key']!r}",
            certain=line.column == broken.at.column and bool(above) and line is above[0],
        )


def _near(broken: Broken) -> Iterator[Line]:
    """Yield the line of the trouble, the one where it began, and the last ones in front of it."""
    last = len(broken.lines) - 1
    numbers = [min(broken.trouble.line, last), broken.at.number, min(broken.trouble.start_line, last)]
    number = broken.at.number
    for _ in range(_LOOK_BACK):
        before = broken.before(number)
        if before is None:
            break
        number = before.number
        numbers.append(number)
    for found in dict.fromkeys(numbers):
        yield broken.lines[found]


def _shown(text: str) -> str:
    """Return the first word of a line: the rest may be secret."""
    word = text.split(":", 1)[0].strip()
    return f"{word}: …" if ":" in text else "…"
