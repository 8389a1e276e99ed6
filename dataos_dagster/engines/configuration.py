"""What a session needs: its engine, properties, connectors, credentials and size.

Part of it belongs to the server and can only be given as that starts (`ServerConfiguration`), the rest to each session.
One Spark server carries many sessions; only a difference in the server's part costs another JVM.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dataos_dagster.settings import EngineName

# Flare 7 is Spark 3.5 with ANSI off; both engines here start with ANSI on, and Sail writes Iceberg timestamps in UTC
# only.
PINNED = (("spark.sql.ansi.enabled", "false"), ("spark.sql.session.timeZone", "UTC"))

HEAP = "spark.driver.memory"
DEFAULT_HEAP = 2 << 30

# Properties below spark.sql that Spark reads once, as it starts (org.apache.spark.sql.internal.StaticSQLConf).
_STATIC_SQL = (
    "spark.sql.extensions",
    "spark.sql.warehouse.dir",
    "spark.sql.catalogImplementation",
    "spark.sql.globalTempDatabase",
    "spark.sql.cache.serializer",
    "spark.sql.queryExecutionListeners",
    "spark.sql.codegen.cache.maxEntries",
    "spark.sql.streaming.streamingQueryListeners",
    "spark.sql.streaming.ui.",
    "spark.sql.ui.",
    "spark.sql.hive.metastore.",
    "spark.sql.hive.thriftServer.",
)


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """All that makes one session different from another. Hashable; sessions are kept by it.

    Attributes:
        engine: Which engine.
        conf: Spark properties, above the settings' and the pinned ones (ANSI off, UTC), which they override.
        secret_conf: Spark properties whose values are secret; they never stand on a command line.
        packages: Connectors by Maven coordinate (Spark only).
        environment: Variables of the engine's process, such as AWS_ACCESS_KEY_ID for Sail.
        driver_memory: JVM heap such as `2g` (Spark only), unless the settings say what heap there is.
        driver_cores: Cores of a local master (Spark only).
    """

    engine: EngineName
    conf: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    environment: tuple[tuple[str, SecretStr], ...] = ()
    secret_conf: tuple[tuple[str, SecretStr], ...] = ()
    driver_memory: str | None = None
    driver_cores: int | None = None

    @property
    def server(self) -> ServerConfiguration:
        """Return the part that a server must be started with."""
        if self.engine == "connect":
            return ServerConfiguration("connect")
        if self.engine == "sail":
            return ServerConfiguration("sail", environment=frozenset(self.environment))
        return ServerConfiguration(
            "spark",
            conf=frozenset(item for item in self.conf if not is_session_property(item[0])),
            packages=frozenset(self.packages),
            environment=frozenset(self.environment),
            secret_conf=frozenset(item for item in self.secret_conf if not is_session_property(item[0])),
            memory=memory_bytes(self.driver_memory) if self.driver_memory else 0,
            cores=self.driver_cores or 0,
        )


@dataclass(frozen=True, slots=True)
class ServerConfiguration:
    """What a server is started with; `memory` in bytes and `cores` are 0 when nothing is asked for."""

    engine: EngineName
    conf: frozenset[tuple[str, str]] = frozenset()
    packages: frozenset[str] = frozenset()
    environment: frozenset[tuple[str, SecretStr]] = frozenset()
    secret_conf: frozenset[tuple[str, SecretStr]] = frozenset()
    memory: int = 0
    cores: int = 0

    @property
    def as_started(self) -> ServerConfiguration:
        """Return what a server has that was started with this: a Spark always has a heap."""
        return replace(self, memory=self.memory or DEFAULT_HEAP) if self.engine == "spark" else self

    def serves(self, other: ServerConfiguration) -> bool:
        """Return whether a server started with this also does for the other: equal, or with more of what adds up."""
        return (
            self.engine == other.engine
            and self.conf == other.conf
            and self.environment == other.environment
            and self.secret_conf == other.secret_conf
            and self.packages >= other.packages
            and self.memory >= other.memory
            and self.cores >= other.cores
        )


def is_session_property(key: str) -> bool:
    """Return whether a Spark property may be set on a running session."""
    return key.startswith("spark.sql.") and not key.startswith(_STATIC_SQL)


_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def memory_bytes(text: str) -> int:
    """Return a JVM memory size such as `512m`, `2g` or `2Gi` in bytes; without a unit it is MiB, as Spark reads it.

    Raises:
        ValueError: The text is no such size.
    """
    plain = text.strip().lower().removesuffix("b").removesuffix("i")
    if plain and plain[-1] in _UNITS:
        return int(float(plain[:-1]) * _UNITS[plain[-1]])
    return int(float(plain)) * _UNITS["m"]
