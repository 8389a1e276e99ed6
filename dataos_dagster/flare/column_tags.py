"""Tags of an output's columns: which columns an entry of `columnTags` means, and the columns with their tags."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import StepError
from dataos_dagster.flare.locations import job_location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.depots.requests import Column
    from dataos_dagster.flare.manifest import FlareOutput
    from dataos_dagster.workflows.jobs import Job


@dataclass(frozen=True, slots=True)
class ColumnTagRule:
    """Tags, and the columns that get them.

    Attributes:
        names: Names of columns, in lower case.
        pattern: Matched from the beginning of a name; None where only `names` count.
    """

    tags: tuple[str, ...]
    names: frozenset[str]
    pattern: re.Pattern[str] | None = None

    def means(self, column: str) -> bool:
        """Return whether a column gets the tags."""
        return column.lower() in self.names or (self.pattern is not None and self.pattern.match(column) is not None)


def column_tag_rules(job: Job, index: int, entry: FlareOutput, label: str) -> tuple[ColumnTagRule, ...]:
    """Return the rules of an output.

    Raises:
        StepError: An expression does not compile, or an entry says of no column or of several kinds what it means.
    """
    rules = []
    for number, written in enumerate(entry.column_tags):
        path = ("outputs", index, "columnTags", number)
        given = [name for name in ("column_name", "column_names", "column_regex") if getattr(written, name)]
        if len(given) != 1:
            raise StepError(
                f"{label}: columnTags[{number}] needs exactly one of columnName, columnNames and columnRegex",
                step=label,
                hint="write one entry for each",
                location=job_location(job, *path),
            )
        names = (written.column_name, *written.column_names)
        try:
            pattern = re.compile(written.column_regex) if written.column_regex else None
        except re.error as error:
            raise StepError(
                f"{label}: columnRegex {written.column_regex!r} is no regular expression: {error}",
                step=label,
                hint="it is matched from the beginning of the column's name",
                location=job_location(job, *path, "columnRegex"),
            ) from None
        rules.append(ColumnTagRule(written.tags, frozenset(name.lower() for name in names if name), pattern))
    return tuple(rules)


def tagged(columns: Iterable[Column], rules: Iterable[ColumnTagRule]) -> tuple[Column, ...]:
    """Return columns with their tags: those of every rule that means them, each once, in the order of the rules."""
    rules = tuple(rules)
    return tuple(
        replace(
            column, tags=tuple(dict.fromkeys(tag for rule in rules if rule.means(column.name) for tag in rule.tags))
        )
        for column in columns
    )
