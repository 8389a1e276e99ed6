"""Lines that stand at the wrong column, and what hangs below a key that cannot hold it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.manifests.masking import ENVELOPE_KEYS
from dataos_dagster.manifests.misread_lines import glued_comments
from dataos_dagster.manifests.syntax.finding import Finding, finding_of
from dataos_dagster.manifests.syntax.lines import block, openings, usual_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.syntax.finding import Broken
    from dataos_dagster.manifests.syntax.lines import Line, Opening

_WORD = re.compile(r"\S+")
_PLAIN_KEY = re.compile(r"^[ ]*(?:- +)*[A-Za-z_][\w.-]*:(?=\s|$)")


def misplaced_key(broken: Broken) -> Iterator[Finding]:
    """A key whose column is that of no mapping that is open, or that of a list's dashes."""
    line = broken.at
    if line.key is None or line.dashes:
        return
    opened = openings(broken.lines, line.number)
    mappings = [opening for opening in opened if not opening.is_list and opening.line.key is not None]
    items = next((opening for opening in opened if opening.is_list and opening.column == line.column), None)
    if items is not None:
        yield from _beside_dash(broken, line, items, mappings)
        return
    yield from _first_key_elsewhere(broken, line, mappings)
    for opening in sorted(mappings, key=lambda mapping: (abs(mapping.column - line.column), -mapping.column)):
        sibling = opening.line
        if opening is mappings[0] and line.column > opening.column and not sibling.holds:
            yield _moved(
                broken,
                line,
                opening.column,
                "key-too-deep",
                f"{line.key!r} stands further right than {sibling.key!r} {_on(sibling)}, which has a value and so can "
                "hold no keys",
                f"move {line.key!r} {_by(line.column, opening.column)}, in line with {sibling.key!r}, and what belongs "
                f"to it with it; or delete the value of {sibling.key!r} when it is to hold {line.key!r}",
                certain=_WORD.fullmatch(line.key) is not None,
            )
        elif opening.column != line.column:
            yield _moved(
                broken,
                line,
                opening.column,
                "key-misaligned",
                f"{line.key!r} is in line with no key above it; {sibling.key!r} {_on(sibling)} stands "
                f"{_by(line.column, opening.column)}",
                f"move {line.key!r} {_by(line.column, opening.column)}, in line with {sibling.key!r}, and what belongs "
                "to it with it",
            )


def _first_key_elsewhere(broken: Broken, line: Line, mappings: list[Opening]) -> Iterator[Finding]:
    """Find that not the line of the trouble is misplaced, but the first key of its mapping, further up.

    Three shapes say so. The first key stands in the column of its parent, which then holds nothing. It stands to the
    left of a mapping that goes on below it. Or it is indented by another step than the rest of the file, while the
    line of the trouble is indented as usual.
    """
    for opening in mappings:
        first = opening.line
        if first.dashes or opening.column == line.column:
            continue
        if (
            _is_beside_parent(broken, first, line)
            or _interrupts(broken, first, line)
            or _has_odd_step(broken, opening, line, mappings)
        ):
            yield _moved(
                broken,
                first,
                line.column,
                "key-misaligned",
                f"{first.key!r} is not in line with {line.key!r} {_on(line)}, which stands "
                f"{_by(first.column, line.column)}",
                f"move {first.key!r} {_by(first.column, line.column)}, and what belongs to it with it",
                stop=line.number,
                certain=opening.column < line.column,
            )


def _is_beside_parent(broken: Broken, first: Line, line: Line) -> bool:
    parent = broken.before(first.number)
    return (
        first.column < line.column
        and parent is not None
        and parent.key is not None
        and parent.column == first.column
        and parent.value == ""
    )


def _interrupts(broken: Broken, first: Line, line: Line) -> bool:
    """Tell whether a key ends a mapping that the line of the trouble goes on with; those of the envelope may."""
    if first.column >= line.column or first.value == "" or (first.column == 0 and first.key in ENVELOPE_KEYS):
        return False
    return any(not other.is_list and other.column == line.column for other in openings(broken.lines, first.number))


def _has_odd_step(broken: Broken, opening: Opening, line: Line, mappings: list[Opening]) -> bool:
    if opening.first.number != opening.line.number:
        return False
    outer = next((other.column for other in mappings if other.column < min(line.column, opening.column)), None)
    if outer is None:
        return line.column == 0
    return line.column - outer == usual_step(broken.lines, without=opening.line) != opening.column - outer


def _beside_dash(broken: Broken, line: Line, items: Opening, mappings: list[Opening]) -> Iterator[Finding]:
    """A key in the column of a list's dashes: it belongs to the last item, or to what holds the list.

    An item that has further keys, rightly placed, is complete: then the key is the neighbour of the list's key.
    """
    item = items.line
    inner = next((mapping for mapping in mappings if mapping.column > items.column), None)
    outer = next((mapping for mapping in mappings if mapping.column < items.column), None)
    into_item = beside_list = None
    if inner is not None:
        into_item = _moved(
            broken,
            line,
            inner.column,
            "key-beside-dash",
            f"{line.key!r} stands in the column of the dash {_on(item)}, so it is not part of that item",
            f"move {line.key!r} {_by(line.column, inner.column)}, in line with {inner.first.key!r} {_on(inner.first)}, "
            "and what belongs to it with it",
            certain=inner.first.number == inner.line.number,
        )
    if outer is not None:
        beside_list = _moved(
            broken,
            line,
            outer.column,
            "key-among-items",
            f"{line.key!r} stands in the column of the list's dashes ({_on(item)}), where only items may stand",
            f"move {line.key!r} {_by(line.column, outer.column)}, in line with {outer.line.key!r} {_on(outer.line)}; "
            "or indent it below its item when it is part of it",
        )
    item_is_open = inner is not None and inner.first.number == inner.line.number
    candidates = (into_item, beside_list) if item_is_open else (beside_list, into_item)
    yield from (candidate for candidate in candidates if candidate)


