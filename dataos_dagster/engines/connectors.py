"""Spark's connectors: Maven coordinates to jar files in a cache that also works without a network.

Apache Ivy does the resolving; Spark carries it. What a set of coordinates resolved to is remembered beside the jars, so the
second start asks nobody.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from dataos_dagster.engines.availability import require_java
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Short names on the command line: the coordinates that exist for Spark 4.1.1 (Scala 2.13).
CONNECTORS: dict[str, str] = {
    "iceberg": "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0",
    "iceberg-aws": "org.apache.iceberg:iceberg-aws-bundle:1.11.0",
    "delta": "io.delta:delta-spark_2.13:4.1.0",
    "kafka": "org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1",
    "avro": "org.apache.spark:spark-avro_2.13:4.1.1",
    "postgresql": "org.postgresql:postgresql:42.7.8",
}
_RESOLVE_SECONDS = 900

# What every Spark has already; a second copy of another patch release would shadow it.
_PROVIDED = (
    ("org.scala-lang", "scala-.*"),
    ("org.apache.hadoop", "hadoop-client-.*"),
    (
        "org.apache.spark",
        "spark-(catalyst|core|graphx|kvstore|launcher|mllib|mllib-local|network-common|network-shuffle|repl|sketch|sql"
        "|sql-api|streaming|tags|unsafe|common-utils|variant|connect|connect-common)_.*",
    ),
)


def cache_folder() -> Path:
    """Return the folder of downloads: DATAOS_CACHE, or `dataos-dagster` in the user's cache folder."""
    if configured := os.environ.get("DATAOS_CACHE"):
        return Path(configured).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dataos-dagster"


def coordinate_of(name: str) -> str:
    """Return the Maven coordinate behind a short name, or the coordinate itself.

    Raises:
        EngineUnavailable: It is neither.
    """
    if name in CONNECTORS:
        return CONNECTORS[name]
    if len(name.split(":")) == 3 and all(name.split(":")):
        return name
    raise EngineUnavailable(
        f"{name!r} is no connector", hint=f"known are {', '.join(CONNECTORS)}; others as group:artifact:version"
    )


def installed(packages: Iterable[str]) -> tuple[Path, ...] | None:
    """Return the jars of these coordinates when all of them are in the cache, else None."""
    record = _record(packages)
    if not record.exists():
        return None
    jars = tuple(Path(line) for line in record.read_text("utf-8").splitlines())
    return jars if all(jar.exists() for jar in jars) else None


def resolve(packages: Iterable[str], repositories: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the jars of these Maven coordinates and all that they need, downloading what the cache lacks.

    Args:
        packages: `group:artifact:version`.
        repositories: Addresses of Maven repositories to ask besides the central one.

    Raises:
        EngineUnavailable: A coordinate is malformed or cannot be had; names it and the repository's answer.
    """
    coordinates = sorted({coordinate_of(package) for package in packages})
    if not coordinates:
        return ()
    jars = installed(coordinates)
    if jars is None:
        jars = _download(coordinates, repositories)
        record = _record(coordinates)
        record.parent.mkdir(parents=True, exist_ok=True)
        written = record.with_suffix(f".{os.getpid()}")
        written.write_text("\n".join(map(str, jars)), "utf-8")
        written.replace(record)
    return jars


def _record(packages: Iterable[str]) -> Path:
    digest = hashlib.sha256("\n".join(sorted(set(packages))).encode()).hexdigest()[:20]
    return cache_folder() / "connectors" / f"{digest}.jars"


def _download(coordinates: Sequence[str], repositories: Sequence[str]) -> tuple[Path, ...]:
    import pyspark

    java = require_java()
    [ivy] = Path(pyspark.__file__).parent.joinpath("jars").glob("ivy-*.jar")
    cache = cache_folder() / "ivy"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        module, settings, found = Path(folder, "ivy.xml"), Path(folder, "settings.xml"), Path(folder, "found")
        module.write_text(_module(coordinates), "utf-8")
        settings.write_text(_settings(cache, repositories), "utf-8")
        command = [java.home / "bin" / "java", "-cp", ivy, "org.apache.ivy.Main"]
        command += ["-settings", settings, "-ivy", module, "-confs", "default", "-cachepath", found]
        try:
            said = subprocess.run(
                command, capture_output=True, text=True, cwd=folder, timeout=_RESOLVE_SECONDS, check=False
            ).stdout
        except subprocess.TimeoutExpired:
            raise _not_had(coordinates, f"no answer within {_RESOLVE_SECONDS} s") from None
        paths = found.read_text("utf-8").strip() if found.exists() else ""
    problems = [line.strip() for line in said.splitlines() if "not found" in line or "FAILED" in line or "ERROR" in line]
    if problems or not paths:
        raise _not_had(coordinates, "; ".join(dict.fromkeys(problems)) or "nothing was resolved")
    return tuple(Path(path) for path in paths.split(os.pathsep))


def _not_had(coordinates: Sequence[str], reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"connectors {', '.join(coordinates)} cannot be had: {reason[:1000]}",
        hint="check the coordinates and the network, or fill the cache where there is one: dataos engines install spark",
    )


def _module(coordinates: Sequence[str]) -> str:
    lines = ['<ivy-module version="2.0"><info organisation="dataos" module="connectors"/>']
    lines.append('<configurations><conf name="default"/></configurations><dependencies>')
    for coordinate in coordinates:
        group, artifact, version = map(quoteattr, coordinate.split(":"))
        lines.append(f'<dependency org={group} name={artifact} rev={version} conf="default->default"/>')
    lines += [f'<exclude org="{group}" module="{name}" matcher="regexp"/>' for group, name in _PROVIDED]
    return "\n".join([*lines, "</dependencies></ivy-module>"])


def _settings(cache: Path, repositories: Sequence[str]) -> str:
    """Return Ivy's settings: the user's own Maven repository first, then the central one, then those configured."""
    local = Path.home() / ".m2" / "repository"
    resolvers = [
        f'<ibiblio name="local" m2compatible="true" root={quoteattr(local.as_uri())} checkmodified="true"/>',
        '<ibiblio name="central" m2compatible="true"/>',
    ]
    resolvers += [
        f'<ibiblio name="repository{number}" m2compatible="true" root={quoteattr(address)}/>'
        for number, address in enumerate(repositories)
    ]
    return (
        '<ivysettings><settings defaultResolver="all"/>'
        f"<caches defaultCacheDir={quoteattr(str(cache))}/>"
        f'<resolvers><chain name="all" returnFirst="true">{"".join(resolvers)}</chain></resolvers></ivysettings>'
    )
