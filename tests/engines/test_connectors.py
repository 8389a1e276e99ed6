"""Connectors: coordinates in, jars out, and a clear answer when they cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dataos_dagster.engines.configuration import SessionConfiguration, is_session_property, memory_bytes
from dataos_dagster.engines.connectors import cache_folder, installed, is_cached, resolve
from dataos_dagster.engines.coordinates import CONNECTORS, coordinate_of
from dataos_dagster.engines.spark import _as_java_properties, _java_options
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_short_name_is_a_coordinate_for_this_spark() -> None:
    assert coordinate_of("iceberg") == CONNECTORS["iceberg"].coordinate
    assert coordinate_of("postgres") == coordinate_of("postgresql")
    assert coordinate_of("a.b:c_2.13:1.0-rc1") == "a.b:c_2.13:1.0-rc1"


@pytest.mark.parametrize("name", ["", "iceburg", "a:b", "a:b:c:d", "a:b: c", 'a:b:"/><x'])
def test_what_is_no_coordinate_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(EngineUnavailable, match="is no connector") as raised:
        coordinate_of(name)
    assert "iceberg" in str(raised.value)


def test_nothing_needs_nothing() -> None:
    assert resolve(()) == ()


def test_the_cache_is_where_the_variable_says(empty_cache: Path) -> None:
    assert cache_folder() == empty_cache
    assert installed([coordinate_of("iceberg")]) is None
    assert not is_cached(coordinate_of("iceberg"))


def test_a_jar_that_was_removed_is_not_installed(empty_cache: Path) -> None:
    from dataos_dagster.engines.connectors import _record

    jar = empty_cache / "thing-1.0.jar"
    record = _record(["org.shop:thing:1.0"])
    record.parent.mkdir(parents=True)
    jar.touch()
    record.write_text(str(jar))
    assert installed(["org.shop:thing:1.0"]) == (jar,)
    assert is_cached("org.shop:thing:1.0")
    jar.unlink()
    assert installed(["org.shop:thing:1.0"]) is None


def test_a_coordinate_that_nobody_has_is_named(empty_cache: Path, java: None, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    with pytest.raises(EngineUnavailable, match=r"org\.nowhere:nothing:1\.0.*cannot be had.*not found"):
        resolve(["org.nowhere:nothing:1.0"], [repository.as_uri()])


def test_a_repository_of_the_settings_is_asked(empty_cache: Path, java: None, tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "org" / "shop" / "thing" / "1.0"
    folder.mkdir(parents=True)
    (folder / "thing-1.0.pom").write_text(
        "<project><modelVersion>4.0.0</modelVersion>"
        "<groupId>org.shop</groupId><artifactId>thing</artifactId><version>1.0</version></project>"
    )
    (folder / "thing-1.0.jar").write_bytes(b"PK")
    repository = (tmp_path / "repository").as_uri()
    jars = resolve(["org.shop:thing:1.0"], [repository])
    assert [jar.name for jar in jars] == ["thing-1.0.jar"]
    assert jars[0].is_relative_to(empty_cache)
    assert resolve(["org.shop:thing:1.0"]) == jars


def test_what_was_fetched_with_others_serves_a_job_without_a_network(
    spark_jars: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ivy").symlink_to(cache_folder() / "ivy")
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    nowhere = " ".join(f"-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort=9" for scheme in ("http", "https"))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", nowhere)
    needed = [coordinate_of("avro"), coordinate_of("postgres")]
    assert installed(needed) is None
    names = {jar.name for jar in resolve(needed)}
    assert {"spark-avro_2.13-4.1.1.jar", "postgresql-42.7.8.jar"} <= names
    with pytest.raises(EngineUnavailable, match="cannot be had"):
        resolve(["org.nowhere:nothing:1.0"])


@pytest.mark.parametrize(
    ("text", "size"), [("512m", 512 << 20), ("2g", 2 << 30), ("2Gi", 2 << 30), ("1024", 1 << 30), ("1.5G", 3 << 29)]
)
def test_memory_is_read_as_spark_reads_it(text: str, size: int) -> None:
    assert memory_bytes(text) == size


def test_memory_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="plenty"):
        memory_bytes("plenty")


@pytest.mark.parametrize(
    ("key", "session"),
    [
        ("spark.sql.shuffle.partitions", True),
        ("spark.sql.catalog.lake.uri", True),
        ("spark.sql.extensions", False),
        ("spark.executor.memory", False),
        ("spark.hadoop.fs.s3a.bucket.b.access.key", False),
    ],
)
def test_properties_of_sessions_and_of_servers(key: str, session: bool) -> None:
    assert is_session_property(key) is session


def test_jobs_that_differ_in_session_properties_share_a_spark() -> None:
    one = SessionConfiguration("spark", conf=(("spark.sql.shuffle.partitions", "2"),))
    other = SessionConfiguration("spark", conf=(("spark.sql.shuffle.partitions", "8"),))
    third = SessionConfiguration("spark", conf=(("spark.executor.memory", "8g"),))
    assert one.server == other.server
    assert not one.server.serves(third.server)


def test_properties_are_written_as_java_reads_them() -> None:
    assert _as_java_properties({"a b": " x\\y\nz", "k:c": "v=w"}) == "a\\ b=\\ x\\\\y\\nz\nk\\:c=v=w\n"


def test_a_local_spark_compiles_late_and_a_cluster_as_it_is_told() -> None:
    assert "-XX:+UseParallelGC" in _java_options("local[2]", "")
    assert _java_options("spark://master:7077", "-Dx=y") == ["-Dx=y"]
    assert _java_options("spark://master:7077", "") == []


def test_a_chosen_collector_is_the_only_one() -> None:
    options = " ".join(_java_options("local[*]", "-XX:+UseG1GC -Dx=y"))
    assert "UseParallelGC" not in options
    assert options.endswith("-XX:+UseG1GC -Dx=y")
