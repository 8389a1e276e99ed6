"""Summaries of partitions, held against what plain Python finds in all rows at once."""

from __future__ import annotations

import json
import math
import statistics
import tracemalloc
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataos_dagster.flare.profile.kernels.histogram import Histogram
from dataos_dagster.flare.profile.kernels.summary import Summary, summarised
from dataos_dagster.flare.profile.kernels.values import HASHES, Distinct, Frequent, hashes_of_numbers, hashes_of_texts
from dataos_dagster.flare.profile.statistics import column_of, put_together

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)
MODEST = st.floats(-1e6, 1e6)


def summary_of(parts, kind, type_, batches_of=None):
    states = []
    for values in parts:
        whole = pa.RecordBatch.from_arrays([pa.array(values, type_)], names=["c0"])
        size = batches_of or max(1, len(values))
        batches = [whole.slice(first, size) for first in range(0, len(values), size)]
        [made] = summarised(batches, [kind], {"short": "^.{0,2}$"})
        states.append(made.column(0)[0].as_py())
    rows, [summary] = put_together(states, [kind])
    assert rows == sum(map(len, parts))
    return summary


def histogram_of(parts):
    whole = Histogram()
    for values in parts:
        part = Histogram()
        part.add(np.array(values, np.float64), np.ones(len(values), np.int64))
        whole.merge(Histogram.of_state(json.loads(json.dumps(part.state()))))
    return whole


@settings(deadline=None)
@given(st.lists(st.lists(FLOATS, max_size=20), min_size=1, max_size=5), st.integers(2, 20))
def test_every_number_is_in_its_own_bar_however_the_rows_are_divided(parts, most):
    values = [value for part in parts for value in part]
    bars = histogram_of(parts).bars(most)
    assert bars == histogram_of([values]).bars(most)
    assert len(bars) <= most
    for place, (low, high, count) in enumerate(bars):
        last = place == len(bars) - 1
        assert count == sum(low <= value < high or (last and value == high) for value in values)
    if values:
        assert (bars[0][0], bars[-1][1]) == (min(values), max(values))


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), MODEST), max_size=20), min_size=1, max_size=4))
def test_moments_and_extremes_are_those_of_all_rows(parts):
    values = [value for part in parts for value in part if value is not None]
    column = column_of(("c", "double"), summary_of(parts, "double", pa.float64()))
    assert column.nulls == sum(value is None for part in parts for value in part)
    assert column.distinct == len({value + 0.0 for value in values})
    if not values:
        assert (column.low, column.high, column.mean, column.bins) == (None, None, None, ())
        return
    assert (float(column.low), float(column.high)) == (min(values), max(values))
    assert math.isclose(column.mean, statistics.fmean(values), rel_tol=1e-9, abs_tol=1e-6)
    assert math.isclose(column.total, math.fsum(values), rel_tol=1e-9, abs_tol=1e-6)
    if len(values) > 1:
        assert math.isclose(column.variance, statistics.variance(values), rel_tol=1e-6, abs_tol=1e-3)


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=20), min_size=1, max_size=4))
def test_texts_are_measured_and_counted(parts):
    values = [value for part in parts for value in part if value is not None]
    column = column_of(("c", "string"), summary_of(parts, "text", pa.string()))
    assert column.distinct == len(set(values))
    assert column.missing - column.nulls == values.count("")
    twice = sorted(((-count, value) for value, count in Counter(values).items() if count > 1))[:5]
    assert [(each.value, each.count) for each in column.frequent] == [(value, -count) for count, value in twice]
    if values:
        lengths = [len(value) for value in values]
        assert (column.min_length, column.max_length) == (min(lengths), max(lengths))
        assert math.isclose(column.mean_length, sum(lengths) / len(lengths))


