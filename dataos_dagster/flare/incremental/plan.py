"""What an incremental input will do, resolved against the manifest before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.errors import StepError
from dataos_dagster.flare.incremental.placeholders import PlaceholderRefused, substitute
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.relations import SqlRefused
from dataos_dagster.flare.sql import parse_query, parse_statement, replace_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.errors import Location
    from dataos_dagster.flare.manifest import FlareInput
    from dataos_dagster.flare.manifest.inputs import Incremental
    from dataos_dagster.flare.sql import Statement
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.state.watermarks import WatermarkKey
    from dataos_dagster.workflows.jobs import Job

# What stands for a value that is not known yet, where a query is only looked at: text in quotes, a number outside.
_SAMPLE = "0"


@dataclass(frozen=True, slots=True)
class PlannedKey:
    """A key of an incremental input.

    Attributes:
        sql: Query that returns its value when none is stored.
        default: Its value when none is stored, in place of a query.
    """

    name: str
    sql: str | None
    default: str | None
    path: DocumentPath


@dataclass(frozen=True, slots=True)
class Increment:
    """How an input reads what is new.

    Attributes:
        label: `inputs[0] "orders"`.
        input: Name of the input, which is the view of what is new.
        context: Name under which its queries know the whole dataset.
        view: Name of the whole dataset's view on the session: contexts of two inputs may be called the same.
        keys: In the order in which they are evaluated.
        state: Key to the key whose value becomes its next one.
    """

    job: Job = field(repr=False)
    label: str
    input: str
    context: str
    view: str
    sql: str
    keys: tuple[PlannedKey, ...]
    state: Mapping[str, str]
    path: DocumentPath

    @property
    def location(self) -> Location:
        """Return where its query stands."""
        return job_location(self.job, *self.path, "sql")

    def at(self, key: str) -> WatermarkKey:
        """Return what the value of a key is kept under."""
        # SQLAlchemy is half a second of loading a project, which plans nothing.
        from dataos_dagster.state.watermarks import WatermarkKey

        return WatermarkKey(self.job.id, self.input, self.context, key)

    def statement(self, values: Mapping[str, str]) -> Statement:
        """Return its query with values, as the session is to run it.

        Raises:
            StepError: It is no query, or reads more than the context.
        """
        return self._parsed(self.sql, values, (*self.path, "sql"), self.label)

    def key_statement(self, key: PlannedKey, values: Mapping[str, str]) -> Statement:
        """Return a key's query with the values of the keys before it.

        Raises:
            StepError: It is no query, or reads more than the context.
        """
        assert key.sql is not None  # noqa: S101 - a key without a query has a default
        return self._parsed(key.sql, values, (*key.path, "sql"), f"{self.label}, key {key.name!r}")

    def samples(self) -> tuple[Statement, ...]:
        """Return all queries with stand-ins for values: to see what they use of SQL before anything runs.

        Raises:
            StepError: One is no query, reads more than the context, or has a placeholder without a key.
        """
        known: dict[str, str] = {}
        found = []
        for key in self.keys:
            if key.sql is not None:
                found.append(self.key_statement(key, known))
            known[key.name] = _SAMPLE
        return (*found, self.statement(known))

    def _parsed(self, sql: str, values: Mapping[str, str], path: DocumentPath, label: str) -> Statement:
        location = job_location(self.job, *path)
        try:
            return self._in_session(parse_query(substitute(sql, values)))
        except PlaceholderRefused as unknown:
            raise StepError(f"{label}: {unknown}", step=label, sql=sql, hint=unknown.hint, location=location) from None
        except SqlRefused as refused:
            raise StepError(
                f"{label}: {refused.message}", step=label, sql=sql, hint=refused.hint, location=location
            ) from None

    def _in_session(self, statement: Statement) -> Statement:
        """Return a query whose context has the name that the session knows."""
        spans = {}
        for relation in statement.relations:
            if len(relation.parts) > 1 or relation.name.lower() != self.context.lower():
                raise relation.refused(
                    f"{relation.name!r} is not the context of this input",
                    f"the queries of an incremental input read {self.context!r}; join in a step",
                )
            alias = "" if relation.alias else f" AS `{relation.parts[0].replace('`', '``')}`"
            spans[relation.start, relation.end] = f"`{self.view}`{alias}"
        return parse_statement(replace_spans(statement.sql, spans))


def plan_increment(job: Job, index: int, entry: FlareInput, label: str) -> Increment | None:
    """Return how an input reads what is new, or None for an input that reads everything.

    Raises:
        StepError: A key has no value to begin with, a placeholder or `state` names no key, or a query is none.
    """
    section = entry.incremental
    if section is None:
        return None
    path: DocumentPath = ("inputs", index, "incremental")
    planned = Increment(
        job=job,
        label=label,
        input=entry.name,
        context=section.context,
        # No name of a manifest: those with two underscores in front are nobody's.
        view=f"__context_{index}",
        sql=section.sql,
        keys=tuple(
            PlannedKey(key.name, key.sql, key.default, (*path, "keys", number))
            for number, key in enumerate(section.keys)
        ),
        state=_state(section),
        path=path,
    )
    _check_keys(planned)
    planned.samples()
    return planned


def _state(section: Incremental) -> dict[str, str]:
    """Return which key's value becomes which key's next one; the older form has it at the key itself."""
    older = {key.name: key.update_from_key for key in section.keys if key.update_from_key}
    return older | {entry.key: entry.value for entry in section.state}


def _check_keys(planned: Increment) -> None:
    names = [key.name for key in planned.keys]
    for number, key in enumerate(planned.keys):
        if key.sql is None and key.default is None:
            raise _wrong(planned, key.path, f"the key {key.name!r} has no value to begin with", "write its `sql`")
        if key.name in names[:number]:
            raise _wrong(planned, key.path, f"the key {key.name!r} is there twice", "give each its own name")
    for key_name, value_of in planned.state.items():
        for name in (key_name, value_of):
            if name not in names:
                hint = f"keys: {', '.join(names) or 'none'}"
                raise _wrong(planned, (*planned.path, "state"), f"`state` names {name!r}, which is no key", hint)


def _wrong(planned: Increment, path: DocumentPath, message: str, hint: str) -> StepError:
    where = job_location(planned.job, *path)
    return StepError(f"{planned.label}: {message}", step=planned.label, hint=hint, location=where)
