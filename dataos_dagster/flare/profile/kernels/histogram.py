"""A histogram of numbers whose least and greatest are not known beforehand.

The width of a bar is a power of two and its borders are multiples of it, so that two bars make one of twice the width.
When a number lies too far outside, the width is doubled until all fit. What comes out depends on the numbers alone, not
on their order or on how they were divided, and no number is ever counted in the wrong bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Between the least and the greatest there are 2^6 to 2^7 bars.
_BITS = 7
# A number is not more than so many bars from zero, which 64 bits hold exactly.
_PRECISION = 53


@dataclass
class Histogram:
    """Counts of numbers.

    Attributes:
        finest: Exponent of the narrowest bars: 0 for whole numbers.
        exponent: Bars are 2^exponent wide.
        counts: Number of a bar, which begins at so many widths, to how many numbers lie in it.
    """

    finest: int = -1074
    low: float = math.inf
    high: float = -math.inf
    exponent: int = -1074
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, values: NDArray[np.float64], times: NDArray[np.int64]) -> None:
        """Count finite numbers, each so many times."""
        if not len(values):
            return
        self._widen(float(values.min()), float(values.max()), self.finest)
        places = np.floor(np.ldexp(values, -self.exponent)).astype(np.int64)
        # Negative numbers so small that the division makes zero of them lie below zero all the same.
        places[(values < 0) & (places == 0)] = -1
        first = int(places.min())
        for above, count in enumerate(np.bincount(places - first, times).tolist()):
            if count:
                self._count(first + above, int(count))

    def merge(self, other: Histogram) -> None:
        """Count what another one has counted."""
        if not other.counts:
            return
        self._widen(other.low, other.high, other.exponent)
        for place, count in other.counts.items():
            self._count(place >> (self.exponent - other.exponent), count)

    def bars(self, most: int) -> list[tuple[float, float, int]]:
        """Return at most so many bars side by side: from, up to, count; the outer ones end at the extremes.

        At least two may be asked for: zero is always a border.
        """
        if not self.counts:
            return []
        first, last, doubled = min(self.counts), max(self.counts), 0
        while (last >> doubled) - (first >> doubled) >= most:
            doubled += 1
        counts: dict[int, int] = {}
        for place, count in self.counts.items():
            counts[place >> doubled] = counts.get(place >> doubled, 0) + count
        places = range(first >> doubled, (last >> doubled) + 1)
        inner = (math.ldexp(place, self.exponent + doubled) for place in places[1:])
        edges = [self.low, *inner, self.high]
        return [(edges[at], edges[at + 1], counts.get(place, 0)) for at, place in enumerate(places)]

    def state(self) -> list[Any]:
        """Return everything as plain values."""
        return [self.finest, self.low, self.high, self.exponent, list(self.counts.items())]

    @classmethod
    def of_state(cls, state: list[Any]) -> Histogram:
        """Return the histogram of these values."""
        finest, low, high, exponent, counts = state
        return cls(finest, low, high, exponent, {place: count for place, count in counts})  # noqa: C416 - of lists

    def _count(self, place: int, count: int) -> None:
        self.counts[place] = self.counts.get(place, 0) + count

    def _widen(self, low: float, high: float, least: int) -> None:
        """Make the bars wide enough for these numbers too."""
        self.low, self.high = min(self.low, low), max(self.high, high)
        exponent = max(self.exponent, self.finest, least, _exponent(self.low, self.high))
        shift, before = exponent - self.exponent, self.counts
        self.exponent = exponent
        if shift and before:
            self.counts = {}
            for place, count in before.items():
                self._count(place >> shift, count)


def _exponent(low: float, high: float) -> int:
    """Return the exponent of the narrowest bars that may be used for numbers between two."""
    # Half of it: the difference of two numbers may be too large to be one.
    half = high / 2 - low / 2
    farthest = max(abs(low), abs(high))
    by_range = math.frexp(half)[1] + 1 - _BITS if half else -1074
    by_size = math.frexp(farthest)[1] - _PRECISION if farthest else -1074
    return max(by_range, by_size, -1074)
