"""How many different values there are, and which are frequent: sketches that add up."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Up to so many values are counted exactly; beyond, two of three estimates are off by less than 1.6 %.
HASHES = 4096
# So many values are followed at once.
FOLLOWED = 512
_RANGE = float(2**64)
# Longer texts are hashed one by one, and of the others so many at once, which takes 40 times their bytes.
_LONG, _AT_ONCE = 256, 4096


@dataclass
class Distinct:
    """The least hashes of all values (k minimum values): the more values there are, the closer they lie."""

    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Take the hashes of some values in, each perhaps known already."""
        self.hashes = np.unique(np.concatenate([self.hashes, hashes]))[:HASHES]

    @property
    def is_exact(self) -> bool:
        """Return whether every value was counted."""
        return len(self.hashes) < HASHES

    @property
    def count(self) -> int:
        """Return how many different values there are, or about how many."""
        if self.is_exact:
            return len(self.hashes)
        return round((HASHES - 1) * _RANGE / float(self.hashes[-1]))

    def state(self) -> str:
        """Return everything as text."""
        return base64.b64encode(self.hashes.astype("<u8").tobytes()).decode()

    @classmethod
    def of_state(cls, state: str) -> Distinct:
        """Return the sketch of this text."""
        return cls(np.frombuffer(base64.b64decode(state), "<u8").astype(np.uint64))


@dataclass
class Frequent:
    """Values that occur often (Misra and Gries): of each at least so many, and at most `lost` more.

    Attributes:
        counts: Key of a value to how often it was seen at least.
        lost: How often a value may have been seen besides; 0 while all are followed.
    """

    counts: dict[str, int] = field(default_factory=dict)
    lost: int = 0

    def add(self, counts: Mapping[str, int], lost: int = 0) -> None:
        """Count values; those that were left out were seen at most so often."""
        for value, count in counts.items():
            self.counts[value] = self.counts.get(value, 0) + count
        self.lost += lost
        if len(self.counts) > 2 * FOLLOWED:
            excess = sorted(self.counts.values(), reverse=True)[FOLLOWED]
            self.counts = {value: count - excess for value, count in self.counts.items() if count > excess}
            self.lost += excess

    def most(self, number: int) -> list[tuple[str, int]]:
        """Return the values that are certain to be frequent: seen twice, and oftener than any that is not followed."""
        least = max(2, self.lost + 1)
        found = sorted(((count, value) for value, count in self.counts.items() if count >= least), key=_by_count)
        return [(value, count) for count, value in found[:number]]

    def state(self) -> list[Any]:
        """Return everything as plain values."""
        return [self.counts, self.lost]

    @classmethod
    def of_state(cls, state: list[Any]) -> Frequent:
        """Return the sketch of these values."""
        return cls(*state)


def _by_count(found: tuple[int, str]) -> tuple[int, str]:
    return -found[0], found[1]


def hashes_of_numbers(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a hash of each 64-bit number."""
    return _mixed(values.view(np.uint64).copy())


def hashes_of_texts(values: pa.LargeBinaryArray) -> NDArray[np.uint64]:
    """Return a hash of each text; the room that it takes does not grow with the length of texts."""
    is_long = pc.binary_length(values).to_numpy() > _LONG
    found = np.empty(len(values), np.uint64)
    short, long = values.filter(pa.array(~is_long)), values.filter(pa.array(is_long))
    portions = [_hashes_of_short(short.slice(first, _AT_ONCE)) for first in range(0, len(short), _AT_ONCE)]
    if portions:
        found[~is_long] = np.concatenate(portions)
    digests = (hashlib.blake2b(text.as_buffer(), digest_size=8).digest() for text in long)
    found[is_long] = np.frombuffer(b"".join(digests), "<u8")
    return found


def _hashes_of_short(values: pa.LargeBinaryArray) -> NDArray[np.uint64]:
    """Return a hash of each text, all at once: the bytes as the digits of a number, whose last 64 bits count."""
    offsets = np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values) + 1]
    lengths = np.diff(offsets)
    found = np.zeros(len(values), np.uint64)
    filled = lengths > 0
    if filled.any():
        data = np.frombuffer(values.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].astype(np.uint64)
        starts = (offsets[:-1] - offsets[0])[filled]
        places = np.arange(len(data)) - np.repeat(starts, lengths[filled])
        powers = np.cumprod(np.full(int(lengths.max()), 0x9E3779B97F4A7C15, np.uint64))
        found[filled] = np.add.reduceat((data + np.uint64(1)) * powers[places], starts)
    return _mixed(found + lengths.astype(np.uint64))


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes whose bits all depend on all bits (the end of SplitMix64)."""
    hashes = hashes + np.uint64(0x9E3779B97F4A7C15)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))
