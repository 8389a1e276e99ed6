"""What a plan uses of SQL, at the lines of the manifest: the engine is chosen by it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.engines.routing import constructs_of
from dataos_dagster.flare.udfs import without_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.plan_parts import Parts
    from dataos_dagster.flare.steps import PlannedStep


def constructs_of_parts(parts: Parts, spec: FlareSpec) -> Iterator[Construct]:
    """Yield what a job uses of SQL; functions of its own run everywhere."""
    yield from constructs_of_increments(parts.inputs)
    yield from without_own(constructs_of_steps(parts.steps), spec.job.udfs)
    for output in parts.outputs:
        yield from output.constructs
    for each in parts.assertions:
        for query in each.queries:
            yield from query.constructs
    for action in parts.actions:
        yield from without_own(action.constructs, spec.job.udfs)
    if parts.profile is not None:
        yield from parts.profile.constructs


def constructs_of_steps(steps: tuple[PlannedStep, ...]) -> Iterator[Construct]:
    """Yield what the steps use of SQL, at the lines of the manifest."""
    for step in steps:
        if step.statement.kind == "query":
            for construct in constructs_of(step.statement.sql):
                place = step.at(construct.line, construct.column)
                yield replace(construct, line=place.line, column=place.column)
        for function, place in zip(step.functions, step.places, strict=True):
            for statement in function.statements:
                for construct in constructs_of(statement):
                    yield replace(construct, line=place.line, column=place.column)


def constructs_of_increments(inputs: tuple[PlannedInput, ...]) -> Iterator[Construct]:
    """Yield what the queries of incremental inputs use of SQL, with stand-ins for the values of their keys."""
    for planned in inputs:
        if planned.increment is not None:
            place = planned.increment.location
            for statement in planned.increment.samples():
                for construct in constructs_of(statement.sql):
                    yield replace(construct, line=place.line, column=place.column)
