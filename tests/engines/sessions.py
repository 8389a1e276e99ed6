"""Fixtures of warm engines: one Sail and one Spark a test process, on which a test opens what it needs.

`engine_session` runs a test on both: what differs between them is then a failure, not a surprise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.spark_jars import COORDINATES

from dataos_dagster.engines.session import EngineSession, SessionConfiguration, Sessions
from dataos_dagster.settings import EngineSettings, Settings, SparkSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CORES = 2
SAIL = SessionConfiguration("sail")
# Iceberg is in every test's Spark: one JVM then serves all tests.
SPARK = SessionConfiguration(
    "spark",
    conf=(("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"),),
    packages=COORDINATES,
    driver_memory="1g",
)


def engine_settings(folder: Path) -> Settings:
    """Return settings of a project in a folder whose Spark is as small as a test machine."""
    return Settings(project=folder, engines=EngineSettings(spark=SparkSettings(master=f"local[{CORES}]")))


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """Return the sessions of this test process; every engine that a test starts through it ends with the tests."""
    with Sessions(engine_settings(tmp_path_factory.mktemp("engines"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def sail_session(sessions: Sessions) -> EngineSession:
    """Return a warm session on Sail."""
    return sessions.get(SAIL)


@pytest.fixture(scope="session")
def spark_session(sessions: Sessions, spark_jars: None) -> EngineSession:
    """Return a warm session on Apache Spark with Iceberg, S3, Avro and PostgreSQL."""
    return sessions.get(SPARK)


@pytest.fixture(params=["sail", "spark"])
def engine_session(request: pytest.FixtureRequest) -> EngineSession:
    """Run the test on Sail and on Apache Spark."""
    session: EngineSession = request.getfixturevalue(f"{request.param}_session")
    return session