@pytest.mark.parametrize(
    ("kind", "type_", "values", "told"),
    [
        ("whole", pa.int64(), [2**62, -3, None], ("-3", "4611686018427387904", 1)),
        ("decimal", pa.decimal128(10, 2), ["9.50", "10.25", "-1.00"], ("-1.00", "10.25", 0)),
        ("date", pa.date32(), [0, 19_787, None], ("1970-01-01", "2024-03-05", 1)),
        ("timestamp", pa.timestamp("us", "UTC"), [1, 10**15], ("1970-01-01 00:00:00.000001", "2001-09-09 01:46:40", 0)),
        ("boolean", pa.bool_(), [True, False, True], ("false", "true", 0)),
        ("decimal", pa.decimal128(10, 7), ["0.0000001", "0.0000000"], ("0.0000000", "0.0000001", 0)),
        ("timestamp", pa.timestamp("us"), [-500_000, 500_000], ("1969-12-31 23:59:59.5", "1970-01-01 00:00:00.5", 0)),
        ("float", pa.float32(), [0.1, 16_777_216.0], ("0.1", "1.6777216E7", 0)),
        ("float", pa.float32(), [0.001, float("nan")], ("0.001", "NaN", 0)),
        ("double", pa.float64(), [1e16, -0.0, None], ("0.0", "1.0E16", 1)),
        ("double", pa.float64(), [0.00012, 9_999_999.5], ("1.2E-4", "9999999.5", 0)),
        ("double", pa.float64(), [-2.5e-300, float("inf")], ("-2.5E-300", "Infinity", 0)),
    ],
)  # fmt: skip
def test_values_are_told_as_spark_writes_them(kind, type_, values, told):
    from decimal import Decimal

    given_values = [Decimal(value) if isinstance(value, str) else value for value in values]
    column = column_of(("c", kind), summary_of([given_values[:1], given_values[1:]], kind, type_))
    assert (column.low, column.high, column.nulls) == told


def test_texts_that_begin_alike_are_counted_apart_and_told_to_256_characters():
    one, other = "x" * 300 + "a", "x" * 300 + "b"
    column = column_of(("c", "string"), summary_of([[one, other], [one, "y"]], "text", pa.string()))
    assert column.distinct == 3
    assert [(each.value, each.count) for each in column.frequent] == [("x" * 256, 2)]
    assert (column.low, column.max_length) == ("x" * 256, 301)


def test_the_number_of_bytes_at_once_is_bounded_however_rows_come(monkeypatch):
    """What is found does not depend on it: one batch of long texts, many small ones, and a text that is too long."""
    sizes = []
    add = Summary.add
    monkeypatch.setattr(Summary, "add", lambda self, column, patterns: sizes.append(column.nbytes) or add(self, column, patterns))  # fmt: skip
    monkeypatch.setattr("dataos_dagster.flare.profile.kernels.summary._BYTES", 20_000)
    values = [f"{number % 150}-{'x' * (number % 6) * 100}" for number in range(900)] + ["z" * 50_000]
    expected = Counter(values)
    for batches_of, type_ in ((None, pa.string()), (1, pa.string()), (64, pa.string()), (None, pa.string_view())):
        sizes.clear()
        column = column_of(("c", "string"), summary_of([values], "text", type_, batches_of))
        assert (column.distinct, column.max_length) == (len(expected), 50_000)
        assert len(column.frequent) == 5
        assert {each.count for each in column.frequent} == {max(expected.values())}
        assert sorted(sizes)[-2] < 40_000


def test_more_rows_than_are_summed_up_at_once_have_one_summary(monkeypatch):
    monkeypatch.setattr("dataos_dagster.flare.profile.kernels.summary._ROWS", 50)
    column = column_of(("c", "bigint"), summary_of([range(500)], "whole", pa.int64(), batches_of=20))
    assert (column.distinct, column.low, column.high, column.total) == (500, "0", "499", 124_750.0)


def test_the_room_of_hashes_does_not_grow_with_the_length_of_texts():
    texts = pa.array(["x" * 1000 + str(number) for number in range(4000)] + ["", "short"], pa.large_binary())
    tracemalloc.start()
    try:
        hashes = hashes_of_texts(texts)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(set(hashes.tolist())) == 4002
    assert most < texts.nbytes


def test_many_values_are_estimated_within_five_percent():
    sketch = Distinct()
    for first in range(0, 200_000, 50_000):
        sketch.add(hashes_of_numbers(np.arange(first, first + 60_000, dtype=np.int64)))
    assert not sketch.is_exact
    assert len(sketch.hashes) == HASHES
    assert sketch.count == pytest.approx(210_000, rel=0.05)


def test_a_value_that_stands_out_among_many_is_found_with_at_least_its_count():
    sketch = Frequent()
    for portion in range(50):
        sketch.add({f"{portion}-{number}": 1 for number in range(400)} | {"often": 300})
    [(value, count)] = sketch.most(5)
    assert value == "often"
    assert count <= 15_000 <= count + sketch.lost


def test_where_no_value_stands_out_none_is_told():
    sketch = Frequent()
    sketch.add({str(number): 1 for number in range(100_000)})
    assert sketch.most(5) == []
