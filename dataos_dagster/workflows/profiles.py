"""What a job has found out about the columns of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.workflows.results import Preview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.address import Address


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: so many values from `low` up to `high`, which only the last bar includes.

    All bars but the outer ones are equally wide; those end at the least and the greatest value.
    """

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Frequency:
    """A value, as text, and in how many rows it was seen at least; all of them where the column has few values."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Attributes:
        type: As Spark writes it.
        nulls: Rows without a value.
        missing: Rows without a value or with an empty text.
        distinct: Different values; None for types that cannot be compared.
        estimated: There are so many that `distinct` is an estimate.
        low: The least value, as text; None where there is no value or no order.
        high: The greatest.
        mean: Of finite numbers; `total`, `stddev` and `variance` (of a sample) likewise.
        min_length: Of texts, in characters; `max_length` and `mean_length` likewise.
        bins: Of finite numbers; borders are multiples of a power of two, so that each value is in its own bar whatever
            the others are.
        frequent: The values that occur most often, the first in front; none where no value stands out.
        categorical: It has few values that repeat.
        attribute: What the values seem to be, such as `email`; a suggestion.
        why: What it was told by: the column's `name`, or its `values`.
    """

    name: str
    type: str
    nulls: int
    missing: int
    distinct: int | None = None
    estimated: bool = False
    low: str | None = None
    high: str | None = None
    mean: float | None = None
    total: float | None = None
    stddev: float | None = None
    variance: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    mean_length: float | None = None
    bins: tuple[Bin, ...] = ()
    frequent: tuple[Frequency, ...] = ()
    categorical: bool = False
    attribute: str | None = None
    why: str | None = None

    def statistics(self) -> dict[str, Any]:
        """Return what is known as plain values, without name and type."""
        apart = {"name", "type", "bins", "frequent", "estimated"}
        known = {name: getattr(self, name) for name in self.__slots__ if name not in apart}
        known["estimated"] = self.estimated or None
        known["frequent"] = [[each.value, each.count] for each in self.frequent] or None
        known["bins"] = [[each.low, each.high, each.count] for each in self.bins] or None
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """A dataset, profiled.

    Attributes:
        filters: Conditions that restricted the rows.
        rows: Rows that they hold for.
    """

    dataset: str
    address: Address | None
    filters: tuple[str, ...]
    rows: int
    columns: tuple[ColumnProfile, ...]
    seconds: float


# What a table of columns shows of each.
_SHOWN = ("column", "type", "missing", "distinct", "least", "mean", "greatest", "deviation", "frequent", "histogram")
_BARS = " ▁▂▃▄▅▆▇█"


def profile_table(profile: ProfileResult) -> Preview:
    """Return a profile as a table with a line a column."""
    return Preview("profile", _SHOWN, tuple(_line(each) for each in profile.columns))


def suggestions_of(profile: ProfileResult) -> list[str]:
    """Return what columns seem to be, each as a sentence."""
    return [f"{each.name}: {each.attribute} (by its {each.why})" for each in profile.columns if each.attribute]


def histogram_picture(bins: Iterable[Bin]) -> str:
    """Return the bars of a histogram as block characters; the highest is full."""
    counts = [each.count for each in bins]
    most = max(counts, default=0)
    return "".join(_BARS[0] if not count else _BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _line(column: ColumnProfile) -> tuple[Any, ...]:
    distinct = None if column.distinct is None else f"{'about ' if column.estimated else ''}{column.distinct}"
    frequent = ", ".join(f"{each.value} ({each.count})" for each in column.frequent)
    return (
        *(column.name, column.type, column.missing, distinct, column.low, _short(column.mean), column.high),
        *(_short(column.stddev), frequent, histogram_picture(column.bins)),
    )


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"
