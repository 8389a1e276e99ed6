"""Where Sail and Spark differ outside of expressions: reading, writing, tables.

Each is a reason for a piece of our own code (the door reads CSV itself, creates tables itself) or for a veto. A test that
fails here because the engines agree means that a new version of one has made that piece unnecessary.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from sessions import SAIL, SPARK

from dataos_dagster.engines.session import SessionConfiguration
from dataos_dagster.errors import StatementFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dataos_dagster.engines.session import EngineSession, Sessions

REFUSED = "refused"
NOON = dt.datetime(2020, 2, 29, 12, tzinfo=dt.UTC)


def observed(situation: Callable[[EngineSession, Path], Any], session: EngineSession, folder: Path) -> Any:
    """Return what comes of a situation on an engine, in a folder of its own."""
    place = folder / session.engine
    place.mkdir()
    try:
        with session.failures():
            return situation(session, place)
    except (StatementFailed, pa.ArrowException):
        return REFUSED


def rows(frame: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.collect()), key=repr)


def types(frame: Any) -> list[str]:
    return [field.dataType.simpleString() for field in frame.schema]


def csv(folder: Path, text: str) -> str:
    path = folder / "data.csv"
    path.write_text(text)
    return str(path)


def csv_null_value(session: EngineSession, folder: Path) -> Any:
    path = csv(folder, "a,b\n1,x\nNA,y\n")
    return rows(session.spark.read.option("nullValue", "NA").csv(path, schema="a int, b string", header=True))


def csv_malformed_value(session: EngineSession, folder: Path) -> Any:
    return rows(session.spark.read.csv(csv(folder, "a\n1\nx\n"), schema="a int", header=True))


def csv_ragged_row(session: EngineSession, folder: Path) -> Any:
    return rows(session.spark.read.csv(csv(folder, "a,b\n1,2\n3\n"), schema="a string, b string", header=True))


def csv_escape(session: EngineSession, folder: Path) -> Any:
    return rows(session.spark.read.csv(csv(folder, 'a\n"x \\"y\\" z"\n'), header=True))


def csv_inferred_types(session: EngineSession, folder: Path) -> Any:
    path = csv(folder, "a,b\n1,2020-02-29 12:00:00\n")
    return types(session.spark.read.csv(path, header=True, inferSchema=True))


def json_order_of_columns(session: EngineSession, folder: Path) -> Any:
    path = folder / "data.json"
    path.write_text('{"b": 1, "a": 2}\n')
    return session.spark.read.json(str(path)).columns


def json_malformed_row(session: EngineSession, folder: Path) -> Any:
    path = folder / "data.json"
    path.write_text('{"a": 1}\nnot json\n')
    return rows(session.spark.read.json(str(path), schema="a int"))


def parquet_of_a_missing_path(session: EngineSession, folder: Path) -> Any:
    return session.spark.read.parquet(str(folder / "nowhere")).columns


def files_of_no_rows(session: EngineSession, folder: Path) -> Any:
    session.spark.sql("select 1 as a where false").write.parquet(str(folder / "out"))
    return len(list((folder / "out").glob("*.parquet")))


def null_in_a_partition(session: EngineSession, folder: Path) -> Any:
    frame = session.spark.sql("select 1 as a, cast(null as string) as k")
    frame.write.partitionBy("k").parquet(str(folder / "out"))
    return [path.name for path in (folder / "out").iterdir() if path.is_dir()]


def columns_that_differ_in_case(session: EngineSession, folder: Path) -> Any:
    session.spark.sql("select 1 as id, 2 as ID").write.parquet(str(folder / "out"))
    return "written"


def timestamps_as_text(session: EngineSession, folder: Path) -> Any:
    session.spark.sql("select timestamp '2020-02-29 12:00:00' as e").write.csv(str(folder / "out"))
    return "".join(path.read_text() for path in (folder / "out").glob("*.csv"))


def mark_of_success(session: EngineSession, folder: Path) -> Any:
    session.spark.sql("select 1 as a").write.parquet(str(folder / "out"))
    return (folder / "out" / "_SUCCESS").exists()


def caching(session: EngineSession, folder: Path) -> Any:
    session.spark.sql("select 1 as a").createOrReplaceTempView("to_cache")
    session.spark.sql("cache table to_cache")
    session.spark.sql("uncache table to_cache")
    return "cached"


def renaming_a_column_in_another_case(session: EngineSession, folder: Path) -> Any:
    return session.spark.sql("select 1 as id").withColumnRenamed("ID", "number").columns


def table(session: EngineSession, folder: Path, columns: str, partitioned: str = "") -> str:
    """Create an Iceberg table as each engine does in a folder, and return its name."""
    if session.engine == "sail":
        session.spark.sql("create table situation (" + columns + f") using iceberg {partitioned} location '{folder}/t'")
        return "situation"
    catalog = f"c{abs(hash(str(folder)))}"
    session.spark.conf.set(f"spark.sql.catalog.{catalog}", "org.apache.iceberg.spark.SparkCatalog")
    session.spark.conf.set(f"spark.sql.catalog.{catalog}.type", "hadoop")
    session.spark.conf.set(f"spark.sql.catalog.{catalog}.warehouse", str(folder))
    session.spark.sql(f"create table {catalog}.n.t ({columns}) using iceberg {partitioned}")
    return f"{catalog}.n.t"


def a_month_as_a_partition(session: EngineSession, folder: Path) -> Any:
    table(session, folder, "e timestamp, a int", "partitioned by (month(e))")
    return "created"


def appending_a_column_in_another_case(session: EngineSession, folder: Path) -> Any:
    name = table(session, folder, "id int")
    session.spark.sql("select 1 as ID").write.format("iceberg").mode("append").saveAsTable(name)
    return rows(session.spark.table(name))


SITUATIONS = (
    csv_null_value,
    csv_malformed_value,
    csv_ragged_row,
    csv_escape,
    csv_inferred_types,
    json_order_of_columns,
    json_malformed_row,
    parquet_of_a_missing_path,
    files_of_no_rows,
    null_in_a_partition,
    columns_that_differ_in_case,
    timestamps_as_text,
    mark_of_success,
    caching,
    renaming_a_column_in_another_case,
    a_month_as_a_partition,
    appending_a_column_in_another_case,
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_the_engines_differ_in(
    situation: Callable[[EngineSession, Path], Any], sessions: Sessions, spark_jars: None, tmp_path: Path
) -> None:
    # Sessions of their own: what a situation leaves behind is nobody else's.
    own = (("spark.sql.shuffle.partitions", "3"),)
    sail = sessions.get(SessionConfiguration("sail", conf=own))
    spark = sessions.get(SessionConfiguration("spark", conf=(*SPARK.conf, *own), packages=SPARK.packages))
    try:
        assert observed(situation, sail, tmp_path) != observed(situation, spark, tmp_path)
    finally:
        sail.spark.sql("drop table if exists situation")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Etc/UTC"])
def test_sail_writes_iceberg_timestamps_in_utc_only(sessions: Sessions, tmp_path: Path, zone: str) -> None:
    session = sessions.get(SessionConfiguration("sail", conf=(("spark.sql.session.timeZone", zone),)))
    with pytest.raises(StatementFailed, match="UTC"), session.failures():
        session.spark.sql(f"create table zoned (e timestamp) using iceberg location '{tmp_path}/zoned'")
    utc = sessions.get(SAIL)
    utc.spark.sql(f"create table zoned (e timestamp) using iceberg location '{tmp_path}/utc'")
    utc.spark.sql("drop table zoned")


def test_the_values_that_situations_speak_of_are_read_back_alike(
    sessions: Sessions, spark_jars: None, tmp_path: Path
) -> None:
    both = [sessions.get(SAIL), sessions.get(SPARK)]
    path = str(tmp_path / "same")
    both[0].spark.createDataFrame([(1, NOON)], "a int, e timestamp").write.parquet(path)
    one, other = (rows(session.spark.read.parquet(path)) for session in both)
    assert one == other
