"""The summary of one column, and of all columns of a partition."""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataos_dagster.flare.profile.kernels.histogram import Histogram
from dataos_dagster.flare.profile.kernels.spelling import LONGEST, key_of, text_of
from dataos_dagster.flare.profile.kernels.values import (
    FOLLOWED,
    Distinct,
    Frequent,
    hashes_of_numbers,
    hashes_of_texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dataos_dagster.flare.profile.kernels.spelling import Kind

_FLOATS: frozenset[str] = frozenset({"float", "double"})
NUMBERS: frozenset[str] = _FLOATS | {"whole", "decimal"}
# What is summed up at once: engines hand rows over in smaller portions, each of which has its price. It is bounded by
# bytes, too, because a worker takes several times their room.
_ROWS = 1 << 16
_BYTES = 1 << 23


@dataclass
class Moments:
    """Number, sum, mean and squared deviations of numbers (Chan, Golub, LeVeque 1979)."""

    count: int = 0
    total: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, count: int, total: float, mean: float, squares: float) -> None:
        """Take in what was found of other numbers."""
        if not count:
            return
        both = self.count + count
        apart = mean - self.mean
        self.squares += squares + apart * apart * self.count * count / both
        self.mean += apart * count / both
        self.total += total
        self.count = both


@dataclass
class Summary:
    """What is known of a column so far."""

    kind: Kind
    rows: int = 0
    nulls: int = 0
    empty: int = 0
    low: Any = None
    high: Any = None
    moments: Moments = field(default_factory=Moments)
    lengths: list[int] = field(default_factory=list)
    matches: dict[str, int] = field(default_factory=dict)
    distinct: Distinct = field(default_factory=Distinct)
    frequent: Frequent = field(default_factory=Frequent)
    histogram: Histogram = field(default_factory=Histogram)

    def __post_init__(self) -> None:
        if self.kind == "whole":
            self.histogram.finest = 0

    def add(self, column: pa.Array, patterns: Mapping[str, str]) -> None:
        """Take in the values of some rows."""
        self.rows += len(column)
        if self.kind == "null":
            self.nulls += pc.sum(column).as_py() or 0
            return
        self.nulls += column.null_count
        values, times = _counted(_plain(column.drop_null(), self.kind))
        if not len(values):
            return
        if self.kind in NUMBERS:
            self._add_numbers(values, times)
        elif self.kind == "text":
            self._add_texts(values, times, patterns)
        self._bound(*_bounds(values, self.kind))
        self.distinct.add(
            hashes_of_texts(values.cast(pa.large_binary()))
            if self.kind in {"text", "decimal"}
            else hashes_of_numbers(values.to_numpy())
        )
        self.frequent.add(*_often(values, times, self.kind))

    def merge(self, other: Summary) -> None:
        """Take in what was found of other rows."""
        self.rows += other.rows
        self.nulls += other.nulls
        self.empty += other.empty
        self._bound(other.low, other.high)
        self.moments.add(*astuple(other.moments))
        self._measure(other.lengths)
        for attribute, count in other.matches.items():
            self.matches[attribute] = self.matches.get(attribute, 0) + count
        self.distinct.add(other.distinct.hashes)
        self.frequent.add(other.frequent.counts, other.frequent.lost)
        self.histogram.merge(other.histogram)

    def _add_numbers(self, values: pa.Array, times: np.ndarray[Any, Any]) -> None:
        numbers = values.cast(pa.float64(), safe=False).to_numpy()  # of 64 bits 53 count
        finite = np.isfinite(numbers)
        numbers, times = numbers[finite], times[finite]
        if not len(numbers):
            return
        count = int(times.sum())
        with np.errstate(over="ignore"):  # the sum of numbers near the greatest is infinite
            total = float((numbers * times).sum())
            mean = total / count
            self.moments.add(count, total, mean, float((times * (numbers - mean) ** 2).sum()))
        self.histogram.add(numbers, times)

    def _add_texts(self, values: pa.Array, times: np.ndarray[Any, Any], patterns: Mapping[str, str]) -> None:
        lengths = pc.utf8_length(values).to_numpy().astype(np.int64)
        self.empty += int(times[lengths == 0].sum())
        self._measure([int(lengths.min()), int(lengths.max()), int((lengths * times).sum()), int(times.sum())])
        for attribute, pattern in patterns.items():
            fits = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
            self.matches[attribute] = self.matches.get(attribute, 0) + int(times[fits].sum())

    def _measure(self, lengths: list[int]) -> None:
        """Take in the shortest and longest length, the sum of all, and their number."""
        if self.lengths and lengths:
            (low, high, total, count), more = self.lengths, lengths
            lengths = [min(low, more[0]), max(high, more[1]), total + more[2], count + more[3]]
        self.lengths = lengths or self.lengths

    def _bound(self, low: Any, high: Any) -> None:
        key = _ORDER.get(self.kind, _itself)
        if low is not None:
            self.low = low if self.low is None else min(self.low, low, key=key)
            self.high = high if self.high is None else max(self.high, high, key=key)

    def state(self) -> dict[str, Any]:
        """Return everything as plain values."""
        plain = {name: getattr(self, name) for name in ("kind", "rows", "nulls", "empty", "low", "high", "lengths")}
        sketches = {name: getattr(self, name).state() for name in ("distinct", "frequent", "histogram")}
        return plain | sketches | {"moments": astuple(self.moments), "matches": self.matches}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Summary:
        """Return the summary of these values."""
        made = {
            "moments": Moments(*state["moments"]),
            "distinct": Distinct.of_state(state["distinct"]),
            "frequent": Frequent.of_state(state["frequent"]),
            "histogram": Histogram.of_state(state["histogram"]),
        }
        return cls(**{**state, **made})


