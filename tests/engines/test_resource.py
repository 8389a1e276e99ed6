"""`dagster-pyspark`'s resource hands out a session on our engines, and ends them with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster_pyspark import LazyPySparkResource  # noqa: TC002 - Dagster reads the annotations of an asset

from dataos_dagster.engines.resource import SparkConnectResource

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.process import EngineProcess


def test_an_asset_gets_a_session_that_ends_with_the_run(tmp_path: Path) -> None:
    processes: list[EngineProcess | None] = []

    @dg.asset
    def seven(spark: SparkConnectResource) -> int:
        processes.append(spark.session.process)
        assert spark.spark_session is spark.session.spark
        return int(spark.spark_session.range(7).count())

    resource = SparkConnectResource(project=str(tmp_path), spark_config={"spark.sql.session.timeZone": "UTC"})
    result = dg.materialize([seven], resources={"spark": resource})
    assert result.success
    assert result.output_for_node("seven") == 7
    [process] = processes
    assert process is not None
    assert not process.is_running()


def test_it_is_dagster_pysparks_resource_where_one_is_asked_for(tmp_path: Path) -> None:
    @dg.asset
    def count(spark: LazyPySparkResource) -> int:
        return int(spark.spark_session.range(3).count())

    result = dg.materialize([count], resources={"spark": SparkConnectResource(project=str(tmp_path))})
    assert result.output_for_node("count") == 3


def test_no_engine_starts_for_a_run_that_does_not_ask_for_one(tmp_path: Path) -> None:
    @dg.asset
    def quiet(spark: SparkConnectResource) -> None:
        assert spark._sessions is None

    assert dg.materialize([quiet], resources={"spark": SparkConnectResource(project=str(tmp_path))}).success
