"""Fixtures of all tests: the real servers, each started once a test process when the first test asks for it."""

from __future__ import annotations

import importlib
import os
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from servers import ENGINES
from sessions import engine_session, sail_session, sessions, spark_session  # noqa: F401 - fixtures of every test

from dataos_dagster import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from servers.iceberg_rest import IcebergRESTServer
    from servers.kafka import KafkaServer
    from servers.mariadb import MariaDBServer
    from servers.mongodb import MongoDBServer
    from servers.postgresql import PostgreSQLServer
    from servers.s3 import S3Server

    from dataos_dagster.manifests.project import Project


@pytest.fixture(autouse=True)
def _forget_secrets() -> Iterator[None]:
    """Forget the values that a test has made known: one test's secret is a word in the messages that others expect."""
    known = redaction._REDACTOR  # a process never forgets a secret, but for this
    forms, pattern = set(known._forms), known._pattern
    yield
    known._forms, known._pattern = forms, pattern


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
    """A Java that Spark runs on is there."""
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
def mariadb() -> Iterator[MariaDBServer]:
    """Run a MariaDB server; `create_database()` gives a test an empty database of its own."""
    from servers.mariadb import start_mariadb

    require_engine("mariadb")
    server = start_mariadb()
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


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """Run a Kafka broker; `create_topic()` gives a test a topic of its own."""
    from servers.kafka import start_kafka

    require_engine("kafka")
    server = start_kafka()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongodb() -> Iterator[MongoDBServer]:
    """Run a server that speaks MongoDB's protocol."""
    from servers.mongodb import start_mongodb

    require_engine("mongodb")
    server = start_mongodb()
    yield server
    server.stop()


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that writes manifests into an empty folder and loads it.

    Its positional arguments are the documents of `manifest.yaml`; `files` are further files by relative path, and
    everything else goes to `load_project`. Variables of the process do not count unless `environment` is given.
    """
    from dataos_dagster.manifests.project import load_project

    def load(*documents: str, files: Mapping[str, str] | None = None, **options: object) -> Project:
        written = {"manifest.yaml": "\n---\n".join(map(dedent, documents))} if documents else {}
        for name, text in (written | dict(files or {})).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
        return load_project(tmp_path, **({"environment": {}, "use_cache": False} | options))

    return load
