"""Whether the columns that assertions speak of are there, told in the words of the manifest.

Engines speak of the query that measures an assertion, which its author has never seen.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from dataos_dagster.engines.text_places import place_of
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location, location_in_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dataos_dagster.engines.routing.names import UnknownName
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.assertions.naming import NamedTest
    from dataos_dagster.flare.assertions.plan import PlannedAssertions, PlannedQuery
    from dataos_dagster.workflows.jobs import Job

_SHOWN_COLUMNS = 30


def check_columns(
    job: Job, planned: PlannedAssertions, query: PlannedQuery, views: Mapping[str, Collection[str]]
) -> None:
    """Refuse a query of assertions that speaks of a column which is not there.

    Args:
        job: Whose manifest has them.
        planned: The assertions.
        query: One of their queries.
        views: Names of columns by view, as far as they are known.

    Raises:
        StepError: There is no such column; says where, and which may have been meant.
    """
    from dataos_dagster.engines.routing.names import unknown_columns

    known = {name.lower(): columns for name, columns in views.items()}
    if query.view is not None:
        columns = known.get(query.view.lower())
        for test in query.tests if columns is not None else ():
            name = test.assertion.column or ""
            if name.lower() not in {column.lower() for column in columns or ()}:
                raise _misnamed(planned, name, columns or (), job_location(job, *test.path[:-2], "column"))
    lowered = {name: [column.lower() for column in columns] for name, columns in known.items()}
    for unknown in unknown_columns(query.sql, lowered):
        for location in _places(job, query.tests, unknown):
            raise _misnamed(planned, unknown.name, unknown.known, location)


def _places(job: Job, tests: Collection[NamedTest], unknown: UnknownName) -> Iterator[Location]:
    """Yield where the manifest speaks of a column: in a filter, or in SQL of its own."""
    for test in tests:
        for key in ("filter", "sql"):
            text = getattr(test.assertion, key) or ""
            found = re.search(rf"\b{re.escape(unknown.name)}\b", text, re.IGNORECASE)
            if found is not None:
                start, end = found.span()
                yield location_in_text(job, (*test.path[:-2], key), text, *place_of(text, start), end - start)


def _misnamed(planned: PlannedAssertions, name: str, columns: Collection[str], location: Location) -> StepError:
    close = difflib.get_close_matches(name.lower(), sorted(column.lower() for column in columns), n=1)
    more = ", …" if len(columns) > _SHOWN_COLUMNS else ""
    return StepError(
        f"{planned.label}: {planned.about} has no column {name!r}",
        step=planned.label,
        hint=f"did you mean {close[0]!r}?" if close else f"columns: {', '.join([*columns][:_SHOWN_COLUMNS])}{more}",
        location=location,
    )
