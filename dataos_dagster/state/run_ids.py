"""How the ids of runs are shown."""

from __future__ import annotations

_SHOWN = 8


def short_id(run_id: str) -> str:
    """Return the beginning of a run's id, which tells the runs of a project apart for people; JSON has it whole."""
    return run_id[:_SHOWN]
