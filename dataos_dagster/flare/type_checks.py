"""A second look, with the types of columns known, at what the plan took to be equal on Sail.

A plan that chooses Sail may have had to assume types: they are known when views are registered. All of it is looked at
before the first output is written, so that a job that does not suit Sail can still start again on Spark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.requests import ReadRequest
from dataos_dagster.engines.routing import constructs_of, unproven
from dataos_dagster.errors import DatasetNotFound
from dataos_dagster.flare.actions.conditions import TABLE
from dataos_dagster.flare.actions.conditions import check_columns as check_condition
from dataos_dagster.flare.assertions.columns import check_columns
from dataos_dagster.flare.functions.function import EngineUnsuited
from dataos_dagster.flare.merging import merge_statement
from dataos_dagster.flare.udfs import without_own

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.functions.function import Function
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.workflows.context import RunContext

# What the rows before a function are called where its SQL is looked at; nothing is registered under it.
_ROWS = "rows_before"


@dataclass
class TypeChecks:
    """The checks of one run.

    Attributes:
        note: Told what is not proven equal when the job cannot move to another engine.
        types: Spark types by view and column, as far as they are needed.
    """

    plan: JobPlan
    note: Callable[[str], None]
    types: dict[str, dict[str, str]] = field(default_factory=dict)

    def know(self, name: str, frame: DataFrame) -> None:
        """Remember the types of a view where the plan had to assume some; the engine is asked for nothing else."""
        if self.plan.route.assumed:
            self.types[name] = _types(frame)

    def query(self, sql: str, label: str, location: Location) -> None:
        """Look again at a query over views that are known.

        Raises:
            EngineUnsuited: With these types it is not known to be equal, and another engine may be chosen.
        """
        if self.plan.route.assumed:
            found = unproven(constructs_of(sql, self.types), assume=False)
            self._refuse(tuple(without_own(found, self.plan.spec.job.udfs)), label, location)

    def function(self, function: Function, frame: DataFrame, place: Location) -> None:
        """Look again at what a function does, now that the types of the rows before it are known.

        Raises:
            EngineUnsuited: As for the step's SQL.
        """
        if not self.plan.route.assumed or not function.statements:
            return
        rows = {_ROWS: _types(frame)}
        for statement in function.statements:
            found = unproven(constructs_of(f"{statement}\nFROM {_ROWS}", rows), assume=False)
            self._refuse(found, f"function {function.name}", place)

    def merges(self, context: RunContext, session: EngineSession) -> None:
        """Look again at what merges compare and compute, now that both sides are known, before anything is written.

        Raises:
            EngineUnsuited: As for the SQL of steps.
        """
        for output in self.plan.outputs:
            if output.request.merge is None or not self.plan.route.assumed:
                continue
            read = ReadRequest(output.request.target, format=output.request.format, acl="rw")
            try:
                old = context.door.read(read, session, context.principal)
            except DatasetNotFound:
                continue  # the merge makes the table with every row
            with session.failures(output.location):
                new = session.spark.table(self.plan.views[output.name.lower()])
                types = {"old": _types(old), "new": _types(new)}
            found = unproven(constructs_of(merge_statement(output.request.merge), types), assume=False)
            self._refuse(found, output.label, output.location)

    def conditions(self, context: RunContext, session: EngineSession) -> None:
        """Look again at what conditions of actions compare, before anything is deleted or written.

        Raises:
            StepError: A condition speaks of a column that is not there.
            EngineUnsuited: As for the SQL of steps.
        """
        for action in self.plan.actions:
            if action.condition is None:
                continue
            read = ReadRequest(action.request.target, format=action.request.format, acl="rw")
            frame = context.door.read(read, session, context.principal)
            with session.failures(action.location):
                types = {**self.types, TABLE: _types(frame)}
            check_condition(action, {name.lower(): columns for name, columns in types.items()})
            if not self.plan.route.assumed or not action.deletes_rows:
                continue
            found = unproven(constructs_of(action.condition.query, types), assume=False)
            self._refuse(tuple(without_own(found, self.plan.spec.job.udfs)), action.label, action.location)

    def assertions(self) -> None:
        """Look again at what all assertions ask, those of later outputs too: a job that has written cannot move.

        Raises:
            StepError: One speaks of a column that is not there.
            EngineUnsuited: As for the SQL of steps.
        """
        for planned in self.plan.assertions:
            for query in planned.queries:
                check_columns(self.plan.job, planned, query, self.types)
                typed = query.knowing(self.types.get(query.view or "", {}))
                self.query(typed.sql, planned.label, query.location)

    def _refuse(self, found: tuple[Construct, ...], label: str, location: Location) -> None:
        if not found:
            return
        told = ", ".join(dict.fromkeys(construct.name for construct in found))
        message = f"{label}: not proven equal on Sail for the types of its columns: {told}"
        if self.plan.can_move:
            raise EngineUnsuited(message, location=location)
        self.note(message)


def _types(frame: DataFrame) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema.fields}
