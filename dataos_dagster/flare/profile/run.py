"""Profile the view of a dataset on a session."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.profile.statistics import (
    ROWS,
    borders_of,
    histogram_query,
    read_bins,
    read_columns,
    statistics_query,
)
from dataos_dagster.workflows.profiles import ProfileResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.profile.plan import PlannedProfile


def profile(planned: PlannedProfile, session: EngineSession, check: Callable[[str], None]) -> ProfileResult:
    """Return the profile of all columns: two queries over the data, whatever the number of columns.

    Args:
        planned: What is profiled.
        session: Where its view is.
        check: Looks at each query before it runs, now that the types of the columns are known.

    Raises:
        StatementFailed: The engine refuses a filter, or cannot read the data.
    """
    started = time.perf_counter()

    def ask(sql: str) -> dict[str, Any]:
        check(sql)
        [row] = session.spark.sql(sql).collect()
        found: dict[str, Any] = row.asDict()
        return found

    with session.failures(planned.location):
        schema = session.spark.table(planned.view).schema
        fields = [(field.name, field.dataType.simpleString()) for field in schema.fields]
        row = ask(statistics_query(planned.view, fields, planned.filters))
        columns = read_columns(row, fields)
        borders = {column.name: found for column in columns if (found := borders_of(column))}
        bins = read_bins(ask(histogram_query(planned.view, borders, planned.filters)), borders) if borders else {}
    return ProfileResult(
        planned.dataset,
        planned.address,
        planned.filters,
        int(row[ROWS]),
        tuple(replace(column, bins=bins.get(column.name, ())) for column in columns),
        time.perf_counter() - started,
    )
