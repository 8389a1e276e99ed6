"""Inputs by `query`: a database answers what means the same there, the job's engine everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import ReadRequest, StoreQuery, Target
from dataos_dagster.errors import AddressError, NotYetRun, StepError
from dataos_dagster.flare.inputs import PlannedInput
from dataos_dagster.flare.locations import job_location, location_in_text
from dataos_dagster.flare.relations import NOT_RUN, SqlRefused
from dataos_dagster.flare.sql import parse_statement
from dataos_dagster.flare.steps import PlannedStep
from dataos_dagster.flare.trino import parse_trino

if TYPE_CHECKING:
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.flare.manifest import FlareInput
    from dataos_dagster.flare.relations import Relation
    from dataos_dagster.flare.trino import TrinoQuery
    from dataos_dagster.flare.views import Views
    from dataos_dagster.workflows.jobs import Job

# The family of depots whose databases answer queries themselves.
_ANSWERING = "postgresql"


def plan_query(
    job: Job, index: int, entry: FlareInput, views: Views, catalog: DepotCatalog
) -> PlannedInput | PlannedStep:
    """Return one input by `query`, resolved; its view is known to steps from here on.

    A query over one PostgreSQL depot that any database answers alike is an input that PostgreSQL answers. Every other
    one is a step in front of all others, over the datasets that it names; the engine runs it in Spark's SQL.

    Raises:
        StepError: It is no query, names what is no dataset, or the input is incremental.
        NotYetRun: Spark may return something else than the platform's query engine.
    """
    label = f'inputs[{index}] "{entry.name}"'
    path = ("inputs", index, "query")
    text = entry.query or ""
    if entry.incremental is not None:
        raise StepError(
            f"{label}: `incremental` bounds a dataset, and this input is a query",
            step=label,
            hint="write `dataset:`, and the query as `incremental.sql` over its context",
            location=job_location(job, "inputs", index, "incremental"),
        )
    try:
        query = parse_trino(text)
        return _answered_there(job, index, entry, query, views, catalog) or _step(job, index, entry, query, views)
    except SqlRefused as refused:
        place = location_in_text(job, path, text, refused.line, refused.column, refused.length)
        if refused.code == NOT_RUN:
            raise NotYetRun(f"{label}: {refused.message}", hint=refused.hint, location=place) from None
        raise StepError(
            f"{label}: {refused.message}", step=label, sql=text, hint=refused.hint, location=place
        ) from None


def why_not_run(entry: FlareInput) -> str | None:
    """Return why an input's query is not run here although it may well be right; None where it is, or is wrong."""
    try:
        parse_trino(entry.query or "")
    except SqlRefused as refused:
        return refused.message if refused.code == NOT_RUN else None
    return None


def query_notes(entry: FlareInput) -> tuple[str, ...]:
    """Return what is done otherwise than a query's input says."""
    notes = []
    if entry.options:
        ignored = ", ".join(sorted(entry.options))
        notes.append(f"input {entry.name!r}: {ignored} are for the platform's query engine, which is not asked")
    return tuple(notes)


def datasets_of_query(text: str) -> tuple[Address, ...]:
    """Return the datasets that an input's query names.

    Raises:
        SqlRefused: It is no query over datasets.
        AddressError: A name is none of a dataset.
    """
    return tuple(dict.fromkeys(map(_address, parse_trino(text).relations)))


def _answered_there(
    job: Job, index: int, entry: FlareInput, query: TrinoQuery, views: Views, catalog: DepotCatalog
) -> PlannedInput | None:
    """Return the query as an input that its database answers, or None where it does not."""
    depots = {relation.parts[0].lower() for relation in query.relations}
    known = {depot.name: depot for depot in catalog}
    if len(depots) != 1 or not depots <= known.keys() or not query.is_plain:
        return None
    depot = known[depots.pop()]
    if depot.family != _ANSWERING or any(len(relation.parts) != len(_PARTS) for relation in query.relations):
        return None
    sql = query.as_postgresql(lambda relation: (relation.parts[1], relation.parts[2]))
    location = job_location(job, "inputs", index, "query")
    request = ReadRequest(
        Target(address=Address(depot.name)),
        location=location,
        query=StoreQuery(sql, tuple(dict.fromkeys(map(_address, query.relations)))),
    )
    views.add(entry.name)
    return PlannedInput(f'inputs[{index}] "{entry.name}"', entry.name, request, location)


_PARTS = ("depot", "schema", "table")


def _step(job: Job, index: int, entry: FlareInput, query: TrinoQuery, views: Views) -> PlannedStep:
    path = ("inputs", index, "query")
    text = entry.query or ""

    def view_of(relation: Relation) -> str:
        length = relation.end - relation.start
        try:
            place = location_in_text(job, path, text, relation.line, relation.column, length)
            return views.implicit_view(relation, place)
        except AddressError as error:
            raise relation.refused(error.message, error.hint) from None

    statement = parse_statement(query.as_spark(view_of))
    return PlannedStep(
        label=f'inputs[{index}] "{entry.name}"',
        name=views.add(entry.name),
        # Places in what was translated are none in the manifest: the whole query stands for them.
        text=statement.sql,
        statement=statement,
        sql=statement.sql,
        functions=(),
        places=(),
        commands=(),
        location=job_location(job, *path),
        path=path,
        job=job,
    )


def _address(relation: Relation) -> Address:
    return Address.parse(".".join(f'"{part}"' for part in relation.parts))
