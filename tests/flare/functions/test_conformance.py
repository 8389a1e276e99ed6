"""The values that the Flare reference prints for its functions, on both engines."""

from __future__ import annotations

import datetime as dt

import pytest

AT_EIGHT = dt.datetime(2024, 3, 4, 8, 36)  # noqa: DTZ001 - sessions are in UTC, and the client returns that
IN_KOLKATA = dt.datetime(2020, 3, 1, 10, 37, 38)  # noqa: DTZ001 - the same
IN_NEW_YORK = dt.datetime(2021, 3, 7, 0, 7, 38)  # noqa: DTZ001 - the same

# Query, function with parameters, the printed column, its value.
VALUES = [
    ("'GIYTENBU'", {"name": "decode", "column": "c", "asColumn": "d", "algo": "base32"}, "d", "21244"),
    ("'21244'", {"name": "encode", "column": "c", "asColumn": "d", "algo": "base32"}, "d", "GIYTENBU"),
    ("1709541360", {"name": "epoch_to_timestamp", "column": "c", "asColumn": "d"}, "d", AT_EIGHT),
    ("'1709541360'", {"name": "epoch_to_timestamp", "column": "c", "asColumn": "d"}, "d", AT_EIGHT),
    (
        "178976646",
        {"name": "format_unix_date", "column": "c", "format": "yyyy-MM-dd'T'HH:mm:ss"},
        "c",
        "1975-09-03T11:44:06",
    ),
    (
        "'178976646'",
        {"name": "format_unix_date", "column": "c", "format": "yyyy-MM-dd'T'HH:mm:ss"},
        "c",
        "1975-09-03T11:44:06",
    ),
    ("'2020-03-01T05:07:38Z'", {"name": "any_date", "column": "c"}, "c", dt.date(2020, 3, 1)),
    (
        "'2020-03-01T05:07:38Z'",
        {"name": "any_timestamp", "column": "c", "asColumn": "d", "timezone": "Asia/Kolkata"},
        "d",
        IN_KOLKATA,
    ),
    (
        "'2021-03-07T05:07:38Z'",
        {"name": "any_timestamp", "column": "c", "asColumn": "d", "timezone": "America/New_York"},
        "d",
        IN_NEW_YORK,
    ),
    (
        "'2019-02-17'",
        {"name": "cut_character", "column": "c", "asColumn": "d", "startIndex": 1, "endIndex": 4},
        "d",
        "2019",
    ),
    ("'999-65-3251'", {"name": "mask_number", "column": "c", "pattern": "XXX-XX-####"}, "c", "XXX-XX-3251"),
    (
        "'Adalberto A.'",
        {"name": "find_and_replace", "column": "c", "sedExpression": "s/^Adalberto/Albert/g"},
        "c",
        "Albert A.",
    ),
    ("'$1,200'", {"name": "find_and_replace", "column": "c", "sedExpression": "s/[$]//g"}, "c", "1,200"),
    ("CAST(null AS string)", {"name": "fill_null_or_empty", "columns": {"c": "not known"}}, "c", "not known"),
    ("''", {"name": "fill_null_or_empty", "columns": {"c": "not known"}}, "c", "not known"),
    ("'Mr.'", {"name": "fill_null_or_empty", "columns": {"c": "not known"}}, "c", "Mr."),
]


@pytest.mark.parametrize(("source", "function", "column", "expected"), VALUES, ids=lambda value: str(value)[:40])
def test_a_printed_value_is_what_the_function_gives(rows_of, source, function, column, expected):
    columns, [row] = rows_of(f"SELECT {source} AS c", function)
    names = [name.split(" ")[0] for name in columns]
    assert row[names.index(column)] == expected


@pytest.mark.parametrize(
    ("phone", "digest"), [("1-877-267-2323", "75cb2eeea30b8b577"), ("1-800-633-4227", "d71c4d3eae0755df6")]
)
def test_a_hash_begins_as_printed(rows_of, phone, digest):
    columns, [row] = rows_of(f"SELECT '{phone}' AS c", {"name": "hash", "column": "c", "algo": "MD5"})
    assert columns == ["c string"]
    assert row[0].startswith(digest)


def test_days_between_two_times_are_counted(rows_of):
    columns, [row] = rows_of(
        "SELECT '2020-03-01T05:07:38Z' AS a, '2019-02-24T05:07:38Z' AS b",
        {"name": "diff_date", "columnA": "a", "columnB": "b", "asColumn": "days"},
    )
    assert columns[-1] == "days int"
    assert row[-1] == 371


@pytest.mark.parametrize(
    ("function", "before", "after"),
    [
        ({"name": "cleanse_column_names"}, ["MEMBERID", "PATIENT"], ["memberid", "patient"]),
        ({"name": "snake_case"}, ["COVERED_ENCOUNTERS"], ["covered_encounters"]),
        ({"name": "columns_replace", "sedExpression": "s/^stay/stayed/g"}, ["stay_days", "num_days_stay"], ["stayed_days", "num_days_stay"]),
    ],
)  # fmt: skip
def test_names_become_what_is_printed(rows_of, function, before, after):
    columns, _ = rows_of("SELECT " + ", ".join(f"1 AS {name}" for name in before), function)
    assert [column.split(" ")[0] for column in columns] == after


def test_an_email_is_split(rows_of):
    columns, rows = rows_of("SELECT 'iamgroot@gmail.com' AS c", {"name": "split_email", "column": "c"})
    assert columns == ["c string", "c_account string", "c_domain string"]
    assert rows == [("iamgroot@gmail.com", "iamgroot", "gmail.com")]


def test_what_is_no_url_has_no_parts(rows_of):
    columns, [row] = rows_of("SELECT 'www.spiderman.com' AS c", {"name": "split_url", "column": "c"})
    parts = ["protocol", "authority", "host", "port", "path", "filename", "query"]
    assert columns == ["c string", *(f"c_{part} {'int' if part == 'port' else 'string'}" for part in parts)]
    assert row[1:] == (None,) * 7
