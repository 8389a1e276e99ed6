"""Spark's connectors: Maven coordinates to jar files in a cache that also works without a network.

Apache Ivy does the resolving; Spark carries it. What a set of coordinates resolved to is remembered beside the jars, so
the second start asks nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from dataos_dagster.engines.availability import require_java
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_RESOLVE_SECONDS = 900
# What Ivy prints when something is missing; the reasons follow in lines of their own.
_MISSING = ("UNRESOLVED DEPENDENCIES", "FAILED DOWNLOADS")
_REASON = re.compile(r"not found|ERROR:|\(download\)|FAILED")

# What every Spark has already; a second copy of another patch release would shadow it.
_PROVIDED = (
    ("org.scala-lang", "scala-.*"),
    ("org.apache.hadoop", "hadoop-client-.*"),
    (
        "org.apache.spark",
        (
            "spark-(catalyst|core|graphx|kvstore|launcher|mllib|mllib-local|network-common|network-shuffle|repl|sketch"
            "|sql|sql-api|streaming|tags|unsafe|common-utils|variant|connect|connect-common)_.*"
        ),
    ),
)


def cache_folder() -> Path:
    """Return the folder of downloads: DATAOS_CACHE, or `dataos-dagster` in the user's cache folder."""
    if configured := os.environ.get("DATAOS_CACHE"):
        return Path(configured).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dataos-dagster"


def is_cached(coordinate: str) -> bool:
    """Return whether a connector was resolved before, alone or with others, and is still there."""
    _, artifact, version = coordinate.split(":")
    ending = f"/{artifact}-{version}.jar"
    records = (cache_folder() / "connectors").glob("*.jars")
    lines = (line for record in records for line in record.read_text("utf-8").splitlines())
    return any(line.endswith(ending) and Path(line).exists() for line in lines)


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
    # The user's own Maven repository saves a download, but may hold a description without its jar: then without it.
    local = (Path.home() / ".m2" / "repository").as_uri()
    problems: list[str] = []
    for addresses in ((local, None, *repositories), (None, *repositories)):
        with _ivy_lock():
            jars, problems = _ask_ivy(coordinates, addresses)
        if jars:
            return jars
    raise _not_had(coordinates, "; ".join(dict.fromkeys(problems)) or "nothing was resolved")


@contextmanager
def _ivy_lock() -> Iterator[None]:
    """Keep Ivy's cache to one process: it does not lock it itself."""
    path = cache_folder() / "ivy.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ask_ivy(coordinates: Sequence[str], repositories: Sequence[str | None]) -> tuple[tuple[Path, ...], list[str]]:
    """Return the jars that Ivy found in these repositories (None is the central one), and what it complained of."""
    import pyspark

    java = require_java()
    [ivy] = Path(pyspark.__file__).parent.joinpath("jars").glob("ivy-*.jar")
    cache = cache_folder() / "ivy"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        module, settings, found = Path(folder, "ivy.xml"), Path(folder, "settings.xml"), Path(folder, "found")
        module.write_text(_module(coordinates), "utf-8")
        settings.write_text(_settings(cache, repositories), "utf-8")
        command = [str(java.home / "bin" / "java"), "-cp", str(ivy), "org.apache.ivy.Main"]
        command += ["-settings", str(settings), "-ivy", str(module), "-confs", "default", "-cachepath", str(found)]
        try:
            said = subprocess.run(
                command, capture_output=True, text=True, cwd=folder, timeout=_RESOLVE_SECONDS, check=False
            ).stdout
        except subprocess.TimeoutExpired:
            raise _not_had(coordinates, f"no answer within {_RESOLVE_SECONDS} s") from None
        paths = found.read_text("utf-8").strip() if found.exists() else ""
    if paths and not any(word in said for word in _MISSING):
        return tuple(map(Path, paths.split(os.pathsep))), []
    return (), [line.strip(" \t:") for line in said.splitlines() if _REASON.search(line)]


def _not_had(coordinates: Sequence[str], reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"connectors {', '.join(coordinates)} cannot be had: {reason[:1000]}",
        hint="check coordinates and network; `dataos engines install spark --with …` fills the cache beforehand",
    )


def _module(coordinates: Sequence[str]) -> str:
    lines = ['<ivy-module version="2.0"><info organisation="dataos" module="connectors"/>']
    lines.append('<configurations><conf name="default"/></configurations><dependencies>')
    for coordinate in coordinates:
        group, artifact, version = map(quoteattr, coordinate.split(":"))
        lines.append(f'<dependency org={group} name={artifact} rev={version} conf="default->default"/>')
    lines += [f'<exclude org="{group}" module="{name}" matcher="regexp"/>' for group, name in _PROVIDED]
    return "\n".join([*lines, "</dependencies></ivy-module>"])


def _settings(cache: Path, repositories: Sequence[str | None]) -> str:
    resolvers = []
    for number, address in enumerate(repositories):
        root = f" root={quoteattr(address)}" if address else ""
        resolvers.append(f'<ibiblio name="repository{number}" m2compatible="true"{root}/>')
    return (
        '<ivysettings><settings defaultResolver="all"/>'
        f"<caches defaultCacheDir={quoteattr(str(cache))}/>"
        f'<resolvers><chain name="all" returnFirst="true">{"".join(resolvers)}</chain></resolvers></ivysettings>'
    )
