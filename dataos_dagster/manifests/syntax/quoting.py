"""Values that need quotes, and quotes that do not close."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.manifests.syntax.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.syntax.finding import Broken
    from dataos_dagster.manifests.syntax.lines import Line

_RESERVED = {
    "*": "an alias",
    "&": "an anchor",
    "!": "a tag",
    "@": "an error, for the character is reserved",
    "`": "an error, for the character is reserved",
    "%": "a directive",
    "|": "a text block",
    ">": "a text block",
    "?": "a complex key",
    ",": "the next item of a list",
    "-": "an item of a list",
}
_BOLD = re.compile(r"(\*\*|__)(?P<text>[^*_]\S*?(?: [^*]*?)?)\1")
_QUOTED_THEN = re.compile(r"(?P<quoted>\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')(?P<rest>.+)")
# Keys that begin a line of nearly every manifest: in the middle of one, a line break was lost.
_COMMON_KEYS = frozenset(
    {"name", "version", "type", "tags", "description", "owner", "layer", "workspace", "title", "dag", "spec", "stack"}
    | {"compute", "stackSpec", "schedule", "cron", "acl", "data", "dataset", "format", "options", "inputs", "outputs"}
    | {"steps", "sequence", "sql", "depot", "secrets", "replicas", "resources"}
)
_WORD_BEFORE_COLON = re.compile(r"\s(?P<key>[A-Za-z][\w-]*):(?=\s|$)")


def quoted(value: str) -> str:
    """Return a value in quotes: double ones unless they would have to be escaped."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _quote(line: Line, code: str, message: str, hint: str, *, safe: bool = True) -> Finding:
    return Finding(
        code=code,
        line=line.number,
        column=line.value_column,
        end_column=line.value_column + len(line.value),
        message=message,
        hint=hint,
        edits={line.number: line.with_value(quoted(line.value))},
        safe=safe,
        repair="put the value in quotes",
    )


def bold_marks(broken: Broken) -> Iterator[Finding]:
    """Asterisks around a key or value, pasted from a formatted page."""
    text = broken.at.text
    found = _BOLD.search(text)
    if found is None or broken.at.value == found.group() == "**":
        return
    yield Finding(
        "bold-marks",
        broken.at.number,
        found.start(),
        found.end(),
        f"'{found[1]}' around a word is a mark of formatted text, not YAML",
        "delete the marks and keep the word",
        {broken.at.number: _BOLD.sub(lambda match: match["text"], text)},
        safe=True,
        repair="delete the marks",
    )


def braces(broken: Broken) -> Iterator[Finding]:
    """`{{ … }}` or `{% … %}` without quotes, on the line or where the trouble began."""
    for number in dict.fromkeys((broken.at.number, broken.trouble.start_line)):
        line = broken.lines[min(number, len(broken.lines) - 1)]
        value = line.value
        opening = re.search(r"\$?\{[{%]", value)
        if opening is None or value.startswith(('"', "'")) or line.inside:
            continue
        if _WORD_BEFORE_COLON.search(f" {value[: opening.start()]}"):
            continue  # a second key stands in front of the braces
        ends = "}}" if opening.group().endswith("{") else "%}"
        if line.key is None and not line.dashes and ": " in value:
            yield Finding(
                "placeholder-without-key",
                line.number,
                line.value_column,
                line.value_column + len(value),
                "a placeholder stands where keys are expected",
                "write the keys themselves, each on a line of its own: 'key: value'",
                {line.number: ""},
            )
        elif ends in value[opening.end() :]:
            yield _quote(
                line,
                "unquoted-braces",
                "braces without quotes begin a mapping in YAML",
                'put the whole value in quotes: "{{ … }}"',
            )
        else:
            yield Finding(
                "unclosed-braces",
                line.number,
                line.value_column + opening.start(),
                line.value_column + len(value),
                f"the braces {opening.group()!r} are not closed on their line",
                f"close them with {ends!r}, and put the whole value in quotes",
                {line.number: line.with_value(quoted(value + ends))},
                repair="close the braces and put the value in quotes",
            )


