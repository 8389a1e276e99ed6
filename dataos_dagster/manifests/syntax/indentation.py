"""Lines that stand at the wrong column, and what hangs below a key that cannot hold it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataos_dagster.manifests.oddities import glued_comments
from dataos_dagster.manifests.syntax.finding import Finding
from dataos_dagster.manifests.syntax.lines import block, openings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.syntax.finding import Broken
    from dataos_dagster.manifests.syntax.lines import Line, Opening

_PLAIN_KEY = re.compile(r"^[ ]*(?:- +)*[A-Za-z_][\w.-]*:(?=\s|$)")


def misplaced_key(broken: Broken) -> Iterator[Finding]:
    """A key whose column is that of no mapping that is open, or that of a list's dashes."""
    line = broken.at
    if line.key is None or line.dashes:
        return
    opened = openings(broken.lines, line.number)
    mappings = [opening for opening in opened if not opening.is_list]
    lists = [opening for opening in opened if opening.is_list and opening.column == line.column]
    if lists:
        yield from _beside_dash(broken, line, lists[0], mappings)
        return
    for opening in sorted(mappings, key=lambda mapping: (abs(mapping.column - line.column), -mapping.column)):
        if opening.column == line.column:
            continue
        if opening is mappings[0] and line.column > opening.column:
            yield _moved(broken, line, opening.column, "key-too-deep", *_too_deep(line, opening.line))
        else:
            yield _moved(broken, line, opening.column, "key-misaligned", *_misaligned(line, opening.line))


def _too_deep(line: Line, sibling: Line) -> tuple[str, str]:
    return (
        f"{line.key!r} stands {_columns(line.column - sibling.column)} further right than {sibling.key!r} on line "
        f"{sibling.number + 1}, which has a value and so holds no keys",
        f"put {line.key!r} into column {sibling.column + 1}, below {sibling.key!r}, and what belongs to it with it; "
        f"or delete the value of {sibling.key!r} when it is to hold {line.key!r}",
    )


def _misaligned(line: Line, sibling: Line) -> tuple[str, str]:
    return (
        f"{line.key!r} in column {line.column + 1} is in line with no key above it; "
        f"{sibling.key!r} on line {sibling.number + 1} stands in column {sibling.column + 1}",
        f"put {line.key!r} into column {sibling.column + 1}, in line with {sibling.key!r}, with all that belongs to it",
    )


def _beside_dash(broken: Broken, line: Line, items: Opening, mappings: list[Opening]) -> Iterator[Finding]:
    """A key in the column of a list's dashes: it belongs to the last item, or to what holds the list.

    An item that has further keys, rightly placed, is complete: then the key is the list's neighbour.
    """
    item = items.line
    inner = next((mapping for mapping in mappings if mapping.column > items.column), None)
    outer = next((mapping for mapping in mappings if mapping.column < items.column), None)
    belongs = inner is not None and inner.first.number == inner.line.number
    into_item = (
        None
        if inner is None
        else _moved(
            broken,
            line,
            inner.column,
            "key-beside-dash",
            f"{line.key!r} stands in the column of the dash on line {item.number + 1}, so it is not part of that item",
            f"indent {line.key!r} by {_columns(inner.column - line.column)}, in line with {inner.first.key!r}, and what "
            "belongs to it with it",
        )
    )
    beside_list = (
        None
        if outer is None
        else _moved(
            broken,
            line,
            outer.column,
            "key-among-items",
            f"{line.key!r} stands in the column of the list's dashes (line {item.number + 1}), where only items may stand",
            f"put {line.key!r} into column {outer.column + 1}, in line with {outer.line.key!r} on line "
            f"{outer.line.number + 1}",
        )
    )
    candidates = (into_item, beside_list) if belongs else (beside_list, into_item)
    yield from (candidate for candidate in candidates if candidate)


