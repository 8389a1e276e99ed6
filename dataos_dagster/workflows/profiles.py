"""What a job has found out about the columns of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataos_dagster.address import Address


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: so many values from `low` up to `high`, which only the last bar includes."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Attributes:
        type: As Spark writes it.
        nulls: Rows without a value.
        missing: Rows without a value or with an empty text.
        distinct: Different values; None for types that cannot be compared.
        low: The least value, as text; None where there is no value or no order.
        high: The greatest.
        mean: Of numbers; `total`, `stddev` and `variance` (of a sample) likewise.
        min_length: Of texts, in characters; `max_length` and `mean_length` likewise.
        bins: Of numbers, equally wide; empty when there are none.
        categorical: It has few values that repeat.
        attribute: What the values seem to be, such as `email`; a suggestion.
        why: What it was told by: the column's `name`, or its `values`.
    """

    name: str
    type: str
    nulls: int
    missing: int
    distinct: int | None = None
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
    categorical: bool = False
    attribute: str | None = None
    why: str | None = None

    def statistics(self) -> dict[str, Any]:
        """Return what is known as plain values, without name and type."""
        known = {name: getattr(self, name) for name in self.__slots__ if name not in {"name", "type", "bins"}}
        bins = [[each.low, each.high, each.count] for each in self.bins]
        return {name: value for name, value in known.items() if value is not None} | ({"bins": bins} if bins else {})


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
