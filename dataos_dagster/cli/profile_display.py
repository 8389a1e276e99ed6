"""How a profile is printed: a line a column, and below it what the columns seem to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from dataos_dagster.cli.tables import INDENT, Column, print_line, print_table
from dataos_dagster.manifests.console import count_of
from dataos_dagster.workflows.profiles import profile_table, suggestions_of

if TYPE_CHECKING:
    from rich.console import Console

    from dataos_dagster.workflows.profiles import ProfileResult

_NUMBERS = frozenset({"missing", "distinct", "mean", "deviation"})
# What gives way first where the terminal is narrow.
_RANKS = {"frequent": 5, "deviation": 4, "mean": 3, "greatest": 2, "least": 2, "histogram": 1}
# Characters of a value, so that a long text does not push everything else away.
_WIDTH = 40


def print_profile(profile: ProfileResult, console: Console) -> None:
    """Print a profile below the row of its job."""
    filters = f" where {' and '.join(profile.filters)}" if profile.filters else ""
    rows = count_of(profile.rows, "row")
    print_line(Text(f"{INDENT}profile of {profile.dataset}: {rows}{filters}", style="dim"), console)
    table = profile_table(profile)
    columns = [Column(name, right=name in _NUMBERS, rank=_RANKS.get(name, 0)) for name in table.columns]
    print_table(columns, [[_cell(value) for value in row] for row in table.rows], console, indent=INDENT)
    for suggestion in suggestions_of(profile):
        print_line(Text(f"{INDENT}seems to be: {suggestion}", style="dim"), console)


def _cell(value: object) -> Text:
    text = "" if value is None else str(value)
    return Text(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…")