def misplaced_item(broken: Broken) -> Iterator[Finding]:
    """A dash in a column where no list is open, or below a key that already has a value."""
    line = broken.at
    if not line.dashes:
        return
    opened = openings(broken.lines, line.number)
    lists = [opening for opening in opened if opening.is_list and opening.column != line.indent]
    under_value = list(_list_below_value(broken, line))
    alike = [opening for opening in lists if opening.line.key == line.key]
    if not alike:
        yield from under_value
    for opening in sorted(alike or lists, key=lambda found: abs(found.column - line.indent)):
        yield _moved(
            broken,
            line,
            opening.column,
            "item-misaligned",
            f"the dash in column {line.indent + 1} is in line with no item of the list above, whose dash on line "
            f"{opening.line.number + 1} stands in column {opening.column + 1}",
            f"put the dash into column {opening.column + 1}, and what belongs to the item with it",
        )
    if alike:
        yield from under_value


def _list_below_value(broken: Broken, line: Line) -> Iterator[Finding]:
    owner = broken.before(line.number)
    if owner is None or owner.key is None or owner.holds or owner.column > line.indent:
        return
    yield Finding(
        "list-below-value",
        line.number,
        line.indent,
        len(line.text),
        f"a list begins here, but {owner.key!r} on line {owner.number + 1} already has a value",
        f"delete the value of {owner.key!r} when the list belongs to it; otherwise a key is missing: write the list's "
        "own key on a line above it",
        {owner.number: owner.with_value("").rstrip()},
    )


def unindented_text(broken: Broken) -> Iterator[Finding]:
    """A block of text (`key: |`) whose first line is not indented below its key."""
    opener = next(
        (
            line
            for line in reversed(broken.lines[: broken.at.number + 1])
            if line.opens_block_scalar and not line.inside
        ),
        None,
    )
    if opener is None:
        return
    body = [line for line in broken.lines[opener.number + 1 :] if line.text.strip()]
    if not body or body[0].inside or _PLAIN_KEY.match(body[0].text) or body[0].text.startswith("---"):
        return
    end = next((line.number for line in body if _ends_text(line, opener)), len(broken.lines))
    shift = max(opener.column + 2 - min(line.indent for line in body if line.number < end), 0)
    first = body[0]
    yield Finding(
        "text-not-indented",
        first.number,
        first.indent,
        len(first.text),
        f"the text of {opener.key!r} (line {opener.number + 1}) begins here, but is not indented below its key",
        f"indent every line of the text by at least {_columns(opener.column + 2 - first.indent)}",
        {line.number: " " * shift + line.text for line in body if line.number < end},
        repair=f"indent the text by {_columns(shift)}",
    )


def _ends_text(line: Line, opener: Line) -> bool:
    return line.text.startswith("---") or (line.column <= opener.column and bool(_PLAIN_KEY.match(line.text)))


def glued_comment(broken: Broken) -> Iterator[Finding]:
    """A key that a lost line break has put at the end of a comment."""
    text = "\n".join(line.text for line in broken.lines[: broken.at.number])
    glued = list(glued_comments(text))
    if not glued:
        return
    number, column, key = glued[-1][0] - 1, glued[-1][1] - 1, glued[-1][2]
    value = broken.lines[number].text[column:]
    columns = [opening.column for opening in openings(broken.lines, number) if not opening.is_list]
    for indent in dict.fromkeys([*columns, 0]):
        yield Finding(
            "key-in-comment",
            number,
            column,
            column + len(key),
            f"the key {key!r} stands in a comment, so it does not count",
            f"begin a new line in front of '{key}:'",
            {number: " " * indent + value},
        )


def _moved(broken: Broken, line: Line, column: int, code: str, message: str, hint: str) -> Finding:
    """Return a finding whose repair moves a line, and what belongs to it, to a column."""
    shift = column - line.indent
    members = block(broken.lines, line)
    edits = {
        member.number: " " * max(member.indent + shift, 0) + member.text[member.indent :]
        for member in members
        if member.text.strip()
    }
    return Finding(
        code,
        line.number,
        line.indent,
        line.column + len(line.key or "-"),
        message,
        hint,
        edits,
        repair=f"move {'the line' if len(edits) == 1 else f'{len(edits)} lines'} to column {column + 1}",
    )


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"
