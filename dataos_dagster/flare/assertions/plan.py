"""What the assertions of a job will ask its views, decided before any data is touched."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.engines.routing import constructs_of
from dataos_dagster.errors import StepError, UnknownView
from dataos_dagster.flare.assertions.metrics import expression_of
from dataos_dagster.flare.assertions.naming import NamedTest, named_tests
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import parse_statement, replace_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareJob
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.flare.views import Views
    from dataos_dagster.workflows.jobs import Job


# In front of the name of what is no dataset.
_VIEW = "the view "


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """One query, and the tests of the values in its first row.

    Attributes:
        sql: What the engine is given.
        columns: The column of each test: names of the query's result, or aliases of ours.
        view: Whose columns it measures; None for a query of the manifest's own.
    """

    sql: str = field(repr=False)
    tests: tuple[NamedTest, ...]
    columns: tuple[str, ...]
    location: Location
    view: str | None = None

    def knowing(self, types: Mapping[str, str]) -> PlannedQuery:
        """Return the query with what needs no conversion left unconverted, once the types of the columns are known.

        Args:
            types: As `simpleString` writes them, by column; empty where they are not known.
        """
        return self if self.view is None or not types else replace(self, sql=_measuring(self.tests, self.view, types))

    @property
    def constructs(self) -> Iterator[Construct]:
        """Yield what the query uses of SQL, at the place of its assertion."""
        for construct in constructs_of(self.sql):
            yield replace(construct, line=self.location.line, column=self.location.column)


@dataclass(frozen=True, slots=True)
class PlannedAssertions:
    """The assertions about one view.

    Attributes:
        label: What they are called in messages.
        output: Position of the output that they stand in front of; None for those of the job.
        dataset: What the view is, for people: an address, or a view of the job.
        address: The dataset, where the view is one or becomes one.
        queries: All metrics of columns are one query, each assertion with SQL of its own is another.
    """

    label: str
    output: int | None
    dataset: str
    address: Address | None
    queries: tuple[PlannedQuery, ...]
    location: Location

    @property
    def about(self) -> str:
        """Return what was tested, as a sentence names it."""
        return self.dataset if self.dataset.startswith(_VIEW) else f"dataset {self.dataset}"


def plan_assertions(
    job: Job,
    spec: FlareJob,
    inputs: Sequence[PlannedInput],
    steps: Sequence[PlannedStep],
    outputs: Sequence[PlannedOutput],
    views: Views,
) -> tuple[PlannedAssertions, ...]:
    """Return the assertions of a job and of its outputs.

    Those of the job are about the view of its last step, or about its first input when it has no steps.

    Raises:
        StepError: SQL reads what is no view, or the job reads nothing.
    """
    planned = []
    for output, found in groupby(named_tests(spec), key=lambda test: test.output):
        tests = tuple(found)
        location = job_location(job, *tests[0].path[:-3])
        if output is not None:
            to = outputs[output]
            label, view, dataset, address = f"assertions of {to.label}", to.name, to.dataset, to.address
        elif steps:
            label, view, dataset, address = "assertions", steps[-1].name, f"{_VIEW}{steps[-1].name}", None
        elif inputs:
            label, view, dataset, address = "assertions", inputs[0].view, inputs[0].dataset, inputs[0].address
        else:
            raise StepError("assertions: the job reads nothing", step="assertions", location=location)
        name = views.find(view) or view
        queries = tuple(_queries(job, tests, name, views, label))
        planned.append(PlannedAssertions(label, output, dataset, address, queries, location))
    return tuple(planned)


def _queries(job: Job, tests: Iterable[NamedTest], view: str, views: Views, label: str) -> Iterator[PlannedQuery]:
    columns: list[NamedTest] = []
    for _, found in groupby(tests, key=lambda test: test.path[:-2]):
        group = tuple(found)
        if group[0].assertion.sql is None:
            columns += group
        else:
            yield _own_query(job, group, views, label)
    if columns:
        yield _query_of_columns(job, tuple(columns), view, label)


def _query_of_columns(job: Job, tests: tuple[NamedTest, ...], view: str, label: str) -> PlannedQuery:
    location = job_location(job, *tests[0].path[:-2])
    sql = _checked(_measuring(tests, view, {}), label, location, None)
    return PlannedQuery(sql, tests, _aliases(tests), location, view)


def _aliases(tests: Sequence[NamedTest]) -> tuple[str, ...]:
    return tuple(f"metric_{number}" for number in range(len(tests)))


def _measuring(tests: Sequence[NamedTest], view: str, types: Mapping[str, str]) -> str:
    """Return a query over a view that measures what the tests compare, each under its alias."""
    known = {column.lower(): name for column, name in types.items()}
    listed = ",\n  ".join(
        f"{expression_of(test.metric, test.assertion, known.get((test.assertion.column or '').lower()))} AS {alias}"
        for test, alias in zip(tests, _aliases(tests), strict=True)
    )
    return f"SELECT\n  {listed}\nFROM {quoted(view)}"


def _own_query(job: Job, tests: tuple[NamedTest, ...], views: Views, label: str) -> PlannedQuery:
    location = job_location(job, *tests[0].path[:-2], "sql")
    sql = _checked(tests[0].assertion.sql or "", label, location, views)
    return PlannedQuery(sql, tests, tuple(test.metric for test in tests), location)


def _checked(sql: str, label: str, location: Location, views: Views | None) -> str:
    """Return SQL that reads nothing but views of the job, which it names as the session does; None trusts its views.

    Raises:
        StepError: It does not parse, is no query, or reads something else.
    """
    try:
        statement = parse_statement(sql)
    except SqlRefused as refused:
        raise StepError(
            f"{label}: {refused.message}", step=label, sql=sql, hint=refused.hint, location=location
        ) from None
    if views is None:
        return statement.sql
    named = {}
    for relation in statement.relations:
        view = views.find(relation.name)
        if view is None:
            message = f"{label}: there is no view {relation.name!r}"
            hint = views.closest(relation.name)
            unknown = UnknownView(message, step=label, sql=sql, hint=hint, location=location)
            view = views.stand_in(relation.name, unknown)
        named[relation.start, relation.end] = quoted(view)
    return replace_spans(statement.sql, named)
