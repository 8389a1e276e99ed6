"""The windows of one run of a job: taken up where a run stopped, noted before the write, confirmed after it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.settlement import dataset_of
from dataos_dagster.errors import StateError, StepError
from dataos_dagster.flare.incremental.keys import given_to
from dataos_dagster.flare.incremental.values import KnownValues, resolve
from dataos_dagster.state.intents import Intent, scope_of
from dataos_dagster.state.run_ids import short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.incremental.plan import Increment
    from dataos_dagster.flare.incremental.values import Window
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.state.database import State
    from dataos_dagster.state.intents import IntendedWrite
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import WindowResult


@dataclass
class Windows:
    """What the incremental inputs of one run read, and what becomes of it.

    Only a job that stores values, or a run whose keys are given, has an intent. A window that is the same every time,
    or follows the clock, is a filter: such a job does again what it says when it is run again.

    Attributes:
        given: Key, or `input.key`, to value: by the caller, for this run only. Such a run moves no watermark.
        left: What an earlier run left unfinished, which this run finishes.
        found: What the inputs read, in the order in which they were asked.
        stored: Values that the last run has stored, by input, context and key.
    """

    job: Job
    increments: Sequence[Increment]
    outputs: Sequence[PlannedOutput]
    run_id: str
    state: State | None
    given: Mapping[str, str]
    left: Intent | None = None
    found: list[Window] = field(default_factory=list)
    stored: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _intent: Intent | None = None

    @property
    def has_intent(self) -> bool:
        """Return whether what this run writes is to happen exactly once."""
        return self.state is not None and (bool(self.given) or any(each.state for each in self.increments))

    @property
    def scope(self) -> str:
        """Return what tells a run with given keys from an ordinary one."""
        return scope_of(self.given)

    @contextmanager
    def taken(
        self, settle: Callable[[PlannedOutput, IntendedWrite], None], note: Callable[[str], None]
    ) -> Iterator[None]:
        """Take the job for this process while the block runs, and settle what an earlier run has left.

        Args:
            settle: Decides, by looking at the dataset, what became of a write that was begun.
            note: Is told what is done otherwise than in an ordinary run.

        Raises:
            StateError: Another process runs the job.
        """
        if self.state is None or not self.increments:
            yield
            return
        # What is refused here is another process's: only what this one holds is let go below.
        left = self.state.intents.claim(self.job.id, self.scope, self.run_id) if self.has_intent else None
        try:
            if left is not None:
                self._take_up(left, self.state, settle, note)
            stored = self.state.watermarks.of_job(self.job.id)
            self.stored = {(at.input, at.context, at.key): value for at, value in stored.items()}
            yield
        except BaseException:
            self._release()
            raise

    def resolve(
        self, increment: Increment, session: EngineSession, check: Callable[[str, str, Location], None]
    ) -> Window:
        """Return the window of an input; its context is a view of the session by now.

        An input that is read a second time in a run has the window that it had.
        """
        for found in self.found:
            if found.increment is increment:
                return found
        window = resolve(increment, self.known(increment), session, check)
        self.found.append(window)
        return window

    def intend(self) -> None:
        """Note the windows and where they go, before anything is written."""
        if self.state is None or not self.has_intent:
            return
        if self.left is not None:
            self._intent = self.left
            return
        advances = (
            ()
            if self.given
            else tuple(
                (window.increment.at(key), value) for window in self.found for key, value in window.advances.items()
            )
        )
        records = tuple(window.as_record() for window in self.found)
        intent = Intent(self.job.id, self.scope, self.run_id, records, advances)
        self._intent = self.state.intents.plan(intent, [dataset_of(output.request) for output in self.outputs])

    def write_of(self, position: int) -> IntendedWrite | None:
        """Return the write of an output, by its position; None where it need not happen exactly once."""
        return self._intent.writes[position] if self._intent else None

    def is_written(self, position: int) -> bool:
        """Return whether an earlier run has written an output of the window that this run finishes."""
        write = self.write_of(position)
        return write is not None and write.status == "written"

    def confirm(self) -> None:
        """Move the watermarks on: everything is written."""
        if self.state is not None and self._intent is not None:
            self.state.intents.confirm(self._intent)

    def written(self, position: int, after: str | None) -> None:
        """Note that an output is written; `after` is the snapshot that it made."""
        if self.state is not None and self._intent is not None:
            self.state.intents.settle(self._intent.writes[position].token, written=True, after=after)

    def results(self) -> tuple[WindowResult, ...]:
        """Return what was read, once everything is written."""
        stored = self.has_intent and not self.given
        return tuple(window.as_result(stored=stored) for window in self.found)

    def _release(self) -> None:
        if self.state is None or not self.has_intent:
            return
        # What ended the run is the news; a job that a dead process has taken is free all the same.
        with suppress(StateError):
            self.state.intents.release(self.job.id, self.scope, self.run_id)

    def _take_up(
        self,
        left: Intent,
        state: State,
        settle: Callable[[PlannedOutput, IntendedWrite], None],
        note: Callable[[str], None],
    ) -> None:
        """Settle what an earlier run has left of the job, which this process holds."""
        if any(write.status != "planned" for write in left.writes):
            for output, write in self._paired(left):
                if write.status == "writing":
                    settle(output, write)
        settled = state.intents.find(self.job.id, self.scope)
        if settled is None:
            raise StateError(f"{self.job.id}: its intent is gone", hint="was the state database replaced meanwhile?")
        written = [write.dataset for write in settled.writes if write.status == "written"]
        if len(written) == len(settled.writes):
            state.intents.confirm(settled)
            note(
                f"run {short_id(left.run_id)} was interrupted after it had written everything; "
                "its watermarks are stored now"
            )
            state.intents.claim(self.job.id, self.scope, self.run_id)
        elif written:
            self.left = settled
            note(
                f"run {short_id(left.run_id)} was interrupted: this run finishes its window, and leaves out what is "
                f"written already ({', '.join(written)})"
            )
        else:
            state.intents.abandon(self.job.id, self.scope)
            state.intents.claim(self.job.id, self.scope, self.run_id)

    def _paired(self, left: Intent) -> list[tuple[PlannedOutput, IntendedWrite]]:
        """Return the outputs with the writes that an earlier run intended for them.

        Raises:
            StepError: The manifest's outputs are others by now: nobody could say what is still to be written.
        """
        datasets = [dataset_of(output.request) for output in self.outputs]
        if datasets != [write.dataset for write in left.writes]:
            raise StepError(
                f"{self.job.label}: run {short_id(left.run_id)} was interrupted while it wrote "
                f"{', '.join(write.dataset for write in left.writes)}, and the job's outputs are others now",
                step="outputs",
                location=self.job.location(),
                hint="run the manifest as it was once more, or give the window up: "
                f"dataos flare state abandon {self.job.label}",
            )
        return list(zip(self.outputs, left.writes, strict=True))

    def known(self, increment: Increment) -> KnownValues:
        """Return the values of an input's keys that are known before an engine is asked."""
        names = [key.name for key in increment.keys]
        given = {name: self.given[name] for name in names if name in self.given}
        given |= {
            name: self.given[f"{increment.input}.{name}"] for name in names if f"{increment.input}.{name}" in self.given
        }
        repeated = None
        if self.left is not None:
            parts = (part for part in self.left.window if (part.input, part.context) == _name(increment))
            repeated = next((part.values for part in parts), None)
        whole = {name: (*_name(increment), name) for name in names}
        stored = {name: self.stored[at] for name, at in whole.items() if at in self.stored}
        return KnownValues(given, repeated, stored)


def windows_of(plan: JobPlan, context: RunContext) -> Windows:
    """Return the windows of a run that is about to begin."""
    increments = [planned.increment for planned in plan.inputs if planned.increment]
    given = given_to(plan.job, context.keys)
    return Windows(plan.job, increments, plan.outputs, context.run_id, context.state, given)


def _name(increment: Increment) -> tuple[str, str]:
    return increment.input, increment.context
