"""Fixtures of all tests: the real servers, each started once a test process when the first test asks for it."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

import pytest
from servers import ENGINES
from sessions import engine_session, sail_session, sessions, spark_session  # noqa: F401 - fixtures of every test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.iceberg_rest import IcebergRESTServer
    from servers.postgresql import PostgreSQLServer
    from servers.s3 import S3Server


def require_engine(name: str) -> None:
    """Skip the test, or fail it where `CI=true`, when an engine is not installed."""
    reason = importlib.import_module(f"servers.{ENGINES[name]}").missing()
    if reason is None:
        return
    message = f"{name}: {reason}; install it with: python tests/engines/install.py {name}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def java() -> None:
    """Java 17 or newer is there."""
    require_engine("java")


@pytest.fixture(scope="session")
def spark_jars() -> None:
    """Spark's connectors are in the local Ivy cache."""
    require_engine("spark_jars")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a browser; its arguments are `servers.browser.ARGUMENTS`."""
    from servers.browser import executable

    require_engine("chromium")
    path = executable()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """Run a PostgreSQL server; `create_database()` gives a test an empty database of its own."""
    from servers.postgresql import start_postgresql

    require_engine("postgresql")
    server = start_postgresql()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """Run an S3 server; `create_bucket(name)` makes room for a test."""
    from servers.s3 import start_s3

    require_engine("s3")
    server = start_s3()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def iceberg_rest(s3: S3Server) -> Iterator[IcebergRESTServer]:
    """Run an Iceberg REST catalog whose tables are in the S3 server's bucket `warehouse`."""
    from servers.iceberg_rest import start_iceberg_rest

    require_engine("iceberg_rest")
    server = start_iceberg_rest(s3)
    yield server
    server.stop()
