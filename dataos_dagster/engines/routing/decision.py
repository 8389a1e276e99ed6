"""Which engine runs a job, and why.

Sail runs what is proven equal to Spark; the rest goes to Spark where that can be had, and otherwise to Sail with a
warning that names each construct and its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dataos_dagster.engines.routing.proven import DIFFERENT, PROVEN
from dataos_dagster.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.settings import EngineName

# The embedded one first: it starts in a fraction of a second and needs no Java.
_PREFERENCE: tuple[EngineName, ...] = ("sail", "spark", "connect")
_SHOWN = 5

Verdict = Literal["proven", "assumed", "unproven"]


@dataclass(frozen=True, slots=True)
class Route:
    """The engine of a job and why.

    Attributes:
        engine: Which engine runs it.
        reasons: Sentences for the user, most important first.
        unproven: Constructs that the parity suite does not show equal on Sail.
        assumed: Constructs that it shows equal for some types of operands, where the types are not known yet.
        warning: What to tell when the job runs on Sail although something in it is unproven.
    """

    engine: EngineName
    reasons: tuple[str, ...]
    unproven: tuple[Construct, ...] = ()
    assumed: tuple[Construct, ...] = ()
    warning: str | None = None

    @property
    def reasons_once_run(self) -> tuple[str, ...]:
        """Return the reasons of a job that has run here: what its plan assumed has been looked at by then."""
        return self.reasons[:1] if self.engine == "sail" and self.assumed and not self.unproven else self.reasons


def constructs_of(sql: str, columns: Mapping[str, Mapping[str, str]] | None = None) -> tuple[Construct, ...]:
    """Return every construct of a query, in order of appearance.

    Args:
        sql: One query in Spark SQL.
        columns: Spark types by view and column, where they are known already; without them constructs that depend on
            types are assumed and not proven.
    """
    # Here and not above: the parser takes a third of a second to import, and a plan without SQL does not need it.
    from dataos_dagster.engines.routing import constructs

    return constructs.constructs_of(sql, columns)


def verdict(construct: Construct) -> Verdict:
    """Return whether the parity suite shows a construct equal for the operands that it has here."""
    equal, different = _combinations(PROVEN, construct.name), _combinations(DIFFERENT, construct.name)
    if not equal:
        return "unproven"
    used = frozenset(construct.operands) - {"null"}
    known = used - {"unknown"}
    readings = (known, _literal_as_column(known))
    if known != used:
        possible = any(reading <= combination for reading in readings for combination in equal)
        # A construct that was never tried with operands does not depend on them: `and`, `left join`.
        return "unproven" if not possible else "assumed" if any(equal) else "proven"
    return "proven" if any(_shown(reading, equal, different) for reading in readings) else "unproven"


def unproven(constructs: Iterable[Construct], *, assume: bool = True) -> tuple[Construct, ...]:
    """Return the constructs that may not run on Sail.

    Args:
        constructs: As `constructs_of` finds them.
        assume: Accept what depends on types that are not known; False once the types of all views were given.
    """
    accepted = {"proven", "assumed"} if assume else {"proven"}
    return tuple(construct for construct in constructs if verdict(construct) not in accepted)


def route(
    constructs: Iterable[Construct],
    *,
    requested: EngineName | Literal["auto"],
    vetoes: Mapping[EngineName, tuple[str, ...]],
    availability: Availability,
) -> Route:
    """Return the engine that runs a job with these constructs.

    Args:
        constructs: All of the job's SQL.
        requested: The engine asked for, or `auto`.
        vetoes: Why an engine cannot do the job at all, by engine.
        availability: What this machine has.

    Raises:
        EngineUnavailable: The engine asked for is not there or cannot do the job, or no engine can.
    """
    found = tuple(constructs)
    missing = unproven(found)
    assumed = tuple(construct for construct in found if verdict(construct) == "assumed")
    if requested != "auto":
        return _as_requested(requested, missing, vetoes, availability)
    if refused := vetoes.get("sail"):
        return _without_sail(refused, missing, vetoes, availability)
    if not availability.has("sail"):
        return _without_sail((availability.of("sail").detail,), missing, vetoes, availability)
    if not missing:
        return _on_sail(found, assumed)
    reason = f"not proven equal on Sail: {_named(missing)}"
    for engine in ("spark", "connect"):
        if availability.has(engine) and not vetoes.get(engine):
            return Route(engine, (reason,), missing, assumed)
    status = availability.of("spark")
    absent = "; ".join(vetoes.get("spark", ())) or status.detail
    warning = f"runs on Sail although not proven equal there: {_named(missing)}; Spark cannot be used: {absent}"
    return Route("sail", (f"{reason}; Spark cannot be used: {absent}",), missing, assumed, warning)


def _on_sail(found: tuple[Construct, ...], assumed: tuple[Construct, ...]) -> Route:
    what = "the one construct of its SQL is" if len(found) == 1 else f"all {len(found)} constructs of its SQL are"
    proven = f"{what} proven equal on Sail"
    if not found:
        return Route("sail", ("it has no SQL that needs another engine",))
    if not assumed:
        return Route("sail", (proven,))
    doubt = "it moves to Spark before anything is written if the types of its columns, which its text does not tell"
    return Route("sail", (proven, f"{doubt}, call for it: {_named(assumed)}"), (), assumed)


def _as_requested(
    engine: EngineName,
    missing: tuple[Construct, ...],
    vetoes: Mapping[EngineName, tuple[str, ...]],
    availability: Availability,
) -> Route:
    if refused := vetoes.get(engine):
        raise EngineUnavailable(
            f"{engine} was asked for, but cannot run this job: {'; '.join(refused)}",
            hint="ask for another engine, or for `auto`",
        )
    status = availability.of(engine)
    if not status.available:
        raise EngineUnavailable(f"{engine} was asked for: {status.detail}", hint=status.hint or None)
    warning = f"not proven equal on Sail: {_named(missing)}" if engine == "sail" and missing else None
    return Route(engine, (f"{engine} was asked for",), missing, (), warning)


def _without_sail(
    reasons: tuple[str, ...],
    missing: tuple[Construct, ...],
    vetoes: Mapping[EngineName, tuple[str, ...]],
    availability: Availability,
) -> Route:
    why = "; ".join(reasons)
    refused = [f"sail: {why}"]
    for engine in ("spark", "connect"):
        if problem := vetoes.get(engine):
            refused.append(f"{engine}: {'; '.join(problem)}")
        elif not availability.has(engine):
            refused.append(f"{engine}: {availability.of(engine).detail}")
        else:
            return Route(engine, (f"not on Sail: {why}",), missing)
    hint = next((availability.of(e).hint for e in _PREFERENCE if not vetoes.get(e) and availability.of(e).hint), None)
    raise EngineUnavailable(f"no engine can run this job: {'. '.join(refused)}", hint=hint)


def _combinations(table: Mapping[str, tuple[str, ...]], name: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(text.split(",")) - {""} for text in table.get(name, ()))


def _shown(used: frozenset[str], equal: tuple[frozenset[str], ...], different: tuple[frozenset[str], ...]) -> bool:
    """Return whether a combination was tried and equal, alone or as part of a larger one, and never different."""
    return used not in different and any(used <= combination for combination in equal)


def _literal_as_column(used: frozenset[str]) -> frozenset[str]:
    """Return the operands with a text literal taken as any text: what is equal for a column is equal for a literal."""
    return used - {"text"} | {"string"} if "text" in used else used


def _named(constructs: tuple[Construct, ...]) -> str:
    shown = ", ".join(map(str, constructs[:_SHOWN]))
    return shown if len(constructs) <= _SHOWN else f"{shown} and {len(constructs) - _SHOWN} more"
