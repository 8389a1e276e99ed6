"""What incremental inputs would read if their job ran now, as far as that is known without an engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.flare.incremental.keys import given_to
from dataos_dagster.flare.incremental.placeholders import substitute
from dataos_dagster.flare.incremental.windows import Windows
from dataos_dagster.state.presence import has_state
from dataos_dagster.state.run_ids import short_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.flare.incremental.plan import Increment, PlannedKey
    from dataos_dagster.flare.incremental.values import KnownValues
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.state.database import State
    from dataos_dagster.state.intents import Intent
    from dataos_dagster.workflows.context import RunContext


def prospects_of_windows(plan: JobPlan, context: RunContext) -> dict[str, tuple[str, ...]]:
    """Return the values of each incremental input's keys and the query with them, by the input's label.

    A key whose value its query has to tell stays a placeholder: no rows are read. Looking makes no state database.
    """
    increments = [planned.increment for planned in plan.inputs if planned.increment]
    if not increments:
        return {}
    given = given_to(plan.job, context.keys)
    windows = Windows(plan.job, increments, plan.outputs, context.run_id, None, given)
    remembered = _Remembered()
    if has_state(context.settings):
        from dataos_dagster.state.database import State

        remembered = _remembered(State.open(context.settings), plan.job.id, windows.scope)
    windows.left, windows.stored = remembered.repeated, remembered.values
    return {
        increment.label: (*_of_keys(increment, windows.known(increment), remembered), *remembered.unsettled)
        for increment in increments
    }


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What the state database knows of a job.

    Attributes:
        values: By input, context and key.
        writers: Who stored each of them.
        repeated: What the next run finishes.
        unsettled: Says so where an earlier run has left a window of which nobody knows yet what is written.
    """

    values: dict[tuple[str, str, str], str] = field(default_factory=dict)
    writers: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    repeated: Intent | None = None
    unsettled: tuple[str, ...] = ()


def _remembered(state: State, job_id: str, scope: str) -> _Remembered:
    values, writers = {}, {}
    for each in state.watermarks.find(job_id):
        if each.value is not None:
            at = (each.at.input, each.at.context, each.at.key)
            values[at] = each.value
            writers[at] = f"run {short_id(each.run_id)}" if each.run_id else each.origin
    left = next((intent for intent in state.intents.unfinished(job_id) if intent.scope == scope), None)
    written = {write.status for write in left.writes} if left else set()
    if left is None or written == {"planned"}:
        return _Remembered(values, writers)  # what was only planned is resolved anew
    if "writing" in written or written == {"written"}:
        told = f"run {short_id(left.run_id)} was interrupted: what it has written is looked up first"
        return _Remembered(values, writers, unsettled=(told,))
    return _Remembered(values, writers, left)


def _of_keys(increment: Increment, known: KnownValues, remembered: _Remembered) -> list[str]:
    """Return a line a key, and the query of the window."""
    lines, values, empty = [], {}, None
    for key in increment.keys:
        value, origin = _value(key, known)
        if origin == "stored":
            origin = f"stored by {remembered.writers[increment.input, increment.context, key.name]}"
        elif origin == "repeated" and remembered.repeated:
            origin = f"of run {short_id(remembered.repeated.run_id)}, which wrote a part of its outputs"
        if value is None and known.repeated is not None and key.name in known.repeated:
            empty = key.name
            lines.append(f"{key.name} has no value, {origin}")
            continue
        lines.append(f"{key.name}: {origin}" if value is None else f"{key.name} = {value}, {origin}")
        values[key.name] = f"$|{key.name}|" if value is None else value
    if empty is not None:
        return [*lines, f"reads nothing: the query of {empty} gave no value"]
    return [*lines, f"reads {' '.join(substitute(increment.sql, values).split())}"]


def _value(key: PlannedKey, known: KnownValues) -> tuple[str | None, str]:
    """Return the value of a key, and where it comes from; None where only its query tells it, or it gave none."""
    value, origin = known.of(key) or (None, f"asked by {' '.join((key.sql or '').split())}")
    return value, "its default, since nothing is stored" if origin == "default" else origin
