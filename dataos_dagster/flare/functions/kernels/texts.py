"""Texts in other letters, with something replaced, and out of HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pyarrow as pa

from dataos_dagster.flare.functions.kernels.distinct import over_distinct

if TYPE_CHECKING:
    import re


def title_case(column: pa.Array) -> pa.Array:
    """Return texts in lower case with a capital behind each blank, as Spark's `initcap` has it: `Mary-jane O'neil`."""

    def title(text: str) -> str:
        return " ".join(word[:1].title() + word[1:] for word in text.lower().split(" "))

    return over_distinct(column, title, pa.string())


def substitute(column: pa.Array, pattern: re.Pattern[str], replacement: str, count: int) -> pa.Array:
    """Return texts with what a pattern matches replaced.

    Args:
        column: Texts.
        pattern: What is looked for.
        replacement: As `re.sub` takes it.
        count: How many matches of a text are replaced; 0 for all.
    """
    return over_distinct(column, lambda text: pattern.sub(replacement, text, count=count), pa.string())


def html_text(column: pa.Array) -> pa.Array:
    """Return the text that a browser would show of each HTML text, blanks and line ends as single blanks."""

    def text_of(html: str) -> str:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return " ".join("".join(reader.pieces).split())

    return over_distinct(column, text_of, pa.string())


# Elements whose text stands apart from the text around them (HTML Standard, Rendering, flow content and tables).
_APART = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dialog",
        "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1", "h2", "h3",
        "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "menu", "nav", "ol", "option", "p", "pre",
        "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
    }
)  # fmt: skip
_NOT_SHOWN = frozenset({"script", "style", "template", "noscript"})


class _Reader(HTMLParser):
    """Collects the pieces of text of a document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - of the parser's interface
        if tag in _NOT_SHOWN:
            self._hidden += 1
        if tag in _APART:
            self.pieces.append(" ")

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - of the parser's interface
        if tag in _APART:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _NOT_SHOWN:
            self._hidden = max(self._hidden - 1, 0)
        if tag in _APART:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
