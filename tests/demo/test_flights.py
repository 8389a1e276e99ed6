"""Every number of the flights product, computed another way: pandas over the CSV files."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

ROWS = {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458, "airlines": 16}


def compare(actual: pd.DataFrame, expected: pd.DataFrame, key: list[str]) -> None:
    """Assert that two frames hold the same rows, whatever their order and the width of their numbers."""
    assert sorted(actual.columns) == sorted(expected.columns)
    actual = actual[expected.columns].sort_values(key).reset_index(drop=True)
    expected = expected.sort_values(key).reset_index(drop=True)
    for column in expected.columns:
        if pd.api.types.is_numeric_dtype(expected[column]):
            actual[column] = actual[column].astype("float64")
            expected[column] = expected[column].astype("float64")
    assert_frame_equal(actual, expected, check_dtype=False, rtol=1e-9)


@pytest.fixture(scope="module")
def flights(product) -> pd.DataFrame:
    return product.csv("flights")


@pytest.mark.parametrize(("table", "rows"), ROWS.items())
def test_every_row_of_a_file_is_in_its_table(product, table, rows):
    assert len(product.csv(table)) == rows
    assert len(product.table(table)) == rows


@pytest.mark.parametrize("table", ROWS)
def test_every_value_of_a_file_is_in_its_table(product, table):
    expected = product.csv(table)
    if "time_hour" in expected:
        expected["time_hour"] = pd.to_datetime(expected["time_hour"])
    actual = product.table(table)
    for column in expected.select_dtypes("object"):
        actual[column] = actual[column].where(actual[column].notna(), np.nan)
    key = {
        "flights": ["time_hour", "carrier", "flight", "origin", "sched_dep_time"],
        "weather": ["origin", "time_hour"],
        "planes": ["tailnum"],
        "airports": ["faa"],
        "airlines": ["carrier"],
    }[table]
    compare(actual, expected, key)


def test_flights_are_typed_and_not_text(product):
    types = product.table("flights").dtypes
    assert types["dep_time"].kind in "if"
    assert types["distance"].kind == "i"
    assert str(types["time_hour"].tz) == "UTC"


def test_carrier_delays_are_those_of_the_files(product, flights):
    dated = flights.assign(
        flight_date=pd.to_datetime(flights[["year", "month", "day"]]).dt.date,
        cancelled=flights.dep_time.isna(),
        late=flights.arr_delay > 15,
    ).merge(product.csv("airlines").rename(columns={"name": "airline"}), on="carrier")
    expected = (
        dated.groupby(["flight_date", "carrier", "airline"])
        .agg(
            flights=("flight", "size"),
            cancelled=("cancelled", "sum"),
            mean_departure_delay=("dep_delay", "mean"),
            mean_arrival_delay=("arr_delay", "mean"),
            late_arrivals=("late", "sum"),
        )
        .reset_index()
    )
    assert expected.flights.sum() == ROWS["flights"]
    compare(product.table("carrier_delays_daily"), expected, ["flight_date", "carrier"])


def test_route_performance_is_that_of_the_files(product, flights):
    airports = product.csv("airports")[["faa", "name"]].rename(columns={"faa": "dest", "name": "destination_name"})
    known = flights.arr_delay.notna()
    routes = flights.merge(airports, on="dest", how="left").assign(
        cancelled=flights.dep_time.isna(),
        flown=flights.distance.where(flights.air_time.notna()),
        on_time=(flights.arr_delay <= 15).where(known).astype("float64"),
    )
    expected = (
        routes.groupby(["origin", "dest", "destination_name"], dropna=False)
        .agg(
            flights=("flight", "size"),
            cancelled=("cancelled", "sum"),
            miles=("distance", "mean"),
            mean_minutes_in_the_air=("air_time", "mean"),
            flown=("flown", "sum"),
            minutes=("air_time", "sum"),
            mean_arrival_delay=("arr_delay", "mean"),
            on_time_share=("on_time", "mean"),
        )
        .reset_index()
        .rename(columns={"dest": "destination"})
    )
    # A route that was only ever cancelled has no speed.
    expected["miles_per_hour"] = expected.flown * 60 / expected.minutes.replace(0, np.nan)
    assert expected.destination_name.isna().sum() == 7, "routes to four airports that the list lacks"
    actual = product.table("route_performance")
    actual["destination_name"] = actual.destination_name.where(actual.destination_name.notna(), np.nan)
    compare(actual, expected.drop(columns=["flown", "minutes"]), ["origin", "destination"])


def test_weather_delays_are_those_of_the_files(product, flights):
    joined = flights.merge(product.csv("weather"), on=["origin", "time_hour"], how="left", indicator=True)
    assert len(joined) == ROWS["flights"], "no hour of weather is there twice"
    conditions = np.select(
        [joined._merge == "left_only", joined.precip > 0, joined.visib < 3, joined.wind_speed >= 20],
        ["not recorded", "precipitation", "low visibility", "strong wind"],
        "fair",
    )
    expected = (
        joined.assign(
            conditions=conditions,
            cancelled=joined.dep_time.isna(),
            late=(joined.dep_delay > 30).where(joined.dep_delay.notna()).astype("float64"),
        )
        .groupby(["origin", "conditions"])
        .agg(
            flights=("flight", "size"),
            cancelled=("cancelled", "sum"),
            mean_departure_delay=("dep_delay", "mean"),
            late_share=("late", "mean"),
        )
        .reset_index()
    )
    compare(product.table("weather_delays"), expected, ["origin", "conditions"])


def test_the_product_runs_without_java(product):
    jobs = product.report["jobs"]
    assert len(jobs) == 8
    assert {job["engine"] for job in jobs} == {"sail"}
