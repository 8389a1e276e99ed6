"""What a profile will ask, decided before any data is touched; the columns are known only when it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.engines.routing import constructs_of
from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.profile.statistics import rows_query
from dataos_dagster.flare.sql import parse_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import FlareJob
    from dataos_dagster.workflows.jobs import Job

LABEL = "profile"
# Columns of every kind that is asked something of its own.
_SAMPLE = (("a", "double"), ("b", "array<int>"))


@dataclass(frozen=True, slots=True)
class PlannedProfile:
    """The profile of the first input of a job."""

    view: str
    dataset: str
    address: Address | None
    filters: tuple[str, ...]
    location: Location

    @property
    def constructs(self) -> Iterator[Construct]:
        """Yield what the query will use of SQL, for columns of every kind."""
        for construct in constructs_of(rows_query(self.view, _SAMPLE, self.filters)):
            yield replace(construct, line=self.location.line, column=self.location.column)


def plan_profile(job: Job, spec: FlareJob, inputs: Sequence[PlannedInput]) -> PlannedProfile | None:
    """Return the profile that a job asks for, or None.

    Raises:
        StepError: The job reads nothing, or a filter is no condition over the columns of its rows.
    """
    if spec.profile is None:
        return None
    location = job_location(job, "profile")
    if not inputs and not spec.inputs:
        raise StepError("profile: the job reads nothing", step=LABEL, location=location)
    for index, condition in enumerate(spec.profile.filters):
        try:
            parse_expression(f"({condition.expression}) AS holds")
        except ValueError as error:
            place = job_location(job, "profile", "filters", index, "expression")
            raise StepError(f"profile: {error}", step=LABEL, sql=condition.expression, location=place) from None
    filters = tuple(condition.expression for condition in spec.profile.filters)
    if spec.inputs[:1] and spec.inputs[0].query is not None:
        name = spec.inputs[0].name
        return PlannedProfile(name, f"the view {name}", None, filters, location)
    first = inputs[0]
    return PlannedProfile(first.view, first.dataset, first.address, filters, location)
