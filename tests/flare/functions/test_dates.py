"""Functions on dates and times against plain Python, on both engines."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataos_dagster.flare.functions.function import EngineUnsuited
from dataos_dagster.flare.functions.kernels.dates import parse

few = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MOMENTS = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2069, 12, 30))  # noqa: DTZ001 - in UTC
LISTS = st.lists(MOMENTS, min_size=30, max_size=40)
UTC = dt.UTC


@pytest.mark.parametrize(
    "layout",
    [
        "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%Y%m%d", "%d %b %Y", "%d %B %Y",
        "%b %d, %Y", "%B %d %Y", "%Y-%b-%d", "%d-%b-%y", "%a, %d %b %Y", "%A %d %B %Y",
    ],
)  # fmt: skip
@given(moment=MOMENTS)
def test_every_layout_of_a_date_is_read(layout, moment):
    assert parse(moment.strftime(layout)) == dt.datetime.combine(moment.date(), dt.time())


@pytest.mark.parametrize(
    ("layout", "unit"),
    [
        ("T%H:%M:%S.%f", dt.timedelta(microseconds=1)),
        (" %H:%M:%S,%f", dt.timedelta(microseconds=1)),
        (" %H:%M:%S", dt.timedelta(seconds=1)),
        (" at %H:%M", dt.timedelta(minutes=1)),
        (", %I:%M %p", dt.timedelta(minutes=1)),
    ],
)
@given(moment=MOMENTS)
def test_every_layout_of_a_time_is_read(layout, unit, moment):
    whole = moment - (moment - dt.datetime(1970, 1, 1)) % unit  # noqa: DTZ001 - as the text has it
    assert parse(whole.strftime("%Y-%m-%d" + layout)) == whole


@given(moment=MOMENTS, minutes=st.integers(-18 * 4, 18 * 4))
def test_zones_are_read(moment, minutes):
    zone = dt.timezone(dt.timedelta(minutes=15 * minutes))
    text = moment.replace(tzinfo=zone).isoformat()
    assert parse(text) == moment.replace(tzinfo=zone)
    assert parse(f"{moment:%Y-%m-%d %H:%M:%S} GMT") == moment.replace(microsecond=0, tzinfo=UTC)


@given(seconds=st.integers(100_000_000, 9_999_999_999))
def test_epochs_are_read_in_seconds_and_milliseconds(seconds):
    moment = dt.datetime.fromtimestamp(seconds, UTC)
    assert parse(str(seconds)) == moment
    assert parse(f"{seconds}250") == moment + dt.timedelta(milliseconds=250)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021.3.4", (2021, 3, 4)),
        ("04.03.2021", (2021, 3, 4)),
        ("4/3/21", (2021, 3, 4)),
        ("2021/03/04", (2021, 3, 4)),
        ("3/13/2021", (2021, 3, 13)),
        ("13/3/2021", (2021, 3, 13)),
        ("1/1/70", (1970, 1, 1)),
        ("1/1/69", (2069, 1, 1)),
        ("4th March 2021", (2021, 3, 4)),
        ("20210304050607Z", (2021, 3, 4)),
    ],
)
def test_ambiguous_dates_begin_with_the_day(text, expected):
    moment = parse(text)
    assert moment is not None
    assert moment.timetuple()[:3] == expected


@pytest.mark.parametrize(
    "text", ["", " ", "x", "2021", "2021-13-01", "2021-02-30", "31/31/2021", "12", "2021-03-04T25:00", "13:00", "2021-03-04 13:00 PM"]
)  # fmt: skip
def test_what_is_no_date_is_null(text):
    assert parse(text) is None


@few
@given(moments=LISTS)
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "UTC", "+05:30"])
def test_times_are_given_as_the_wall_time_of_a_zone(column_of, moments, zone):
    texts = [None, "no time", *(moment.isoformat() for moment in moments)]
    function = {"name": "any_timestamp", "column": "c", "asColumn": "d", "timezone": zone}
    found = column_of({"c": texts}, "c string", function, "d")
    there = dt.timezone(dt.timedelta(hours=5, minutes=30)) if zone == "+05:30" else ZoneInfo(zone)
    expected = [moment.replace(tzinfo=UTC).astimezone(there).replace(tzinfo=None) for moment in moments]
    assert found == [None, None, *expected]


def test_dates_of_all_layouts_are_one_column(column_of):
    texts = ["2021.3.4", "04.03.2021", "4/3/21", None, "?", "2021-03-04T23:30:00-05:00"]
    found = column_of({"c": texts}, "c string", {"name": "any_date", "column": "c"}, "c")
    day = dt.date(2021, 3, 4)
    assert found == [day, day, day, None, None, day]


def test_a_rule_of_ones_own_comes_before_the_known_layouts(column_of):
    # Month first, which the known layouts read as day first.
    rule = r"【(?<month>\d{1,2})\W{1}(?<day>\d{1,2})\W{1}(?<year>\d{4})(?: (?<hour>\d{1,2})h)?(?<zero>z)?】"
    texts = ["3/4/2021", "3/4/2021 5hZ", "2021-03-04"]
    function = {"name": "any_timestamp", "column": "c", "rules": [rule]}
    found = column_of({"c": texts}, "c string", function, "c")
    assert found == [dt.datetime(2021, 3, 4), dt.datetime(2021, 3, 4, 5), dt.datetime(2021, 3, 4)]  # noqa: DTZ001


def test_rules_are_tried_in_their_order_and_the_known_layouts_last(column_of):
    first = r"(?<day>\d\d)(?<month>\d\d)(?<year>\d\d)"
    second = r"(?<year>\d\d)(?<month>\d\d)(?<day>\d\d)|(?<hour>\d+)h on (?<minute>\d+)"
    texts = ["020304", "990304", "2021-03-04"]
    for rules, expected in (
        ([first, second], [dt.date(2004, 3, 2), dt.date(1999, 3, 4), dt.date(2021, 3, 4)]),
        ([second, first], [dt.date(2002, 3, 4), dt.date(1999, 3, 4), dt.date(2021, 3, 4)]),
    ):
        assert column_of({"c": texts}, "c string", {"name": "any_date", "column": "c", "rules": rules}, "c") == expected


def test_every_group_of_a_rule_counts(column_of):
    rule = (
        r"(?<second>\d+)s (?<minute>\d+)m (?<hour>\d+)h, (?<ns>\d+) behind; (?<day>\d+) of (?<month>\w+) (?<year>\d+)"
        r"(?<zero>z)?"
    )
    texts = ["7s 8m 9h, 25 behind; 4 of March 2021", "7s 8m 9h, 123456789 behind; 4 of 3 21z"]
    function = {"name": "any_timestamp", "column": "c", "rules": [rule], "timezone": "Asia/Kolkata"}
    assert column_of({"c": texts}, "c string", function, "c") == [
        dt.datetime(2021, 3, 4, 14, 38, 7, 250_000),  # noqa: DTZ001 - sessions are in UTC
        dt.datetime(2021, 3, 4, 14, 38, 7, 123_456),  # noqa: DTZ001 - the same
    ]


def test_dates_that_are_dates_stay_dates(rows_of):
    columns, rows = rows_of(
        "SELECT date'2024-02-29' AS d, timestamp'2024-02-29 10:00:00.5' AS t",
        {"name": "any_date", "column": "d"},
        {"name": "any_timestamp", "column": "t", "timezone": "Asia/Tokyo"},
    )
    assert columns == ["d date", "t timestamp"]
    assert rows == [(dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 19, 0, 0, 500_000))]  # noqa: DTZ001


@few
@given(pairs=st.lists(st.tuples(MOMENTS, MOMENTS), min_size=30, max_size=40))
def test_days_between_are_counted(column_of, pairs):
    later, earlier = ([moment.isoformat() for moment in side] for side in zip(*pairs, strict=True))
    function = {"name": "diff_date", "columnA": "A", "columnB": "B", "asColumn": "days"}
    found = column_of({"a": [*later, None], "b": [*earlier, "2020-01-01"]}, "a string, b string", function, "days")
    assert found == [*((a.date() - b.date()).days for a, b in pairs), None]


@few
@given(seconds=st.lists(st.integers(-2_000_000_000, 4_000_000_000), min_size=30, max_size=40))
@pytest.mark.parametrize("type_name", ["bigint", "string", "double"])
def test_epochs_become_timestamps(column_of, seconds, type_name):
    values = {
        "bigint": seconds,
        "string": [f"{value}.5" for value in seconds],
        "double": [value + 0.25 for value in seconds],
    }
    fraction = {"bigint": 0, "string": 500_000, "double": 250_000}[type_name]
    sign = [-1 if value < 0 and type_name == "string" else 1 for value in seconds]
    function = {"name": "epoch_to_timestamp", "column": "c", "asColumn": "d"}
    found = column_of({"c": [*values[type_name], None]}, f"c {type_name}", function, "d")
    start = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - sessions are in UTC
    expected = [
        start + dt.timedelta(seconds=value, microseconds=fraction * way)
        for value, way in zip(seconds, sign, strict=True)
    ]
    assert found == [*expected, None]


def test_numbers_that_are_no_time_are_null(column_of):
    texts = ["x", "", "NaN", "1e30", "-1e30", None]
    found = column_of({"c": texts}, "c string", {"name": "epoch_to_timestamp", "column": "c"}, "c")
    assert found == [None] * 6


# Java's letters, and what Python calls the same.
PATTERNS = [
    ("yyyy-MM-dd'T'HH:mm:ss", "%Y-%m-%dT%H:%M:%S"),
    ("dd.MM.yy", "%d.%m.%y"),
    ("EEEE, MMMM dd", "%A, %B %d"),
    ("EEE MMM dd", "%a %b %d"),
    ("hh:mm a", "%I:%M %p"),
    ("'it''s' yyyy", "it's %Y"),
    ("SSSSSS", "%f"),
]


@few
@given(moments=LISTS)
@pytest.mark.parametrize(("pattern", "format_"), PATTERNS)
def test_dates_are_written_in_a_pattern(column_of, moments, pattern, format_):
    function = {"name": "format_date", "column": "c", "format": pattern}
    texts = [*(moment.isoformat(sep=" ") for moment in moments), None, "no date"]
    assert column_of({"c": texts}, "c string", function, "c") == [
        *(moment.strftime(format_) for moment in moments), None, None
    ]  # fmt: skip
    assert column_of({"c": moments}, "c timestamp", function, "c") == [moment.strftime(format_) for moment in moments]


@few
@given(moments=LISTS)
@pytest.mark.parametrize("pattern", ["y-M-d H:m:s.SSS", "D 'of' y", "h a", "E d", "Q", "dd/MM/yyyy XXX", "S", "yy"])
def test_letters_that_python_lacks_are_written_alike(sail_session, spark_session, moments, pattern):
    from dataos_dagster.flare.functions.registry import read_function

    function = read_function("format_date", {"column": "c", "format": pattern})
    found = []
    for session in (sail_session, spark_session):
        frame = session.spark.createDataFrame([(moment,) for moment in moments], "c timestamp")
        found.append([row[0] for row in function.apply(frame, session.engine).collect()])
    assert found[0] == found[1]


def test_letters_that_sail_is_not_known_to_write_are_left_to_spark(sail_session):
    from dataos_dagster.flare.functions.registry import read_function

    frame = sail_session.spark.sql("SELECT timestamp'2024-01-01 00:00:00' AS c")
    with pytest.raises(EngineUnsuited, match="Sail is not known to write 'VV'"):
        read_function("format_date", {"column": "c", "format": "VV"}).apply(frame, "sail")
