"""Run the flights product on the embedded engine and say what came out of it: CSV files, Flare jobs, Iceberg tables."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dataos_dagster import Address, load_project, load_settings
from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door, ReadRequest, Target
from dataos_dagster.engines.configuration import SessionConfiguration
from dataos_dagster.engines.session import Sessions
from dataos_dagster.identity import principal_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ROOT / "definitions" / "flights"
DATAOS = Path(sys.executable).with_name("dataos")
TABLES = ("flights", "carrier_delays_daily", "route_performance", "weather_delays")

CARRIERS = """
SELECT airline, sum(flights) AS flights, sum(cancelled) AS cancelled,
       sum(mean_departure_delay * (flights - cancelled)) / sum(flights - cancelled) AS minutes,
       sum(late_arrivals) / sum(flights - cancelled) AS late
FROM carrier_delays_daily
GROUP BY airline
ORDER BY minutes DESC
"""
WEATHER = """
SELECT conditions, sum(flights) AS flights, sum(cancelled) / sum(flights) AS cancelled,
       sum(mean_departure_delay * (flights - cancelled)) / sum(flights - cancelled) AS minutes
FROM weather_delays
WHERE conditions <> 'not recorded'
GROUP BY conditions
ORDER BY minutes DESC
"""
ROUTES = """
SELECT origin, destination, destination_name, flights, mean_arrival_delay
FROM route_performance
WHERE flights >= 365 AND mean_arrival_delay IS NOT NULL
ORDER BY mean_arrival_delay DESC
LIMIT 3
"""


def run_product(console: Console) -> None:
    """Unpack the files and run every job; the run shows its own progress."""
    console.rule("From CSV files to Iceberg tables, on the embedded engine")
    subprocess.run([sys.executable, PRODUCT / "unpack.py"], check=True)
    done = subprocess.run([DATAOS, "run", "."], cwd=PRODUCT, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def ask(questions: dict[str, str]) -> dict[str, list[Row]]:
    """Return the rows of each question; the tables are read through the door, as jobs read them."""
    settings = load_settings(PRODUCT)
    door = Door(DepotCatalog.from_project(load_project(PRODUCT, settings=settings), settings))
    principal = principal_of(None, None, settings.identity)
    requests = {
        table: ReadRequest(Target(Address.parse(f"dataos://lakehouse:flights/{table}")), "iceberg") for table in TABLES
    }
    needed = door.requirements(requests.values())
    configuration = SessionConfiguration(
        "sail",
        conf=tuple(needed.conf.get("sail", {}).items()),
        environment=tuple(needed.environment.get("sail", {}).items()),
    )
    with Sessions(settings) as sessions, sessions.lease(configuration) as session:
        for table, request in requests.items():
            frame: DataFrame = door.read(request, session, principal)
            frame.createOrReplaceTempView(table)
        return {name: session.spark.sql(sql).collect() for name, sql in questions.items()}


def carriers_table(rows: list[Row]) -> Table:
    """Return the carriers, the latest first."""
    table = Table(title="Who is late", title_justify="left")
    # Its names are long: what does not fit in a line is cut, so that a carrier is one line.
    table.add_column("carrier", no_wrap=True, overflow="ellipsis")
    for heading in ("flights", "cancelled", "mean delay", "late"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.airline, f"{row.flights:,}", f"{row.cancelled:,}", f"{row.minutes:.1f} min", f"{row.late:.0%}"
        )
    return table


def weather_table(rows: list[Row]) -> Table:
    """Return the kinds of weather, the worst first."""
    table = Table("weather at departure", title="What the weather does", title_justify="left")
    for heading in ("flights", "cancelled", "mean delay"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.conditions, f"{row.flights:,}", f"{row.cancelled:.1%}", f"{row.minutes:.1f} min")
    return table


def main() -> None:
    """Run, summarise, and say what to do next."""
    console = Console(highlight=False)
    start = time.monotonic()
    run_product(console)
    answers = ask(
        {
            "flights": "SELECT count(*) AS flights FROM flights",
            "carriers": CARRIERS,
            "weather": WEATHER,
            "routes": ROUTES,
        }
    )
    seconds = time.monotonic() - start
    console.print()
    console.rule(f"What {answers['flights'][0].flights:,} flights from New York City in 2013 say")
    console.print(carriers_table(answers["carriers"]))
    console.print(weather_table(answers["weather"]))
    console.print("Latest to arrive, of routes flown daily:")
    for row in answers["routes"]:
        console.print(
            f"  {row.origin} to {row.destination_name or row.destination}, {row.mean_arrival_delay:.0f} min",
            soft_wrap=True,
        )
    console.rule("Next")
    console.print(
        f"That took {seconds:.0f} s. The tables are Iceberg, in definitions/flights/.dataos/lakehouse.",
        "  make ui                                        the same as assets in Dagster, with lineage",
        "  . .venv/bin/activate                           for the commands below",
        "  cd definitions/flights && dataos show dataos://lakehouse:flights/route_performance",
        "  dataos init ~/shop                             a project for your own files",
        sep="\n",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
