"""The only module that imports private names of Dagster, each with the reason and the test that watches it.

`tests/dagster/test_contract.py` runs every assumption made here against the installed version.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

# The job behind "Materialize" that Dagster makes for all assets of a location. Schedules ask it for a selection; a job
# of its own for each workflow makes loading quadratic in the number of workflows.
ASSET_JOB = IMPLICIT_ASSET_JOB_NAME

# Dagster orders the ops of a job by recursion, one or two Python frames an op of the longest chain.
_FRAMES_PER_OP = 3
_FRAMES_AROUND = 500


def allow_chains_of(length: int) -> None:
    """Let Dagster order a chain of so many assets; it fails with RecursionError at about 990 otherwise.

    Python frames of Python functions take no C stack since 3.11, so that a high limit is safe.
    """
    wanted = _FRAMES_AROUND + _FRAMES_PER_OP * length
    if wanted > sys.getrecursionlimit():
        sys.setrecursionlimit(wanted)


@contextmanager
def code_references_without_warning() -> Iterator[None]:
    """Keep Dagster's notice that code references are in beta out of the user's log."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*CodeReference", category=dg.BetaWarning)
        yield


def processes_of(instance: dg.DagsterInstance, run_id: str) -> tuple[tuple[int, float], ...]:
    """Return the processes that a run says it started in: number, and time of saying so in seconds since 1970.

    Dagster writes them into the metadata of engine events and offers no other way to them.
    """
    return tuple(_pids(instance, run_id))


def _pids(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[int, float]]:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            yield int(str(pid.value)), entry.timestamp


def runs_in_local_processes(instance: dg.DagsterInstance) -> bool:
    """Tell whether runs of an instance are processes of the machine that evaluates its schedules."""
    return isinstance(instance.run_launcher, dg.DefaultRunLauncher)
