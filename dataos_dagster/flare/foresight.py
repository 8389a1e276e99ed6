"""What a job's SQL will meet, looked up before an engine is started that takes long to start.

The embedded engine opens inputs in milliseconds, and their columns tell two things early: a name that nothing can be
meant by, and an operation that is not proven equal on Sail for these types. No row is read for it: formats whose
columns only their rows tell are left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError
from dataos_dagster.flare.step_failures import misnamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.workflows.context import RunContext

# Their files or catalogs say which columns there are.
_SELF_DESCRIBING = frozenset({"iceberg", "parquet", "orc", "delta", "jdbc", "postgres", "postgresql"})
# With these, functions may come from elsewhere.
_OWN_FUNCTIONS = frozenset({"spark.sql.catalogImplementation", "spark.jars", "spark.jars.packages", "spark.plugins"})


def check_functions(plan: JobPlan) -> None:
    """Refuse functions that neither Spark has nor the job declares.

    Nothing is said where functions may come from elsewhere: an existing cluster, extensions, a Hive catalog.

    Raises:
        StepError: There is such a function; says where, and which may have been meant.
    """
    from dataos_dagster.engines.routing.names import unknown_functions

    given = {key for key, _ in plan.configuration.conf}
    if plan.engine == "connect" or plan.requested == "sail" or given & _OWN_FUNCTIONS:
        return
    for step in _queries(plan):
        for unknown in unknown_functions(step.sql, plan.spec.job.udfs):
            raise misnamed(step, unknown)


def columns_of_inputs(plan: JobPlan, context: RunContext) -> dict[str, dict[str, str]]:
    """Return Spark types by lower-case view and column of the inputs that Sail can open without reading rows.

    Args:
        plan: A plan on Sail.
        context: Of the run.
    """
    openable = [planned for planned in plan.inputs if _is_self_describing(planned, context.door.catalog)]
    if not openable:
        return {}
    try:
        with context.sessions.lease(plan.configuration) as session:
            found = {planned.name.lower(): _columns(planned, session, context) for planned in openable}
    except DataOSError:
        # Without Sail nothing is known beforehand; what is wrong with the engine is told by the job itself.
        return {}
    return {name: columns for name, columns in found.items() if columns}


def check_columns(plan: JobPlan, inputs: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse columns that no view of the job can give.

    Args:
        plan: The plan; its steps are followed as far as their text tells what comes out.
        inputs: Types by view and column of the inputs that are known, as `columns_of_inputs` returns them.

    Raises:
        StepError: There is such a column; says where, and which may have been meant.
    """
    from dataos_dagster.engines.routing.names import unknown_columns
    from dataos_dagster.flare.actions.conditions import TABLE
    from dataos_dagster.flare.actions.conditions import check_columns as check_condition

    for step, views in _followed(plan, inputs):
        for unknown in unknown_columns(step.sql, views):
            raise misnamed(step, unknown)
    for action in plan.actions:
        table = inputs.get(action.input.lower())
        if table:
            check_condition(action, {TABLE: table, **inputs})


def unproven_for_types(plan: JobPlan, inputs: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return what is not proven equal on Sail for the types of the inputs, each with its place.

    Args:
        plan: A plan on Sail.
        inputs: As for `check_columns`.
    """
    from dataos_dagster.engines.routing import constructs_of, unproven
    from dataos_dagster.flare.udfs import without_own

    found = list(_unproven_deletions(plan, inputs))
    found += [
        str(replace(construct, line=place.line, column=place.column))
        for step, views in _followed(plan, inputs)
        for construct in without_own(unproven(constructs_of(step.sql, views)), plan.spec.job.udfs)
        for place in [step.at(construct.line, construct.column) if step.is_as_written else step.location]
    ]
    return tuple(dict.fromkeys(found))


def _unproven_deletions(plan: JobPlan, inputs: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield what conditions of rows to delete use that is not proven equal for the types of their table."""
    from dataos_dagster.engines.routing import constructs_of, unproven
    from dataos_dagster.flare.actions.conditions import TABLE
    from dataos_dagster.flare.udfs import without_own

    for action in plan.actions:
        if action.condition is not None and action.deletes_rows:
            views = {TABLE: inputs.get(action.input.lower(), {}), **inputs}
            found = without_own(unproven(constructs_of(action.condition.query, views)), plan.spec.job.udfs)
            yield from (f"{construct.name} ({action.location})" for construct in found)


def _queries(plan: JobPlan) -> Iterator[PlannedStep]:
    return (step for step in plan.steps if step.statement.kind == "query")


def _followed(
    plan: JobPlan, inputs: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[PlannedStep, dict[str, dict[str, str]]]]:
    """Yield the steps in order, each with the views that are known when it runs."""
    from dataos_dagster.engines.routing.constructs import columns_of

    views = {name: dict(columns) for name, columns in inputs.items()}
    for step in _queries(plan):
        yield step, views
        # A function makes other columns.
        made = None if step.functions else columns_of(step.sql, views)
        if made is None:
            views.pop(step.name.lower(), None)
        else:
            views[step.name.lower()] = made


def _is_self_describing(planned: PlannedInput, catalog: DepotCatalog) -> bool:
    request = planned.request
    if planned.increment is not None or planned.schema is not None or request.stream:
        return False
    if request.schema is not None or (request.format or "").lower() in _SELF_DESCRIBING:
        return True
    if planned.address is None:
        return False
    depot = catalog.find(planned.address.depot)
    return request.format is None and (depot.is_lakehouse or (depot.format or depot.family) in _SELF_DESCRIBING)


def _columns(planned: PlannedInput, session: EngineSession, context: RunContext) -> dict[str, str]:
    """Return the columns of an input; none when it cannot be opened, such as a table that an earlier job will make."""
    try:
        frame = context.door.read(planned.request, session, context.principal)
        with session.failures(planned.location):
            return {field.name.lower(): field.dataType.simpleString() for field in frame.schema.fields}
    except DataOSError:
        return {}
