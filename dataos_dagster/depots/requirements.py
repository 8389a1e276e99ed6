"""Join what several requests need of one session."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from dataos_dagster.depots.requests import Requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import SecretStr

    from dataos_dagster.engines.session import SessionConfiguration
    from dataos_dagster.settings import EngineName

V = TypeVar("V")

# Variable by which Sail gets to know catalogs: the one whose values of several parts are one list together.
SAIL_CATALOGS = "SAIL_CATALOG__LIST"
_S3_VARIABLES = "AWS_"
# Spark shows the options of a source in plans; the regular expression names those that it must not show. It is one for
# all sources, because a session has one.
REDACTED_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "spark.sql.redaction.options.regex": "(?i)url|uri|user|jaas|pass|key|token|credential|auth|secret|certificate",
    }
)
ENGINES: tuple[EngineName, ...] = ("sail", "spark", "connect")


def join(parts: Iterable[Requirements]) -> Requirements:
    """Return the requirements of all parts together; parts that contradict each other veto the engine."""
    parts = tuple(parts)
    vetoes = {engine: [reason for part in parts for reason in part.vetoes.get(engine, ())] for engine in ENGINES}
    environment = {engine: _merged(part.environment.get(engine, {}) for part in parts) for engine in ENGINES}
    for engine in ENGINES:
        contradicted = {
            key
            for part_of in ("conf", "secret_conf")
            for key in _contradicted(getattr(part, part_of).get(engine, {}) for part in parts)
        }
        vetoes[engine] += [
            f"parts of the job need different values of {key}, and a session has one" for key in sorted(contradicted)
        ]
        if _contradict(part.environment.get(engine, {}) for part in parts):
            vetoes[engine].append(
                f"the job opens S3 with more than one identity, and a {engine} process has one for its whole life"
            )
        catalogs = [
            part.environment[engine][SAIL_CATALOGS]
            for part in parts
            if SAIL_CATALOGS in part.environment.get(engine, {})
        ]
        if catalogs:
            environment[engine][SAIL_CATALOGS] = _joined_catalogs(catalogs)
    return Requirements(
        conf={engine: _merged(part.conf.get(engine, {}) for part in parts) for engine in ENGINES},
        secret_conf={engine: _merged(part.secret_conf.get(engine, {}) for part in parts) for engine in ENGINES},
        packages=tuple(sorted({package for part in parts for package in part.packages})),
        environment=environment,
        vetoes={engine: tuple(dict.fromkeys(reasons)) for engine, reasons in vetoes.items() if reasons},
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def session_configuration(engine: EngineName, needed: Requirements) -> SessionConfiguration:
    """Return the configuration of a session on an engine that meets these requirements, and nothing else."""
    from dataos_dagster.engines.session import SessionConfiguration

    return SessionConfiguration(
        engine,
        conf=tuple(sorted(needed.conf.get(engine, {}).items())),
        packages=needed.packages if engine == "spark" else (),
        environment=tuple(sorted(needed.environment.get(engine, {}).items())),
        secret_conf=tuple(sorted(needed.secret_conf.get(engine, {}).items())) if engine != "sail" else (),
    )


def veto(engine: EngineName, *reasons: str) -> Requirements:
    """Return requirements that an engine cannot meet."""
    return Requirements(vetoes={engine: reasons} if reasons else {})


def _joined_catalogs(lists: Iterable[SecretStr]) -> SecretStr:
    """Return one list of catalogs for several, as Sail reads it: the catalogs of all, each once."""
    from pydantic import SecretStr

    inside = (found.get_secret_value()[1:-1].split("}, {") for found in lists)
    entries = dict.fromkeys(entry.strip("{}") for part in inside for entry in part)
    return SecretStr("[" + ", ".join(f"{{{entry}}}" for entry in entries) + "]")


def _contradicted(confs: Iterable[Mapping[str, V]]) -> set[str]:
    """Return the keys to which several parts give different values."""
    seen: dict[str, V] = {}
    return {key for conf in confs for key, value in conf.items() if seen.setdefault(key, value) != value}


def _contradict(environments: Iterable[Mapping[str, V]]) -> bool:
    """Return whether variables of several parts exclude each other.

    Those of S3 are one identity and compared as a whole: a part without keys would else be opened with the keys of
    another one.
    """
    seen: dict[str, V] = {}
    identity: dict[str, V] | None = None
    for environment in environments:
        found = {key: value for key, value in environment.items() if key.startswith(_S3_VARIABLES)}
        if found and identity is not None and found != identity:
            return True
        identity = found or identity
        for key, value in environment.items():
            if key != SAIL_CATALOGS and seen.setdefault(key, value) != value:
                return True
    return False


def _merged(mappings: Iterable[Mapping[str, V]]) -> dict[str, V]:
    merged: dict[str, V] = {}
    for mapping in mappings:
        merged |= mapping
    return merged
