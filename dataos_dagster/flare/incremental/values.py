"""The values of the keys of an incremental input: given, stored, or asked of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dataos_dagster.errors import StatementFailed, StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.sql import parse_statement
from dataos_dagster.flare.steps import PlannedStep
from dataos_dagster.state.intents import InputWindow
from dataos_dagster.workflows.results import WindowResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.incremental.plan import Increment, PlannedKey
    from dataos_dagster.flare.sql import Statement

Origin = Literal["given", "repeated", "stored", "query", "default"]

# What a key without a value is in SQL. In quotes it is a text like any other, so the rows are left out as well.
_NOTHING = "NULL"


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Values that are known before an engine is asked.

    Attributes:
        given: By the caller, for this run only.
        repeated: Of a window that an earlier run did not finish; None for a window of this run's own.
        stored: By the last run.
    """

    given: Mapping[str, str]
    repeated: Mapping[str, str | None] | None
    stored: Mapping[str, str]

    def of(self, key: PlannedKey) -> tuple[str | None, Origin] | None:
        """Return the value of a key and where it comes from; None where its query has to be asked."""
        if self.repeated is not None and key.name in self.repeated:
            return self.repeated[key.name], "repeated"
        if key.name in self.given:
            return self.given[key.name], "given"
        if key.name in self.stored:
            return self.stored[key.name], "stored"
        return (key.default, "default") if key.sql is None else None


@dataclass(frozen=True, slots=True)
class Window:
    """What one incremental input reads in one run.

    Attributes:
        values: Key to value; None for a key whose query returned none.
        origins: Key to where its value comes from.
    """

    increment: Increment
    values: Mapping[str, str | None]
    origins: Mapping[str, Origin]

    @property
    def is_empty(self) -> bool:
        """Return whether a key has no value, so that nothing can be new."""
        return None in self.values.values()

    @property
    def step(self) -> PlannedStep:
        """Return the query of what is new, as a step that makes the input's view."""
        increment = self.increment
        statement = increment.statement(_as_text(self.values))
        if self.is_empty:
            # Compared with a text in quotes, rows could pass that nobody asked for.
            empty = f"SELECT * FROM (\n{statement.sql}\n) WHERE 1 = 0"  # noqa: S608 - the manifest's own query
            statement = parse_statement(empty)
        return PlannedStep(
            label=increment.label,
            name=increment.input,
            text=increment.sql,
            statement=statement,
            sql=statement.sql,
            functions=(),
            places=(),
            commands=(),
            location=increment.location,
            path=(*increment.path, "sql"),
            job=increment.job,
        )

    @property
    def advances(self) -> dict[str, str]:
        """Return the values to store when everything is written: key to its next value; those without one stay."""
        found = {key: self.values[value_of] for key, value_of in self.increment.state.items()}
        return {key: value for key, value in found.items() if value is not None}

    def as_result(self, *, stored: bool) -> WindowResult:
        """Return it as the run reports it.

        Args:
            stored: Its values were stored for the next run.
        """
        return WindowResult(
            self.increment.input, dict(self.values), dict(self.origins), self.advances if stored else {}
        )

    def as_record(self) -> InputWindow:
        """Return it as the state database keeps it."""
        return InputWindow(self.increment.input, self.increment.context, dict(self.values))


def resolve(
    increment: Increment,
    known: KnownValues,
    session: EngineSession,
    check: Callable[[str, str, Location], None],
) -> Window:
    """Return the window of an input, asking the engine for the keys whose values are not known.

    Args:
        increment: The input; its context is a view of the session.
        known: Values that are known.
        session: Where to ask.
        check: Called before a query runs, with its label and place: refuses what the engine is not known to do right.

    Raises:
        StepError: A key's query fails.
    """
    values: dict[str, str | None] = {}
    origins: dict[str, Origin] = {}
    for key in increment.keys:
        values[key.name], origins[key.name] = _value(increment, key, values, known, session, check)
    return Window(increment, values, origins)


def _value(
    increment: Increment,
    key: PlannedKey,
    before: Mapping[str, str | None],
    known: KnownValues,
    session: EngineSession,
    check: Callable[[str, str, Location], None],
) -> tuple[str | None, Origin]:
    if (settled := known.of(key)) is not None:
        return settled
    statement = increment.key_statement(key, _as_text(before))
    label = f"{increment.label}, key {key.name!r}"
    location = job_location(increment.job, *key.path, "sql")
    check(statement.sql, label, location)
    found = _asked(statement, label, location, session)
    return (found, "query") if found is not None or key.default is None else (key.default, "default")


def _asked(statement: Statement, label: str, location: Location, session: EngineSession) -> str | None:
    """Return the first column of the first row as text, or None where there is no row or no value."""
    try:
        with session.failures(location):
            frame = session.spark.sql(statement.sql)
            names = [f"column_{number}" for number in range(len(frame.columns))]
            rows = frame.toDF(*names).selectExpr(f"CAST({names[0]} AS STRING) AS value").limit(1).collect()
    except StatementFailed as failed:
        raise StepError(
            f"{label}: {failed.message}",
            step=label,
            sql=statement.sql,
            hint="the query of a key returns one value, in its first row and column",
            location=location,
        ) from failed
    return rows[0][0] if rows else None


def _as_text(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: _NOTHING if value is None else value for name, value in values.items()}
