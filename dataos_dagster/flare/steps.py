"""The steps of a job, resolved against its views before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.errors import StepError, UnknownFile
from dataos_dagster.flare.functions.registry import ParameterError, read_function
from dataos_dagster.flare.joining import JOINER, join_query
from dataos_dagster.flare.locations import job_location, job_value, location_in_text
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import Statement, parse_statement
from dataos_dagster.flare.view_names import resolve_names
from dataos_dagster.manifests.spelling import fold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dataos_dagster.errors import Location
    from dataos_dagster.flare.functions.function import Function
    from dataos_dagster.flare.manifest import Command, SequenceItem
    from dataos_dagster.flare.views import Views
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.workflows.jobs import Job

# How the parameters of functions begin that name columns which have to be there, without marks and capitals.
_OF_COLUMNS = ("column", "fromcolumn", "groupby", "pivotcolumns")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One item of a sequence, resolved.

    Attributes:
        label: What it is called in messages: `steps[0].sequence[1] "daily"`.
        name: View that the result becomes, as the session knows it.
        text: Its SQL as the manifest has it, in which lines and columns count.
        statement: Its SQL, parsed.
        sql: What the engine is given: the manifest's SQL, with implicit inputs replaced by their views.
        functions: Applied in order to the result.
        places: Where each function stands.
        location: Where the SQL begins.
        path: Of the SQL, below the manifest's `job:`.
    """

    label: str
    name: str
    text: str = field(repr=False)
    statement: Statement
    sql: str
    functions: tuple[Function, ...]
    places: tuple[Location, ...]
    commands: tuple[Command, ...]
    location: Location
    path: DocumentPath
    job: Job = field(repr=False)

    def at(self, line: int, column: int, length: int = 1) -> Location:
        """Return the place in the manifest of a part of the SQL."""
        return location_in_text(self.job, self.path, self.text, line, column, length)

    @property
    def is_as_written(self) -> bool:
        """Return whether lines and columns of `sql` are those of the manifest's text."""
        return self.text.lower().startswith(self.sql.lower())

    def place_in_function(self, index: int, word: str) -> Location:
        """Return where a parameter of a function says a word, or where the function stands when none does."""
        path = (*self.path[:-1], "functions", index)
        # Where columns stand with values, as in `columns: {price: int}`, they are the keys.
        places = [place for place in _places_of(word, job_value(self.job, *path)) if place[0] != ("name",)]
        if not places:
            return self.places[index]
        way, is_key = max(places, key=lambda place: (place[1], _holds_columns(place[0][0])))
        return job_location(self.job, *path, *way, key=is_key)


def plan_step(job: Job, path: DocumentPath, item: SequenceItem, views: Views) -> PlannedStep:
    """Return one item of a sequence, resolved; its view is known to later steps from here on.

    Args:
        job: The job it belongs to.
        path: Of the item, below the manifest's `job:`.
        item: As the manifest has it.
        views: Views of inputs and earlier steps.

    Raises:
        StepError: The SQL is no query, reads what is no view and no dataset, or a function is wrong.
    """
    label = f'steps[{path[1]}].sequence[{path[3]}] "{item.name}"'
    sql_path = (*path, "sql" if item.sql is not None else "params")
    text = _query_of(job, path, item, label)
    try:
        statement = parse_statement(text)
        sql = resolve_names(
            statement, views, label=label, text=text, place=lambda *place: location_in_text(job, sql_path, text, *place)
        )
    except SqlRefused as refused:
        location = location_in_text(job, sql_path, text, refused.line, refused.column, refused.length)
        raise StepError(
            f"{label}: {refused.message}", step=label, sql=text, hint=refused.hint, location=location
        ) from None
    functions, places = _functions(job, path, item, label)
    name = statement.target if statement.kind == "query" and statement.target else item.name
    return PlannedStep(
        label=label,
        name=views.add(name) if statement.kind == "query" else name,
        text=text,
        statement=statement,
        sql=sql,
        functions=functions,
        places=places,
        commands=item.commands,
        location=job_location(job, *sql_path),
        path=sql_path,
        job=job,
    )


def _query_of(job: Job, path: DocumentPath, item: SequenceItem, label: str) -> str:
    """Return the query of an item: its SQL, or what its declared join means."""
    if item.sql is not None:
        return item.sql
    if item.sql_file is not None:
        raise UnknownFile(
            f"{label}: there is no file {item.sql_file!r}",
            step=label,
            location=job_location(job, *path, "sqlFile"),
            hint="a relative path counts from the manifest's folder, then from the working directory",
        )
    if item.classpath != JOINER:
        raise StepError(
            f"{label} has no SQL",
            step=label,
            location=job_location(job, *path, "name"),
            hint="write `sql: SELECT … FROM <view>`, or `sqlFile:`",
        )
    try:
        return join_query(item.params)
    except SqlRefused as refused:
        location = job_location(job, *path, "params")
        raise StepError(f"{label}: {refused.message}", step=label, hint=refused.hint, location=location) from None


def _functions(
    job: Job, path: DocumentPath, item: SequenceItem, label: str
) -> tuple[tuple[Function, ...], tuple[Location, ...]]:
    functions, places = [], []
    for index, call in enumerate(item.functions):
        place = (*path, "functions", index)
        try:
            functions.append(read_function(call.name, call.parameters))
        except ParameterError as error:
            # A manifest that was checked has no such mistake, and was told all of them.
            location = job_location(job, *place, *error.path, key=error.at_key)
            raise StepError(f"{label}: {error}", step=label, location=location, hint=error.hint or None) from None
        places.append(job_location(job, *place, "name"))
    return tuple(functions), tuple(places)


def _places_of(word: str, value: Any, way: DocumentPath = ()) -> Iterator[tuple[DocumentPath, bool]]:
    """Yield ways to values that are a word, and to keys, which the second item tells; no names of parameters."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if way and str(key) == word:
                yield (*way, key), True
            yield from _places_of(word, inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places_of(word, inner, (*way, index))
    elif str(value) == word:
        yield way, False


def _holds_columns(parameter: str | int) -> bool:
    """Return whether a parameter of a function names columns that have to be there."""
    return fold(str(parameter)).startswith(_OF_COLUMNS)


def caching_notes(step: PlannedStep) -> tuple[str, ...]:
    """Return what Sail leaves out of a step: it keeps no view in memory."""
    kind = step.statement.kind
    left_out = [kind.upper()] if kind != "query" else []
    left_out += ["CACHE"] if step.statement.target and kind == "query" else []
    left_out += [command.name for command in step.commands]
    return tuple(f"{step.label}: {word} has no effect on Sail" for word in left_out)
