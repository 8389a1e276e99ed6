"""Run the plan of a job on a session: read, step by step, write.

Views are lazy, so rows move when an output is written, and only then: nothing is counted, collected or cached on the
way unless the manifest asks for it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.door import SYSTEM_COLUMN
from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.requests import ReadRequest
from dataos_dagster.depots.settlement import settled
from dataos_dagster.engines.routing import constructs_of, unproven
from dataos_dagster.errors import DatasetNotFound, DepotError, EngineError, StateError, StatementFailed, StepError
from dataos_dagster.flare.assertions.evaluate import evaluate, failure_of
from dataos_dagster.flare.column_tags import tagged
from dataos_dagster.flare.functions.function import EngineUnsuited
from dataos_dagster.flare.incremental.windows import windows_of
from dataos_dagster.flare.lineage import Lineage
from dataos_dagster.flare.merging import merge_statement
from dataos_dagster.flare.outputs import with_operation
from dataos_dagster.flare.profile.plan import LABEL
from dataos_dagster.flare.profile.run import profile
from dataos_dagster.flare.steps import register, run_commands, run_step
from dataos_dagster.flare.udfs import forget_functions, register_functions, without_own
from dataos_dagster.redaction import redact
from dataos_dagster.workflows.limits import time_limit
from dataos_dagster.workflows.results import AssertionResult, InputResult, JobResult, OutputResult, Preview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.functions.function import Function
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

# What the rows before a function are called where its SQL is looked at; nothing is registered under it.
_ROWS = "rows_before"
# Stores that cannot hold a map; the system column is left out of them.
_WITHOUT_MAPS = frozenset({"csv", "text", "jdbc", "db", "postgres", "postgresql", "mysql", "mssql", "oracle"})


def run_plan(plan: JobPlan, context: RunContext) -> JobResult:
    """Do what a plan says.

    Raises:
        StepError: An input, step or output failed; outputs before it stay written and were reported.
        DepotError: A dataset cannot be read or written.
        EngineError: The engine cannot be started, or crashed.
    """
    with (
        context.sessions.lease(plan.configuration) as session,
        time_limit(context.sessions, session, context.seconds_of(plan.job.id), plan.job.location()),
    ):
        # Starting an engine is not this job's work: the next job finds it running.
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
        engine_reasons=plan.route.reasons,
        inputs=tuple(
            InputResult(planned.name, planned.address, planned.dataset, planned.implicit) for planned in plan.inputs
        ),
        outputs=outputs,
        seconds=seconds,
        plan=plan.as_text(),
        explain=run.explained,
        previews=tuple(run.previews),
        notes=tuple(run.notes),
        assertions=tuple(run.tested),
        profile=run.profiled,
        windows=run.windows.results(),
    )


def _streamed(run: PlanRun, stream: StreamPlan) -> tuple[OutputResult, ...]:
    from dataos_dagster.flare.streaming.job import outputs_streamed

    return outputs_streamed(run, stream)


@dataclass
class PlanRun:
    """One run of one plan on one session."""

    plan: JobPlan
    context: RunContext
    session: EngineSession
    lineage: Lineage = field(default_factory=Lineage)
    explained: dict[str, str] = field(default_factory=dict)
    previews: list[Preview] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tested: list[AssertionResult] = field(default_factory=list)
    profiled: ProfileResult | None = None
    registered: dict[str, str] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        self.windows = windows_of(self.plan, self.context)

    def outputs_written(self) -> tuple[OutputResult, ...]:
        """Read, do the steps, write every output once, and return what was written."""
        for note in self.plan.notes:
            self.note(note)
        with self.windows.taken(self._settle, self.note):
            self.make_views()
            self._check_merges()
            self._check_assertions()
            self._test(None)
            self._profile()
            self.windows.intend()
            outputs = tuple(
                self._write(output, position)
                for position, output in enumerate(self.plan.outputs)
                if not self.windows.is_written(position)
            )
            self.windows.confirm()
        return outputs

    def make_views(self) -> None:
        """Register the views of all inputs and steps; nothing is computed yet."""
        for planned in self.plan.inputs:
            with self._reported(planned.label, planned.location):
                self._read(planned)
        register_functions(self.plan.functions, self.session, self.context.settings.project)
        for step in self.plan.steps:
            with self._reported(step.label, step.location):
                self._step(step)

    def _settle(self, output: PlannedOutput, write: IntendedWrite) -> None:
        """Find out whether a write that an earlier run had begun has happened."""
        assert self.context.state is not None  # noqa: S101 - the write is noted there
        request = settled(output.request, self.context.state.intents, write.token)
        if not self.context.door.settle(request, self.context.principal):
            self.note(f"{output.label}: {output.dataset} does not show what was written, so it is written once more")

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

    def _read(self, planned: PlannedInput) -> None:
        door, principal = self.context.door, self.context.principal
        request = planned.request
        if planned.schema is not None:
            request = planned.with_schema(self._schema_text(planned.schema, planned.label))
        frame = door.read(request, self.session, principal)
        with self.session.failures(planned.location):
            frame = self._register(frame, planned.view)
            self.lineage.add_input(planned, frame.columns)
        if planned.increment is not None:
            frame = self._read_new(planned.increment)
        with self.session.failures(planned.location):
            self._preview(planned.name, frame)

    def _read_new(self, increment: Increment) -> DataFrame:
        """Register the view of what is new in an input, whose whole dataset is a view by now."""
        window = self.windows.resolve(increment, self.session, self._check_query)
        step = window.step
        self._check_query(step.sql, step.label, step.location)
        frame = run_step(step, self.session, self.lineage)
        assert frame is not None  # noqa: S101 - the query of an increment is no statement without a result
        self.registered[step.name.lower()] = step.name
        self._know_types(step.name, frame)
        return frame

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
        self._check_types(step)
        frame = run_step(step, self.session, self.lineage, self._check_function)
        if frame is not None:
            self.registered[step.name.lower()] = step.name
            self._know_types(step.name, frame)
            with self.session.failures(step.location):
                if self.plan.stream is None:  # the rows of a stream cannot be kept
                    run_commands(step, self.session, self.plan.views)
                self._explain(step)
                self._preview(step.name, frame)

    def _write(self, output: PlannedOutput, position: int) -> OutputResult:
        started = time.perf_counter()
        self.context.reporter.step_started(self.plan.job.id, output.label)
        view = self.plan.views[output.name.lower()]
        self._test(position)
        with self._blamed(output, view), self.session.failures(output.location):
            frame = self.with_system_column(self.session.spark.table(view), output)
            request = self._accounted(output, position)
            written = self.context.door.write(frame, request, self.session, self.context.principal)
        self.windows.written(position, written.snapshot_id)
        seconds = time.perf_counter() - started
        for note in written.notes:
            self.note(note)
        if output.implied_mode and output.request.mode == "overwrite" and not written.created:
            self.note(f"{output.label}: no saveMode is given, so what was in {output.dataset} was replaced")
        result = OutputResult(
            name=output.name,
            address=output.address,
            dataset=output.dataset,
            rows=written.rows,
            bytes=written.bytes,
            snapshot_id=written.snapshot_id,
            schema=tagged(written.schema, output.column_tags),
            lineage=self.lineage.of_output(view, (column.name for column in written.schema)),
            seconds=seconds,
            created=written.created,
            preview=next((preview for preview in self.previews if preview.name == view), None),
            branch=written.branch,
            total_rows=written.total_rows,
        )
        self.context.reporter.output_written(self.plan.job.id, result)
        self.context.reporter.step_finished(self.plan.job.id, output.label, written.rows, seconds)
        return result

    def _test(self, output: int | None) -> None:
        """Evaluate the assertions of the job (None), or those in front of an output.

        Raises:
            AssertionsFailed: Some failed, and the settings do not take those of the job for warnings.
        """
        for planned in self.plan.assertions:
            if planned.output != output:
                continue
            with self._reported(planned.label, planned.location):
                results = evaluate(self.plan.job, planned, self.session)
            self.tested += results
            self.context.reporter.assertions_evaluated(self.plan.job.id, results)
            failure = failure_of(planned, results)
            if failure is not None and (output is not None or self.context.settings.flare.assertions == "fail"):
                raise failure

    def _profile(self) -> None:
        """Profile an input where the manifest asks for it, and keep what was found in the state database."""
        planned = self.plan.profile
        if planned is None:
            return
        with self._reported(LABEL, planned.location):
            found = profile(planned, self.session, lambda sql: self._check_query(sql, LABEL, planned.location))
        self.profiled = found
        if self.context.state is None:
            return
        from dataos_dagster.state.profiles import ColumnStatistics

        columns = [ColumnStatistics(column.name, column.type, column.statistics()) for column in found.columns]
        try:
            self.context.state.profiles.keep(self.context.run_id, self.plan.job.id, found.dataset, found.rows, columns)
        except StateError as error:
            self.note(f"the profile is not kept: {error.message}")

    def _accounted(self, output: PlannedOutput, position: int) -> WriteRequest:
        """Return the request of an output under its name, with the account of its dataset's writes."""
        request = with_operation(output, self.context.run_id)
        if self.context.state is None:
            return request
        intended = self.windows.write_of(position)
        return settled(request, self.context.state.intents, intended.token if intended else None)

    def _register(self, frame: DataFrame, name: str) -> DataFrame:
        view = register(frame, name, self.session)
        self.registered[name.lower()] = name
        self._know_types(name, view)
        return view

    def _know_types(self, name: str, frame: DataFrame) -> None:
        """Remember the types of a view where the plan had to assume some; the engine is asked for nothing else."""
        if self.plan.route.assumed:
            self.types[name] = {field.name: field.dataType.simpleString() for field in frame.schema.fields}

    def _check_types(self, step: PlannedStep) -> None:
        """Look again at what the plan took to be equal on Sail, now that the types of the step's views are known.

        Raises:
            EngineUnsuited: With these types it is not known to be equal, and another engine may be chosen.
        """
        if step.statement.kind == "query":
            self._check_query(step.sql, step.label, step.location)

    def _check_query(self, sql: str, label: str, location: Location) -> None:
        if self.plan.route.assumed:
            found = unproven(constructs_of(sql, self.types), assume=False)
            self._refuse(tuple(without_own(found, self.plan.spec.job.udfs)), label, location)

    def _check_function(self, function: Function, frame: DataFrame, place: Location) -> None:
        """Look again at what a function does, now that the types of the rows before it are known.

        Raises:
            EngineUnsuited: As for the step's SQL.
        """
        if not self.plan.route.assumed or not function.statements:
            return
        rows = {_ROWS: {field.name: field.dataType.simpleString() for field in frame.schema.fields}}
        for statement in function.statements:
            found = unproven(constructs_of(f"{statement}\nFROM {_ROWS}", rows), assume=False)
            self._refuse(found, f"function {function.name}", place)

    def _check_merges(self) -> None:
        """Look again at what merges compare and compute, now that both sides are known, before anything is written.

        Raises:
            EngineUnsuited: As for the SQL of steps.
        """
        for output in self.plan.outputs:
            if output.request.merge is None or not self.plan.route.assumed:
                continue
            read = ReadRequest(output.request.target, format=output.request.format, acl="rw")
            try:
                old = self.context.door.read(read, self.session, self.context.principal)
            except DatasetNotFound:
                continue  # the merge makes the table with every row
            with self.session.failures(output.location):
                new = self.session.spark.table(self.plan.views[output.name.lower()])
                types = {
                    name: {field.name: field.dataType.simpleString() for field in frame.schema.fields}
                    for name, frame in (("old", old), ("new", new))
                }
            found = unproven(constructs_of(merge_statement(output.request.merge), types), assume=False)
            self._refuse(found, output.label, output.location)

    def _check_assertions(self) -> None:
        """Look again at what all assertions ask, those of later outputs too: a job that has written cannot move.

        Raises:
            EngineUnsuited: As for the SQL of steps.
        """
        for planned in self.plan.assertions:
            for query in planned.queries:
                self._check_query(query.sql, planned.label, query.location)

    def _refuse(self, found: tuple[Construct, ...], label: str, location: Location) -> None:
        if not found:
            return
        told = ", ".join(dict.fromkeys(construct.name for construct in found))
        message = f"{label}: not proven equal on Sail for the types of its columns: {told}"
        if self.plan.can_move:
            raise EngineUnsuited(message, location=location)
        self.note(message)

    def with_system_column(self, frame: DataFrame, output: PlannedOutput) -> DataFrame:
        """Return the frame with Flare's own column in front, when the project asks for it and the store holds maps."""
        wanted = self.context.settings.flare.system_columns
        if not wanted or self.plan.spec.job.variables.keep_system_columns is False:
            return frame
        if (output.request.format or "").lower() in _WITHOUT_MAPS or SYSTEM_COLUMN in frame.columns:
            return frame
        run_id = self.context.run_id.replace("'", "")
        entries = f"map('_dataos_run_mapper_id', '{run_id}', 'id', uuid())"
        return frame.selectExpr(f"{entries} AS {SYSTEM_COLUMN}", "*")

    def _preview(self, name: str, frame: DataFrame) -> None:
        count = self.plan.spec.job.show_preview_lines
        # A stream has no first rows to show before its query runs.
        if count and not frame.isStreaming:
            rows = tuple(tuple(row) for row in frame.limit(count).collect())
            preview = Preview(name, tuple(frame.columns), rows)
            self.previews.append(preview)
            self.context.reporter.preview(self.plan.job.id, preview)

    def _explain(self, step: PlannedStep) -> None:
        if self.plan.spec.job.explain:
            query = f"EXPLAIN EXTENDED SELECT * FROM {quoted(step.name)}"  # noqa: S608 - the view's name is quoted
            [[text]] = self.session.spark.sql(query).collect()
            self.explained[step.label] = redact(text)  # options of a source may hold a password

    def note(self, note: str) -> None:
        """Tell what was done otherwise than written, or is worth knowing."""
        self.notes.append(note)
        self.context.reporter.note(self.plan.job.id, note)

    @contextmanager
    def _reported(self, label: str, location: Location) -> Iterator[None]:
        """Report an input or step, and give errors without a place that of the input or step."""
        started = time.perf_counter()
        self.context.reporter.step_started(self.plan.job.id, label)
        try:
            yield
        except (DepotError, EngineError) as error:
            error.location = error.location or location
            raise
        self.context.reporter.step_finished(self.plan.job.id, label, None, time.perf_counter() - started)

    @contextmanager
    def _blamed(self, output: PlannedOutput, view: str) -> Iterator[None]:
        """Turn an engine's failure during a write into one that shows the SQL whose rows were being made.

        Steps are lazy: a cast or a division fails here, and its author looks for it in the step.
        """
        try:
            yield
        except (DepotError, EngineError) as error:
            step = next((step for step in reversed(self.plan.steps) if step.name == view), None)
            if step is None or not _is_of_rows(error):
                error.location = error.location or output.location
                raise
            raise StepError(
                f"{output.label}: {error.message}",
                step=step.label,
                sql=step.sql,
                hint=error.hint,
                location=step.location,
                retryable=error.retryable,
            ) from error


def _is_of_rows(error: DepotError | EngineError) -> bool:
    """Return whether the engine failed at making the rows, and not the store at taking them."""
    return isinstance(error, StatementFailed) or isinstance(error.__cause__, StatementFailed)
