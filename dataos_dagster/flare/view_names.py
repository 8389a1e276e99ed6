"""Names of relations in SQL, and the views that they are on the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.errors import AddressError, UnknownView
from dataos_dagster.flare.sql import replace_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataos_dagster.errors import Location
    from dataos_dagster.flare.relations import Relation
    from dataos_dagster.flare.sql import Statement
    from dataos_dagster.flare.views import Views

# depot.collection.dataset
_ADDRESS_PARTS = 3


def resolve_names(
    statement: Statement, views: Views, *, label: str, text: str, place: Callable[[int, int, int], Location]
) -> str:
    """Return a statement's SQL with every relation under the name that the session knows it by.

    Args:
        statement: The SQL, parsed.
        views: Views of inputs and steps; datasets that are named become inputs of the job.
        label: For messages.
        text: The SQL as the manifest has it.
        place: Returns where a line, column and length of the statement stand in the manifest.

    Raises:
        UnknownView: A name is no view, and no dataset.
    """
    return _Resolver(views, label, text, place).resolved(statement)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Replaces names of relations by those that the session knows.

    Attributes:
        views: Views of inputs and earlier steps.
        label: Of the step, for messages.
        text: Its SQL, as the manifest has it.
        place: Returns where a line, column and length of the SQL stand in the manifest.
    """

    views: Views
    label: str
    text: str
    place: Callable[[int, int, int], Location]

    def resolved(self, statement: Statement) -> str:
        """Return the SQL with every relation replaced that the session knows by another name."""
        spans: dict[tuple[int, int], str] = {}
        aliases: dict[tuple[str, ...], str] = {}
        for relation in statement.relations:
            view = self._view(relation)
            if view == relation.name:
                continue
            # Columns qualified by the name that the SQL uses must find it: hence the alias.
            alias = "" if relation.alias else f" AS {quoted(relation.parts[-1])}"
            spans[relation.start, relation.end] = f"{quoted(view)}{alias}"
            aliases[_folded(relation.parts)] = relation.alias or relation.parts[-1]
        for start, end, qualifier in statement.qualified:
            alias_of = aliases.get(_folded(qualifier))
            if alias_of is not None:
                spans[start, end] = quoted(alias_of)
        if statement.kind != "query":
            self._check_target(statement)
        return replace_spans(statement.sql, spans)

    def _view(self, relation: Relation) -> str:
        known = self.views.find(relation.parts[0]) if len(relation.parts) == 1 else None
        if known is not None:
            return known
        where = self.place(relation.line, relation.column, relation.end - relation.start)
        try:
            return self.views.implicit_view(relation, where)
        except AddressError as error:
            hint = self.views.closest(relation.name) if len(relation.parts) < _ADDRESS_PARTS else error.hint
            unknown = self._unknown(error.message, hint, where)
        return self.views.stand_in(relation.name, unknown)

    def _check_target(self, statement: Statement) -> None:
        name = statement.target or ""
        if self.views.find(name) is None:
            message = f"{statement.kind.upper()}: there is no view {name!r} here"
            self.views.stand_in(name, self._unknown(message, self.views.closest(name), self.place(1, 1, 1)))

    def _unknown(self, message: str, hint: str | None, location: Location) -> UnknownView:
        return UnknownView(f"{self.label}: {message}", step=self.label, sql=self.text, hint=hint, location=location)


def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.lower() for part in parts)
