"""What this machine has: Java for Spark, Sail, a configured Spark Connect endpoint."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from dataos_dagster.settings import EngineName, EngineSettings

# Spark 4.1 runs on Java 17 and 21; on 25 its launcher or its queries fail.
MINIMUM_JAVA, MAXIMUM_JAVA = 17, 24
_VERSION = re.compile(r'version "(?:1\.)?(\d+)([^"]*)"')
_INSTALL_JAVA = (
    "install a Java 17 or 21 runtime (Debian: openjdk-17-jre-headless, macOS: brew install openjdk@17) or set JAVA_HOME"
)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: its home, its major version, and the whole version as it says it."""

    home: Path
    major: int
    version: str

    @property
    def suits_spark(self) -> bool:
        """Return whether Spark 4.1 runs on it."""
        return MINIMUM_JAVA <= self.major <= MAXIMUM_JAVA


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether an engine can be used here.

    Attributes:
        detail: Which version there is, or what is missing.
        hint: What to do about what is missing.
        abilities: What jobs can have of it, a sentence each.
    """

    engine: EngineName
    available: bool
    detail: str
    hint: str = ""
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """What this machine has, by engine."""

    engines: tuple[EngineStatus, ...]

    def of(self, engine: EngineName) -> EngineStatus:
        """Return the status of one engine."""
        return next(status for status in self.engines if status.engine == engine)

    def has(self, engine: EngineName) -> bool:
        """Return whether an engine can be used here."""
        return self.of(engine).available


def availability(settings: EngineSettings) -> Availability:
    """Return what this machine has; starts no engine and asks no network."""
    return Availability((_sail(), _spark(settings), _connect(settings)))


def find_java() -> Java | None:
    """Return the Java that Spark would be started with (JAVA_HOME, then PATH), or None when there is none."""
    return _find_java(os.environ.get("JAVA_HOME"), os.environ.get("PATH"))


def require_java() -> Java:
    """Return the Java that Spark is started with.

    Raises:
        EngineUnavailable: There is none, or one that Spark does not run on.
    """
    java = find_java()
    if java is None:
        raise EngineUnavailable("Apache Spark needs Java, and there is none on this machine", hint=_INSTALL_JAVA)
    if not java.suits_spark:
        raise EngineUnavailable(
            f"Apache Spark 4.1 does not run on Java {java.version} ({java.home})", hint=_INSTALL_JAVA
        )
    return java


@functools.cache
def _find_java(java_home: str | None, path: str | None) -> Java | None:
    program = Path(java_home, "bin", "java") if java_home else None
    if program is None or not program.exists():
        found = shutil.which("java", path=path)
        if not found:
            return None
        program = Path(found)
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    # macOS has a /usr/bin/java that only says that there is none.
    match = _VERSION.search(said)
    return Java(program.resolve().parent.parent, int(match[1]), match[1] + match[2]) if match else None


def _sail() -> EngineStatus:
    if importlib.util.find_spec("pysail") is None:
        return EngineStatus(
            "sail", False, "the package pysail is not installed", "pip install pysail", _sail_abilities()
        )
    return EngineStatus(
        "sail", True, f"Sail {importlib.metadata.version('pysail')}, embedded", abilities=_sail_abilities()
    )


def _sail_abilities() -> tuple[str, ...]:
    from dataos_dagster.engines.routing.proven import PROVEN

    functions = sum("/" in name for name in PROVEN)
    return (
        f"SQL that is proven to give Spark's rows and types: {len(PROVEN)} constructs, {functions} functions of them",
        "Iceberg, Delta, Parquet, CSV, JSON, text, Excel and PostgreSQL, in folders and S3, without Java",
        "not: streams, Kafka, other databases, ORC, Avro, XML, branches and maintenance of Iceberg tables",
    )


_SPARK_ABILITIES = (
    "all of Spark SQL, all formats, streams, Kafka, databases by their connectors, maintenance of Iceberg tables",
    "on this machine or a cluster (engines.spark.master); connectors are downloaded once and kept",
)
_CONNECT_ABILITIES = (
    "what the cluster has: its connectors, S3 keys and sizes are its own, and a plan says what a job needs of them",
)


def _spark(settings: EngineSettings) -> EngineStatus:
    try:
        java = require_java()
    except EngineUnavailable as error:
        return EngineStatus("spark", False, error.message, error.hint or "", _SPARK_ABILITIES)
    version = importlib.metadata.version("pyspark")
    detail = f"Apache Spark {version} on {settings.spark.master}, Java {java.version}"
    return EngineStatus("spark", True, detail, abilities=_SPARK_ABILITIES)


def _connect(settings: EngineSettings) -> EngineStatus:
    if settings.connect.url:
        return EngineStatus("connect", True, f"Spark Connect at {settings.connect.url}", abilities=_CONNECT_ABILITIES)
    return EngineStatus(
        "connect",
        False,
        "no Spark Connect endpoint is configured",
        "set engines.connect.url in dataos.yaml",
        _CONNECT_ABILITIES,
    )
