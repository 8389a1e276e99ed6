"""Run the plan of a job on a session: read, step by step, write.

Views are lazy, so rows move when an output is written, and only then: nothing is counted, collected or cached on the
way unless the manifest asks for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.settlement import settled
from dataos_dagster.errors import EngineError, StateError, StepError
from dataos_dagster.flare.actions.run import run_action
from dataos_dagster.flare.assertions.evaluate import evaluate, failure_of
from dataos_dagster.flare.functions.function import EngineUnsuited
from dataos_dagster.flare.incremental.windows import windows_of
from dataos_dagster.flare.journal import Journal
from dataos_dagster.flare.leasing import leased
from dataos_dagster.flare.lineage import Lineage
from dataos_dagster.flare.profile.plan import LABEL
from dataos_dagster.flare.profile.run import profile
from dataos_dagster.flare.step_run import mistake_in, register, run_commands, run_step
from dataos_dagster.flare.type_checks import TypeChecks
from dataos_dagster.flare.udfs import forget_functions, register_functions
from dataos_dagster.flare.writing import write_output
from dataos_dagster.workflows.limits import time_limit
from dataos_dagster.workflows.results import AssertionResult, InputResult, JobResult, OutputResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dataos_dagster.depots.requests import ReadRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.assertions.plan import PlannedAssertions
    from dataos_dagster.flare.incremental.plan import Increment
    from dataos_dagster.flare.incremental.windows import Windows
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.flare.streaming.plan import StreamPlan
    from dataos_dagster.state.intents import IntendedWrite
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.profiles import ProfileResult
    from dataos_dagster.workflows.results import ActionResult


def run_plan(plan: JobPlan, context: RunContext) -> JobResult:
    """Do what a plan says.

    Raises:
        StepError: An input, step or output failed; outputs before it stay written and were reported.
        DepotError: A dataset cannot be read or written.
        EngineError: The engine cannot be started, or crashed.
    """
    with (
        leased(plan, context) as session,
        time_limit(context.sessions, session, context.seconds_of(plan.job.id), plan.job.location()),
    ):
        # The start of an engine is not part of it: the next job finds it running.
        started = time.perf_counter()
        run = PlanRun(plan, context, session)
        try:
            outputs = run.outputs_written() if plan.stream is None else _streamed(run, plan.stream)
        finally:
            run.forget_views()
        seconds = time.perf_counter() - started
    return JobResult(
        job_id=plan.job.id,
        principal=context.principal,
        engine=plan.engine,
        engine_reasons=plan.route.reasons_once_run,
        inputs=tuple(
            InputResult(planned.name, planned.address, planned.dataset, planned.implicit) for planned in plan.inputs
        ),
        outputs=outputs,
        seconds=seconds,
        engine_seconds=seconds,
        plan=plan.as_text(),
        explain=run.journal.explained,
        previews=tuple(run.journal.previews),
        notes=tuple(run.journal.notes),
        assertions=tuple(run.tested),
        profile=run.profiled,
        actions=run.done,
        windows=run.windows.results(),
    )


def _streamed(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
    from dataos_dagster.flare.streaming.job import outputs_streamed

    return outputs_streamed(run, stream)


@dataclass
class PlanRun:
    """One run of one plan on one session.

    Attributes:
        lineage: Learns which columns come from which.
        tested: Results of assertions.
        done: What came of actions.
        profiled: Statistics of an input, where the manifest asks for them.
        registered: Views of this run: lower-case name to the session's spelling.
        journal: What the run says of itself.
        types: Looks again at what the plan assumed of types.
        windows: Of incremental inputs.
    """

    plan: JobPlan
    context: RunContext
    session: EngineSession
    lineage: Lineage = field(default_factory=Lineage)
    tested: list[AssertionResult] = field(default_factory=list)
    done: tuple[ActionResult, ...] = ()
    profiled: ProfileResult | None = None
    registered: dict[str, str] = field(default_factory=dict)
    journal: Journal = field(init=False)
    types: TypeChecks = field(init=False)
    windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.plan, self.context.reporter)
        self.types = TypeChecks(self.plan, self.journal.note)
        self.windows = windows_of(self.plan, self.context)

    def outputs_written(self) -> tuple[OutputResult, ...]:
        """Read, do the steps, write every output once, and return what was written."""
        for note in self.plan.notes:
            self.journal.note(note)
        with self.windows.taken(self._settle, self.journal.note):
            deleted = self.examined()
            self.windows.intend()
            written = tuple(
                write_output(self, output, position)
                for position, output in enumerate(self.plan.outputs)
                if not self.windows.is_written(position)
            )
            self.windows.confirm()
        return (*deleted, *written)

    def examined(self) -> tuple[OutputResult, ...]:
        """Make the views and do what comes before outputs are written; return what rows were deleted of.

        Raises:
            AssertionsFailed: Assertions of the job failed.
        """
        self.make_views()
        self.types.merges(self.context, self.session)
        self.types.conditions(self.context, self.session)
        self.types.assertions()
        self.test(None)
        self._profile()
        return self._maintain()

    def make_views(self) -> None:
        """Register the views of all inputs and steps; nothing is computed yet."""
        for planned in self.plan.inputs:
            with self.journal.of(planned.label, planned.location):
                self._read(planned)
        register_functions(self.plan.functions, self.session, self.context.settings.project)
        for step in self.plan.steps:
            with self.journal.of(step.label, step.location):
                self._step(step)

    def test(self, output: int | None) -> None:
        """Evaluate the assertions of the job (None), or those in front of an output, by its position.

        Raises:
            AssertionsFailed: Some failed, and the settings do not take those of the job for warnings.
        """
        for planned in self.plan.assertions:
            if planned.output == output:
                self.look(planned)

    def look(self, planned: PlannedAssertions, *, batch: tuple[str, str] | None = None) -> None:
        """Evaluate assertions about one view.

        Args:
            planned: The assertions.
            batch: The view that is written as a stream, and one that holds the micro-batch of it that is about to be.

        Raises:
            AssertionsFailed: As for `test`.
        """
        with self.journal.of(planned.label, planned.location):
            results = evaluate(self.plan.job, planned, self.session, batch=batch)
        known = {result.name for result in results}
        # Of a stream the last batch that was looked at counts.
        self.tested = [*(result for result in self.tested if result.name not in known), *results]
        self.context.reporter.assertions_evaluated(self.plan.job.id, results)
        failure = failure_of(planned, results)
        if failure is not None and (planned.output is not None or self.context.settings.flare.assertions == "fail"):
            raise failure

    def forget_views(self) -> None:
        """Drop the job's views: the session is the next job's too, and Spark keeps what is cached under them."""
        for name in self.registered.values():
            try:
                with self.session.failures():
                    self.session.spark.catalog.dropTempView(name)
            except EngineError:
                # The engine is gone and its views with it; what ended it is already on its way to the caller.
                return
        forget_functions(self.plan.functions, self.session)

    def _settle(self, output: PlannedOutput, write: IntendedWrite) -> None:
        """Find out whether a write that an earlier run had begun has happened."""
        assert self.context.state is not None  # noqa: S101 - the write is noted there
        request = settled(output.request, self.context.state.intents, write.token)
        if not self.context.door.settle(request, self.context.principal):
            self.journal.note(
                f"{output.label}: {output.dataset} does not show whether the interrupted run has written it, "
                "so it is written once more: look for rows that are there twice"
            )

    def _read(self, planned: PlannedInput) -> None:
        door, principal = self.context.door, self.context.principal
        request = planned.request
        if planned.schema is not None:
            request = planned.with_schema(self._schema_text(planned.schema, planned.label))
        frame = door.read(request, self.session, principal)
        with self.session.failures(planned.location):
            frame = self._registered(register(frame, planned.view, self.session), planned.view)
            self.lineage.add_input(planned, frame.columns)
        if planned.increment is not None:
            frame = self._read_new(planned.increment)
        with self.session.failures(planned.location):
            self.journal.preview(planned.name, frame)

    def _read_new(self, increment: Increment) -> DataFrame:
        """Register the view of what is new in an input, whose whole dataset is a view by now."""
        window = self.windows.resolve(increment, self.session, self.types.query)
        step = window.step
        self.types.query(step.sql, step.label, step.location)
        frame = run_step(step, self.session, self.lineage)
        assert frame is not None  # noqa: S101 - the query of an increment is no statement without a result
        return self._registered(frame, step.name)

    def _schema_text(self, request: ReadRequest, label: str) -> str:
        """Return the text of a schema's file, which is read like any other dataset."""
        frame = self.context.door.read(request, self.session, self.context.principal)
        with self.session.failures(request.location):
            rows = frame.collect()
        if not rows:
            raise StepError(
                f"{label}: the schema file {request.target} is empty", step=label, location=request.location
            )
        return "\n".join(row[0] for row in rows)

    def _step(self, step: PlannedStep) -> None:
        try:
            if step.statement.kind == "query":
                self.types.query(step.sql, step.label, step.location)
            frame = run_step(step, self.session, self.lineage, self.types.function)
        except EngineUnsuited as unsuited:
            # The other engine takes long to start, and what is wrong on both would only be told then.
            raise mistake_in(step, self.session) or unsuited from None
        if frame is not None:
            self._registered(frame, step.name)
            with self.session.failures(step.location):
                # The rows of a stream cannot be kept, and its plans are those of its query.
                if self.plan.stream is None:
                    run_commands(step, self.session, self.plan.views)
                    self.journal.explain(step.label, step.name, self.session)
                self.journal.preview(step.name, frame)

    def _registered(self, view: DataFrame, name: str) -> DataFrame:
        """Keep in mind that a view is there, to drop it in the end."""
        self.registered[name.lower()] = name
        self.types.know(name, view)
        return view

    def _maintain(self) -> tuple[OutputResult, ...]:
        """Do the actions, and return what rows were deleted of."""
        done = [run_action(self, action) for action in self.plan.actions]
        self.done = tuple(result for result, _ in done)
        return tuple(written for _, written in done if written is not None)

    def _profile(self) -> None:
        """Profile an input where the manifest asks for it, and keep what was found in the state database."""
        planned = self.plan.profile
        if planned is None:
            return
        with self.journal.of(LABEL, planned.location):
            found = profile(planned, self.session, lambda sql: self.types.query(sql, LABEL, planned.location))
        self.profiled = found
        if self.context.state is None:
            return
        from dataos_dagster.state.profiles import ColumnStatistics

        columns = [ColumnStatistics(column.name, column.type, column.statistics()) for column in found.columns]
        try:
            self.context.state.profiles.keep(self.context.run_id, self.plan.job.id, found.dataset, found.rows, columns)
        except StateError as error:
            self.journal.note(f"the profile is not kept: {error.message}")
