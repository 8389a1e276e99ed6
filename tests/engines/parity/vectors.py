"""The tables that every parity case runs on: typed columns with nulls and edges, the same bytes on both engines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

UTC = dt.UTC
INT_MIN, INT_MAX, LONG_MIN, LONG_MAX = -(2**31), 2**31 - 1, -(2**63), 2**63 - 1

# Columns in order; `id` is unique, `k` groups the rows unevenly, with a null group.
SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("k", pa.string()),
        ("i", pa.int32()),
        ("n", pa.int32()),  # small numbers, for counts and positions
        ("l", pa.int64()),
        ("d", pa.float64()),
        ("x", pa.float64()),  # finite and exactly representable: sums do not depend on their order
        ("p", pa.decimal128(10, 2)),
        ("g", pa.decimal128(15, 2)),  # money as TPC-H has it: more digits than an integer literal
        ("s", pa.string()),
        ("w", pa.string()),  # words and spaces, ASCII
        ("u", pa.string()),  # text of a number, sometimes not
        ("t", pa.string()),  # text of a date or time, sometimes not
        ("c", pa.date32()),
        ("e", pa.timestamp("us", "UTC")),
        ("b", pa.bool_()),
        ("y", pa.binary()),
        ("ai", pa.list_(pa.int32())),
        ("aw", pa.list_(pa.string())),
        ("m", pa.map_(pa.string(), pa.int32())),
        ("r", pa.struct([("a", pa.int32()), ("z", pa.string())])),
        ("j", pa.string()),  # JSON
    ]
)


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


_COLUMNS: dict[str, list[Any]] = {
    "id": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    "k": ["a", "a", "a", "b", "b", "b", "b", "c", None, None, "d", "d"],
    "i": [0, 1, -1, 7, 2147, INT_MAX - 1, INT_MIN + 1, 42, None, 100, -365, 42],
    "n": [0, 1, 2, 3, -1, -2, 4, 5, None, 1, 2, 0],
    "l": [0, 1, -1, 10**12, -(10**12), 2**53, -(2**53), 42, None, 7, 1_700_000_000, -86_400],
    "d": [0.0, 1.5, -1.5, 2.5, 0.1, -0.25, 1234.5678, float("nan"), None, float("inf"), -0.0, float("-inf")],
    "x": [0.0, 1.5, -1.5, 2.5, 0.125, -0.25, 1234.5, 3.0, None, 100.0, 0.5, -42.75],
    "p": [
        *map(Decimal, ("0.00", "1.50", "-1.50", "2.55", "0.01", "-0.05", "99999999.99", "3.00")),
        None,
        *map(Decimal, ("100.00", "-99999999.99", "12.34")),
    ],
    "g": [
        *map(Decimal, ("0.00", "1.50", "-1.50", "2.55", "0.01", "-0.05", "9999999999999.99", "3.00")),
        None,
        *map(Decimal, ("100.00", "-104949.50", "0.07")),
    ],
    "s": [
        "",
        "a",
        "Hello",
        "hello world",
        "ÄÖÜ straße",
        "日本語",
        "😀 smile",
        "tab\tline\nend",
        None,
        " x ",
        "O'Neil",
        "%_\\",
    ],
    "w": [
        "",
        "a",
        "Hello World",
        "one two  three",
        "a,b,,c",
        "ABC",
        "abcabc",
        "x-y_z",
        None,
        "  pad ",
        "foo.bar",
        "aXbXc",
    ],
    "u": ["0", "1", "-1", "12.50", "abc", "", " 7 ", "1e3", None, "2147483648", "true", "0x1F"],
    "t": [
        "2020-02-29",
        "2020-02-29 12:34:56",
        "1969-12-31",
        "2021-02-29",
        "not a date",
        "",
        "2020-1-5",
        "2020-02-29T12:34:56.789Z",
        None,
        "9999-12-31",
        "2020-12-31 23:59:59.999999",
        "20200229",
    ],
    "c": [
        dt.date(1970, 1, 1),
        dt.date(2020, 2, 29),
        dt.date(2019, 12, 31),
        dt.date(2000, 1, 31),
        dt.date(1969, 12, 31),
        dt.date(1900, 1, 1),
        dt.date(9999, 12, 31),
        dt.date(2021, 1, 3),
        None,
        dt.date(2020, 12, 28),
        dt.date(2024, 2, 29),
        dt.date(2023, 6, 15),
    ],
    "e": [
        _at("1970-01-01T00:00:00"),
        _at("2020-02-29T12:34:56.789012"),
        _at("2019-12-31T23:59:59.999999"),
        _at("2000-01-31T06:00:00"),
        _at("1969-12-31T23:59:59"),
        _at("1969-12-31T23:59:58.500000"),
        _at("2038-01-19T03:14:08"),
        _at("2021-01-03T00:00:00.000001"),
        None,
        _at("2020-12-28T12:00:00"),
        _at("2024-02-29T23:00:00"),
        _at("2023-06-15T01:02:03.4"),
    ],
    "b": [True, False, True, False, True, True, False, False, None, True, None, False],
    "y": [b"", b"a", b"\x00\xff", b"Hello", b"abc", b"\x80", b"12", b"xyz", None, b"~", b"\n", b"0"],
    "ai": [[], [1], [1, 2, 3], [3, 1, 2], [None], [1, None, 1], [5, 5, 5], [-1, 0], None, [10], [2, 1], [7, 8, None]],
    "aw": [
        [],
        ["a"],
        ["a", "b"],
        ["b", "a", "b"],
        [None],
        ["", "x"],
        ["ä", "z"],
        ["a", None],
        None,
        ["q"],
        ["1", "2"],
        ["A", "a"],
    ],
    "m": [
        [],
        [("a", 1)],
        [("a", 1), ("b", 2)],
        [("b", 2), ("a", None)],
        [("", 0)],
        [("x", -1)],
        [("k", 7), ("v", 8)],
        [("a", 3)],
        None,
        [("b", 4)],
        [("c", 5)],
        [("a", None)],
    ],
    "r": [
        {"a": 1, "z": "one"},
        {"a": None, "z": "null"},
        {"a": 3, "z": None},
        {"a": 0, "z": ""},
        {"a": -1, "z": "neg"},
        {"a": 2, "z": "two"},
        {"a": 2, "z": "two"},
        {"a": 9, "z": "nine"},
        None,
        {"a": 5, "z": "five"},
        {"a": 6, "z": "six"},
        {"a": None, "z": None},
    ],
    "j": [
        "{}",
        '{"a":1,"b":"x"}',
        '{"a":2,"b":null,"c":[1,2,3]}',
        '{"a":"3","d":{"e":"deep","f":1.5}}',
        "[1,2]",
        "not json",
        "",
        '{"a":true}',
        None,
        '{"b":"ü"}',
        '{"a":10,"a2":11}',
        "null",
    ],
}

# A second table to join, with keys that repeat, miss and are null.
_OTHER = pa.table(
    {
        "id": pa.array([1, 2, 2, 4, 20, None], pa.int32()),
        "k": pa.array(["a", "b", "b", "z", None, "c"]),
        "v": pa.array([10, 20, 21, 40, 200, 999], pa.int64()),
        "q": pa.array([1.0, 2.0, 2.5, 4.0, None, 9.0], pa.float64()),
    }
)


def tables() -> dict[str, pa.Table]:
    """Return the tables by the name of their view."""
    return {
        "t": pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in _COLUMNS.items()}, SCHEMA),
        "o": _OTHER,
    }


def register(spark: SparkSession) -> dict[str, dict[str, str]]:
    """Register the tables as views of a session; return the Spark type of each column by view and name."""
    types: dict[str, dict[str, str]] = {}
    for name, table in tables().items():
        frame = spark.createDataFrame(table)
        frame.createOrReplaceTempView(name)
        types[name] = {field.name: field.dataType.simpleString() for field in frame.schema}
    return types