def misplaced_item(broken: Broken) -> Iterator[Finding]:
    """A dash in a column where no list is open, or below a key that already has a value."""
    line = broken.at
    if not line.dashes:
        return
    lists = [opening for opening in openings(broken.lines, line.number) if opening.is_list]
    lists = [opening for opening in lists if opening.column != line.indent]
    below_value = list(_list_below_value(broken, line))
    # An item that begins like those of the list above belongs to it; another one rather misses its own key.
    is_alike = bool(lists) and (lists[0].line.key == line.key)
    moved = [
        _moved(
            broken,
            line,
            opening.column,
            "item-misaligned",
            f"the dash is in line with no item of the list above; that of line {opening.line.number + 1} stands "
            f"{_by(line.indent, opening.column)}",
            f"move the dash {_by(line.indent, opening.column)}, and what belongs to the item with it",
        )
        for opening in sorted(lists, key=lambda found: abs(found.column - line.indent))
    ]
    yield from (*moved, *below_value) if is_alike else (*below_value, *moved)
    yield from _key_right_of_its_list(broken, line)


def _key_right_of_its_list(broken: Broken, line: Line) -> Iterator[Finding]:
    key = broken.before(line.number)
    if key is None or key.key is None or key.value or key.dashes or key.column <= line.indent:
        return
    for opening in openings(broken.lines, key.number):
        if not opening.is_list and opening.column <= line.indent:
            yield _moved(
                broken,
                key,
                opening.column,
                "key-misaligned",
                f"{key.key!r} stands further right than the list below it",
                f"move {key.key!r} {_by(key.column, opening.column)}, in line with {opening.line.key!r} "
                f"{_on(opening.line)}",
                stop=line.number,
            )


def _list_below_value(broken: Broken, line: Line) -> Iterator[Finding]:
    owner = broken.before(line.number)
    if owner is None or owner.key is None or owner.holds or owner.column > line.indent:
        return
    yield Finding(
        "list-below-value",
        line.number,
        line.indent,
        line.column + len(line.key or "-"),
        f"a list begins here, but {owner.key!r} {_on(owner)} already has a value",
        f"delete the value of {owner.key!r} when the list belongs to it; otherwise the list's own key is missing: "
        "write it on a line above the list",
        {owner.number: owner.with_value("").rstrip()},
    )


def unindented_text(broken: Broken) -> Iterator[Finding]:
    """A block of text (`key: |`) whose first line is not indented below its key."""
    above = reversed(broken.lines[: broken.at.number + 1])
    opener = next((line for line in above if line.opens_block_scalar and not line.inside), None)
    if opener is None:
        return
    body = [line for line in broken.lines[opener.number + 1 :] if line.text.strip()]
    if not body or body[0].inside or _PLAIN_KEY.match(body[0].text) or body[0].text.startswith("---"):
        return
    end = next((line.number for line in body if _ends_text(line, opener)), len(broken.lines))
    text = [line for line in body if line.number < end]
    shift = opener.column + 2 - min((line.indent for line in text), default=0)
    if shift <= 0:
        return
    first = body[0]
    yield Finding(
        "text-not-indented",
        first.number,
        first.indent,
        len(first.text),
        f"the text of {opener.key!r} {_on(opener)} begins here, but is not indented below its key",
        f"indent every line of the text by at least {_columns(opener.column + 2 - first.indent)}",
        {line.number: " " * shift + line.text for line in text},
        repair=f"indent the text by {_columns(shift)}",
    )


def _ends_text(line: Line, opener: Line) -> bool:
    return line.text.startswith("---") or (line.column <= opener.column and bool(_PLAIN_KEY.match(line.text)))


def lost_line_break(broken: Broken) -> Iterator[Finding]:
    """A key that a lost line break has put at the end of a comment."""
    text = "\n".join(line.text for line in broken.lines[: broken.at.number])
    glued = list(glued_comments(text))
    if not glued:
        return
    found = finding_of(glued[-1])
    value = broken.lines[found.line].text[found.column :]
    columns = [opening.column for opening in openings(broken.lines, found.line) if not opening.is_list]
    for indent in dict.fromkeys([*columns, 0]):
        yield replace(found, edits={found.line: " " * indent + value})


def _moved(
    broken: Broken,
    line: Line,
    column: int,
    code: str,
    message: str,
    hint: str,
    *,
    certain: bool = False,
    stop: int | None = None,
) -> Finding:
    """Return a finding whose repair moves a line, and what belongs to it, to a column."""
    shift = column - line.indent
    members = [member for member in block(broken.lines, line) if member.text.strip()]
    if stop is not None:
        members = [member for member in members if member.number < stop]
    edits = {member.number: " " * max(member.indent + shift, 0) + member.text[member.indent :] for member in members}
    return Finding(
        code,
        line.number,
        line.indent,
        line.column + len(line.key or "-"),
        message,
        hint,
        edits,
        repair=f"move {'the line' if len(edits) == 1 else f'{len(edits)} lines'} {_by(line.indent, column)}",
        certain=certain,
    )


def _on(line: Line) -> str:
    return f"on line {line.number + 1}"


def _by(start: int, end: int) -> str:
    """Return a distance with its direction: `2 columns to the right`."""
    return f"{_columns(abs(end - start))} to the {'right' if end > start else 'left'}"


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"
