"""When the assertions of a job that reads a stream are looked at.

No query sees all rows of a view that grows. One that is written is looked at as each of its micro-batches is about to
be; of another one only a stream that ends can tell everything, by reading its sources whole when it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import StepError
from dataos_dagster.flare.sql import parse_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dataos_dagster.flare.assertions.plan import PlannedAssertions, PlannedQuery
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.steps import PlannedStep


@dataclass(frozen=True, slots=True)
class StreamedAssertions:
    """The assertions of a job, by when they are looked at.

    Attributes:
        first: About views that do not grow: once, before anything is written.
        batches: For each output those that look at a micro-batch before it is written.
        last: About all rows of views that grow: when the stream has ended.
    """

    first: tuple[PlannedAssertions, ...] = ()
    batches: tuple[tuple[PlannedAssertions, ...], ...] = ()
    last: tuple[PlannedAssertions, ...] = ()


@dataclass(frozen=True, slots=True)
class GrowingViews:
    """The views of a job whose rows come without an end, by their lower-case names."""

    names: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, inputs: Iterable[PlannedInput], steps: Iterable[PlannedStep]) -> GrowingViews:
        """Return those of the inputs that are streams, and of the steps that read such a view."""
        names = {planned.name.lower() for planned in inputs if planned.request.stream}
        for step in steps:
            if step.statement.kind != "query":
                continue
            # A step may take the name of an earlier view.
            grows = any(relation.name.lower() in names for relation in step.statement.relations)
            (names.add if grows else names.discard)(step.name.lower())
        return cls(frozenset(names))

    def read_by(self, query: PlannedQuery) -> frozenset[str]:
        """Return which of them the query of an assertion reads."""
        return self.names & {relation.name.lower() for relation in parse_statement(query.sql).relations}


def streamed_assertions(
    assertions: Iterable[PlannedAssertions], outputs: Sequence[PlannedOutput], growing: GrowingViews
) -> StreamedAssertions:
    """Return when each of a job's assertions is looked at.

    Raises:
        StepError: An assertion in front of an output reads another view that grows.
    """
    planned = tuple(assertions)
    of_job = tuple(each for each in planned if each.output is None)
    written = {output.name.lower() for output in outputs}

    def needs_all_rows(query: PlannedQuery) -> bool:
        read = growing.read_by(query)
        return len(read) > 1 or not read <= written

    batches = []
    for position, output in enumerate(outputs):
        own = tuple(each for each in planned if each.output == position)
        for each in own:
            _refuse_others(each, output, growing)
        batches.append((*_about(output, of_job, growing), *own))
    return StreamedAssertions(
        first=_asking(of_job, lambda query: not growing.read_by(query)),
        batches=tuple(batches),
        last=_asking(of_job, needs_all_rows),
    )


def _about(
    output: PlannedOutput, assertions: Iterable[PlannedAssertions], growing: GrowingViews
) -> tuple[PlannedAssertions, ...]:
    """Return those that need no other view that grows than that of an output."""
    return _asking(assertions, lambda query: growing.read_by(query) == {output.name.lower()})


def _asking(
    assertions: Iterable[PlannedAssertions], wanted: Callable[[PlannedQuery], bool]
) -> tuple[PlannedAssertions, ...]:
    """Return assertions with those of their queries that are wanted; those that have none are left out."""
    found = (replace(each, queries=tuple(filter(wanted, each.queries))) for each in assertions)
    return tuple(each for each in found if each.queries)


def _refuse_others(planned: PlannedAssertions, output: PlannedOutput, growing: GrowingViews) -> None:
    for query in planned.queries:
        others = growing.read_by(query) - {output.name.lower()}
        if others:
            raise StepError(
                f"{planned.label}: of the view {', '.join(sorted(others))} no query sees all rows, because it is read "
                "as a stream",
                step=planned.label,
                location=query.location,
                hint=f"ask the view {output.name}, which stands for the micro-batch that is about to be written",
            )
