"""What the parser says, in plain words: for the mistakes that no rule knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.manifests.syntax.finding import Finding

if TYPE_CHECKING:
    from dataos_dagster.manifests.syntax.finding import Broken

# Words of libyaml's message: what they mean and what to do. The first match counts.
_MEANINGS = (
    ("undefined alias", "a '*' names an anchor that is not there", "put the value in quotes"),
    ("duplicate anchor", "the same anchor is set twice", "give each '&' a name of its own"),
    ("unknown directive", "a line begins with '%'", "put the value in quotes, or delete the line"),
    ("escape", "the text in double quotes holds a backslash that means nothing", "double it, or use single quotes"),
    ("tag", "a '!' begins a tag that YAML does not know", "put the value in quotes"),
    (
        "could not find expected ':'",
        "a key has no ':' behind it, or a text goes on where a key is expected",
        "write 'key: value', and indent the lines of a long text below their key",
    ),
    (
        "mapping values are not allowed",
        "a ':' stands where no key can be",
        "indent the line like the keys beside it, and quote a value that holds ': '",
    ),
    (
        "did not find expected key",
        "the line is not in line with the keys above it",
        "give keys of one mapping the same indent",
    ),
    (
        "expected '-' indicator",
        "a line without '-' stands among the items of a list",
        "indent it below its item, or put it back to the column of the list's key",
    ),
    (
        "block sequence entries are not allowed",
        "a list begins where none can be",
        "put the list on the lines below its key",
    ),
    ("cannot start any token", "a value begins with a reserved character", "put the value in quotes"),
    ("expected <document start>", "something stands behind the end of the document", "write '---' between documents"),
    ("unexpected end of stream", "something is begun and never ended", "close the quote or bracket that is open"),
    ("flow", "brackets do not match", "close each '[' and '{', and put commas between values"),
)
_OTHERWISE = ("the text is not YAML", "compare the line with one that works, and quote what looks unusual")


def translate(broken: Broken) -> Finding:
    """Return the trouble of a text that no rule explains, in its place."""
    trouble = broken.trouble
    said = f"{trouble.context} {trouble.problem}"
    meaning, advice = next(((meaning, advice) for word, meaning, advice in _MEANINGS if word in said), _OTHERWISE)
    line, column = trouble.position
    line = min(line, len(broken.lines) - 1)
    return Finding("yaml-syntax", line, column, column + 1, meaning, advice)
