"""What runs the jobs of one stack, and which stacks there are.

A stack says what a job reads and writes without touching data, so that jobs can be ordered and drawn, and runs it.
The stack of a job is the word before `+` and `:` in its `stack:`; its module is imported when the first such job is
met.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataos_dagster.address import Address
    from dataos_dagster.errors import DataOSError, NotYetRun
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import JobResult
    from dataos_dagster.workflows.supervisor.service import Service

# Stack name in lower case: `module:NAME` of the object that runs it. Stacks that DataOS knows and that are not here
# are read and not yet run.
STACKS: Mapping[str, str] = {"flare": "dataos_dagster.flare.stack:FLARE"}


class Plan(Protocol):
    """What a stack says that a job will do."""

    @property
    def findings(self) -> tuple[DataOSError, ...]:
        """Return what keeps the job from running, where stand-ins let it be planned all the same."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""

    def as_text(self) -> str:
        """Return it as lines for people."""


class Stack(Protocol):
    """One way of running a job. The questions are answered from the manifest alone and raise nothing."""

    @property
    def name(self) -> str:
        """Return the word that manifests use, in lower case."""

    def reads(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets that the job reads, in manifest order."""

    def writes(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets that the job writes, in manifest order, those of which it only deletes rows included."""

    def deletes_from(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets of which the job only deletes rows: it never owns them."""

    def not_yet_run(self, job: Job) -> tuple[NotYetRun, ...]:
        """Return what the job asks for and this version does not run, each with its place; empty when it runs.

        Answered from the manifest alone, like `reads` and `writes`: such a job is treated as one of a stack that is
        not yet run.
        """

    def keeps_running(self, job: Job, stream_depots: frozenset[str]) -> bool:
        """Return whether the job runs until it is stopped: it is no part of a run, and the supervisor has it.

        Args:
            job: The job.
            stream_depots: Names of depots, in lower case, whose datasets are streams unless the job says otherwise.
        """

    def service(self, job: Job, project: Project, settings: Settings) -> Service:
        """Return how a job that runs until it is stopped is started."""

    def named(self, job: Job) -> Iterator[tuple[Address, str | None, str | None]]:
        """Yield the datasets that the job names, each with the format and the driver that it gives, if any."""

    def keys(self, job: Job) -> tuple[str, ...]:
        """Return the keys whose values a run of the job may be given, as `key` and as `input.key`."""

    def plan(self, job: Job, context: RunContext) -> Plan:
        """Return what the job would do and on which engine, without reading rows.

        Raises:
            DataOSError: It cannot be planned; running it would fail the same way.
        """

    def plan_errors(self, job: Job, context: RunContext, first: DataOSError) -> tuple[DataOSError, ...]:
        """Return everything that is wrong with a job whose plan has failed with `first`, in manifest order."""

    def run(self, job: Job, context: RunContext) -> JobResult:
        """Do the job's work.

        Raises:
            DataOSError: It failed; what was written before the failure was told to `context.reporter`.
        """


def stack_of(job: Job) -> Stack | None:
    """Return the stack that runs a job, or None when jobs of its stack are not yet run."""
    return _load(job.stack)


@cache
def _load(name: str) -> Stack | None:
    path = STACKS.get(name)
    if path is None:
        return None
    module, _, attribute = path.partition(":")
    stack: Stack = getattr(importlib.import_module(module), attribute)
    return stack
