"""Which known word somebody meant who wrote another one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# So many known words are listed where none of them is near.
MAX_SHOWN = 12
# Slips that two words may be apart and still be taken for one, by the length of the word that was written.
_SLIPS = ((2, 0), (4, 1))
_MOST_SLIPS = 2


def fold(key: str) -> str:
    """Return a key without what people vary: letter case, `_`, `-` and blanks."""
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def suggestion(word: str, known: Sequence[str], *, what: str = "known here") -> str:
    """Return a hint that names the nearest known word, or a few of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if not near:
        folded = {fold(other): other for other in known}
        near = [folded[name] for name in difflib.get_close_matches(fold(word), folded, n=1, cutoff=0.6)]
    if near:
        return f"did you mean `{near[0]}`?"
    shown = ", ".join(known[:MAX_SHOWN])
    return f"{what}: {shown}{', …' if len(known) > MAX_SHOWN else ''}" if known else ""


def meant(word: str, known: Iterable[str]) -> str | None:
    """Return the one known word that is nearest to another one; None when none is near, or several equally."""
    found = near(word, known)
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the most likely of the known words that are near another one; None when none is."""
    found = near(word, known)
    alike = [other for slips, other in found if slips == found[0][0]]
    return max(alike, key=lambda other: difflib.SequenceMatcher(None, fold(word), fold(other)).ratio(), default=None)


def near(word: str, known: Iterable[str]) -> list[tuple[int, str]]:
    """Return the known words that somebody may have meant, each after its number of slips, the nearest first.

    One slip is a letter too many, too few, another one, or two that changed places. A short word is given fewer of
    them: it is near to too many others.
    """
    written = fold(word)
    most = next((slips for length, slips in _SLIPS if len(written) <= length), _MOST_SLIPS)
    counted = ((slips_between(written, fold(other), most), other) for other in known)
    return sorted((slips, other) for slips, other in counted if slips <= most)


def slips_between(one: str, other: str, most: int) -> int:
    """Return how many slips two words are apart; any number above `most` when they are further apart than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, expected in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != expected))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == expected
            current.append(min(cost, before_last[column - 2] + 1) if swapped else cost)
        if min(current) > most:
            return most + 1
        before_last, last = last, current
    return last[-1]
