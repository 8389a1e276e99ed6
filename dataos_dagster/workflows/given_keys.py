"""Values of keys that somebody gives to the jobs of one run: `start=2026-01-01`, or `orders.start=…`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dataos_dagster.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.workflows.graph import JobNode


def parse_given(assignments: Iterable[str], nodes: Iterable[JobNode]) -> dict[str, str]:
    """Return values of keys as they are given for one run.

    Args:
        assignments: As they stand on a command line.
        nodes: The jobs that are run; each assignment must mean a key of one of them.

    Raises:
        SelectionError: One is no assignment, or no job has the key.
    """
    given: dict[str, str] = {}
    known = dict.fromkeys(name for node in nodes if node.stack is not None for name in node.stack.keys(node.job))
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SelectionError(f"{assignment!r} is no KEY=VALUE", hint="write --key start=2026-01-01")
        if name.strip() not in known:
            close = difflib.get_close_matches(name.strip(), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"keys here: {', '.join(known) or 'none'}"
            raise SelectionError(f"no job of this run has a key {name.strip()!r}", hint=hint)
        given[name.strip()] = value
    return given