def summarised(
    batches: Iterable[pa.RecordBatch], kinds: Sequence[Kind], patterns: Mapping[str, str]
) -> Iterator[pa.RecordBatch]:
    """Yield one row: the summaries of all columns of these rows, as JSON.

    Args:
        batches: The rows.
        kinds: Of the columns, in their order.
        patterns: Regular expressions that texts are held against.
    """
    summaries = [Summary(kind) for kind in kinds]
    rows = 0
    for table in _portions(batches):
        rows += table.num_rows
        for number, summary in enumerate(summaries):
            summary.add(table.column(number).combine_chunks(), patterns)
    state = json.dumps({"rows": rows, "columns": [summary.state() for summary in summaries]})
    yield pa.RecordBatch.from_arrays([pa.array([state.encode()], pa.binary())], names=["state"])


def _itself(value: Any) -> Any:
    return value


# What values are compared by: numbers that are none are the greatest, as in Spark.
_ORDER: Mapping[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    **dict.fromkeys(_FLOATS, lambda value: (math.isnan(value), value)),
}


def _portions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the rows in tables of about so many rows or bytes."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for piece in (piece for batch in batches for piece in _pieces(_without_views(batch))):
        waiting.append(piece)
        rows, size = rows + piece.num_rows, size + piece.nbytes
        if rows >= _ROWS or size >= _BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a batch in pieces that are not too large, however long its texts are."""
    if batch.nbytes <= _BYTES or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose texts are its own: of views nobody knows how many bytes a piece has."""
    columns = [
        column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(values: pa.Array, kind: Kind) -> pa.Array:
    """Return values as numbers of 64 bits, or as texts."""
    if kind == "text":
        return values.cast(pa.large_string())
    if kind == "decimal":
        return values.cast(pa.string()).cast(pa.large_string())
    if kind in _FLOATS:
        return pc.add(values.cast(pa.float64()), 0.0)  # -0.0 is 0.0
    if kind == "timestamp":
        return values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64())
    return (values.cast(pa.int32()) if kind == "date" else values).cast(pa.int64())


def _counted(values: pa.Array) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Return the different values, and how often each occurs."""
    found = pc.value_counts(values)
    return found.field("values"), found.field("counts").to_numpy()


def _bounds(values: pa.Array, kind: Kind) -> tuple[Any, Any]:
    if kind == "decimal":
        listed = values.to_pylist()
        return min(listed, key=Decimal), max(listed, key=Decimal)
    if kind in _FLOATS:
        numbers = values.to_numpy()
        some = numbers[~np.isnan(numbers)]
        low = float(some.min()) if len(some) else math.nan
        return low, float(some.max()) if len(some) == len(numbers) else math.nan
    least, greatest = pc.min_max(values).values()
    low, high = least.as_py(), greatest.as_py()
    if kind == "text":
        return low[:LONGEST], high[:LONGEST]
    return (bool(low), bool(high)) if kind == "boolean" else (low, high)


def _often(values: pa.Array, times: np.ndarray[Any, Any], kind: Kind) -> tuple[dict[str, int], int]:
    """Return the values that occur most often, by their keys, and how often one occurs at most that is left out."""
    lost = 0
    if len(values) > FOLLOWED:
        order = np.argsort(-times, kind="stable")
        lost = int(times[order[FOLLOWED]])
        values, times = values.take(pa.array(order[:FOLLOWED])), times[order[:FOLLOWED]]
    found: dict[str, int] = {}
    for value, count in zip(values.to_pylist(), times.tolist(), strict=True):
        key = key_of(text_of(value, kind))
        found[key] = found.get(key, 0) + count
    return found, lost