def reserved_start(broken: Broken) -> Iterator[Finding]:
    """A value whose first character means something to YAML."""
    for number in dict.fromkeys((broken.trouble.line, broken.trouble.start_line)):
        line = broken.lines[min(number, len(broken.lines) - 1)]
        first = line.value[:1]
        if line.inside or first not in _RESERVED or line.opens_block_scalar:
            continue
        yield _quote(
            line,
            "reserved-character",
            f"a value that begins with {first!r} without quotes is {_RESERVED[first]} in YAML",
            "put the value in quotes",
        )


def behind_quotes(broken: Broken) -> Iterator[Finding]:
    """Text behind a closing quote; or an apostrophe that closes a text by mistake."""
    line = broken.at
    found = _QUOTED_THEN.fullmatch(line.value)
    if found is None:
        return
    mark, rest = line.value[0], found["rest"]
    column = line.value_column + found.start("rest")
    where = (line.number, column, line.value_column + len(line.value))
    inner = line.value[1:-1]
    if rest.strip() == ",":
        yield Finding(
            "trailing-comma",
            *where,
            "there is no comma between keys in YAML",
            "delete the comma",
            {line.number: line.with_value(found["quoted"])},
            safe=True,
            repair="delete the comma",
        )
    elif line.value.endswith(mark) and len(line.value) > 1:
        double = inner.replace("'", "''") if mark == "'" else inner.replace("\\", "\\\\").replace('"', '\\"')
        yield Finding(
            "quote-in-quotes",
            *where,
            f"the text ends at the second {mark}, and more stands behind it",
            "write '' for an apostrophe inside single quotes" if mark == "'" else 'write \\" for a quote inside quotes',
            {line.number: line.with_value(f"{mark}{double}{mark}")},
            repair="escape the quotes inside the text",
        )
    else:
        yield Finding(
            "text-behind-quotes",
            *where,
            "something stands behind the closing quote",
            "delete it, or move the closing quote to the end of the line; begin a comment with ' #'",
            {line.number: line.with_value(found["quoted"])},
            repair="delete what stands behind the closing quote",
        )


def unclosed_quote(broken: Broken) -> Iterator[Finding]:
    """A quote that is opened and closed on no line, or only by the quote of another value further down."""
    starts = [broken.trouble.start_line] if broken.trouble.spans else []
    above = range(broken.at.number, -1, -1)
    for number in dict.fromkeys([*starts, *above]):
        if number >= len(broken.lines):
            continue
        line = broken.lines[number]
        mark = line.value[:1]
        if line.inside or mark not in {'"', "'"} or _is_closed(line.value, mark):
            continue
        yield Finding(
            "unclosed-quote",
            line.number,
            line.value_column,
            line.value_column + len(line.value),
            f"the text begins with {mark} and does not end on this line",
            f"put {mark} at its end, or write the text behind '|' when it has several lines",
            {line.number: line.with_value(line.value + mark)},
            repair="close the quote at the end of the line",
        )


def _is_closed(value: str, mark: str) -> bool:
    body = value[1:].replace("''", "") if mark == "'" else re.sub(r"\\.", "", value[1:])
    return mark in body


def colon_in_value(broken: Broken) -> Iterator[Finding]:
    """A colon and a space inside a value without quotes, or two keys on one line."""
    line = broken.at
    value = line.value
    if line.key is None or not value or value[0] in "\"'|>[{":
        return
    second = _WORD_BEFORE_COLON.search(f" {value}")
    if second is None and not re.search(r":(?:\s|$)", value):
        return
    if second and second["key"] in _COMMON_KEYS:
        column = line.value_column + second.start("key") - 1
        yield Finding(
            "two-keys-on-a-line",
            line.number,
            column,
            column + len(second["key"]),
            f"the key {second['key']!r} stands on the line of {line.key!r}",
            f"begin a new line in front of '{second['key']}:'",
            {line.number: line.with_value(quoted(value))},
        )
        return
    yield _quote(
        line,
        "colon-in-value",
        f"the value of {line.key!r} contains ': ', which ends a key in YAML",
        "put the value in quotes",
    )
