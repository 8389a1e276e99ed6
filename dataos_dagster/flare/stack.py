"""The Flare stack: how workflows order, draw and run its jobs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError
from dataos_dagster.flare.spec import flare_spec
from dataos_dagster.manifests.locations import is_address, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.errors import NotYetRun
    from dataos_dagster.flare.manifest import Action, FlareInput, FlareJob
    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.results import JobResult
    from dataos_dagster.workflows.supervisor.service import Service


class FlareStack:
    """Runs Flare jobs: SQL over datasets on any Spark Connect engine."""

    @property
    def name(self) -> str:
        """Return the word that manifests use."""
        return "flare"

    def reads(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets that a job reads: its inputs in manifest order, then those named in its SQL."""
        return tuple(dict.fromkeys((*self._inputs(job), *self._queried(job), *self._named_in_sql(job))))

    def writes(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets that a job writes, in manifest order, then those that it deletes rows of."""
        return tuple(dict.fromkeys((*self._outputs(job), *self.deletes_from(job))))

    def deletes_from(self, job: Job) -> tuple[Address, ...]:
        """Return the datasets of which a job deletes rows, and which it does not write otherwise."""
        spec = flare_spec(job).job
        if not spec.actions:
            return ()
        written = {address.key for address in self._outputs(job)}
        found = dict.fromkeys(_deleted_from(action, spec.inputs) for action in spec.actions)
        return tuple(address for address in found if address is not None and address.key not in written)

    def not_yet_run(self, job: Job) -> tuple[NotYetRun, ...]:
        """Return what the job asks for and this version does not run, each with its place."""
        from dataos_dagster.flare.coverage import not_yet_run

        return not_yet_run(job, flare_spec(job))

    def keeps_running(self, job: Job, stream_depots: frozenset[str]) -> bool:
        """Return whether the job reads a stream without an end."""
        from dataos_dagster.flare.streaming.trigger import trigger_of

        spec = flare_spec(job).job
        by_depot = stream_depots if spec.outputs else frozenset()
        if not any(_is_stream(entry, by_depot) for entry in spec.inputs):
            return False
        return not trigger_of(spec.streaming, is_scheduled=job.workflow.section.schedule is not None).is_bounded

    def service(self, job: Job, project: Project, settings: Settings) -> Service:
        """Return the process that runs the job's streams."""
        from dataos_dagster.flare.streaming.service import stream_service

        return stream_service(job, project, settings)

    def named(self, job: Job) -> Iterator[tuple[Address, str | None, str | None]]:
        """Yield the datasets that a job names, each with the format and the driver that it gives, if any."""
        spec = flare_spec(job).job
        for entry in spec.inputs:
            if entry.address is not None:
                yield entry.address, entry.format, entry.options.get("driver")
        for output in spec.outputs:
            if output.address is not None:
                yield output.address, output.format, output.driver or output.options.extra_options.get("driver")
        for address in self.reads(job):
            yield address, None, None
        yield from ((address, "text", None) for address in _files_of(spec))

    def keys(self, job: Job) -> tuple[str, ...]:
        """Return the keys of the job's incremental inputs, as `key` and as `input.key`."""
        from dataos_dagster.flare.incremental.keys import names_of

        return names_of(job)

    def plan(self, job: Job, context: RunContext) -> JobPlan:
        """Return what the job would do, without reading rows.

        Where the engine depends on the types of columns, they are looked up as far as files and catalogs tell them,
        so that the run has the engine that the plan names. A table that an earlier job makes may not be there yet.

        Raises:
            DataOSError: It cannot be planned, or its SQL has names that mean nothing.
        """
        plan = self._foreseen(job, context)
        prospects: dict[str, tuple[str, ...]] = {}
        if plan.actions:
            from dataos_dagster.flare.actions.plan import prospects_of

            prospects |= prospects_of(plan.actions, context.door)
        if any(planned.increment for planned in plan.inputs):
            from dataos_dagster.flare.incremental.prospects import prospects_of_windows

            prospects |= prospects_of_windows(plan, context)
        return replace(plan, prospects=prospects)

    def _foreseen(self, job: Job, context: RunContext) -> JobPlan:
        """Return the plan with the engine that the types of columns ask for."""
        from dataos_dagster.flare.foresight import check_columns, columns_of_inputs, unproven_for_types

        plan = self._planned(job, context)
        if context.door.catalog.offline:
            return plan
        on_sail = self._on_sail(plan, context) if plan.route.assumed or plan.engine == "spark" else None
        if on_sail is None:
            return plan
        inputs = columns_of_inputs(on_sail, context)
        check_columns(on_sail, inputs)
        refused = unproven_for_types(on_sail, inputs) if plan.can_move else ()
        reason = f"for the types of its columns it is not proven equal there: {', '.join(refused)}"
        return self._moved(job, reason, context) if refused else plan

    def plan_errors(self, job: Job, context: RunContext, first: DataOSError) -> tuple[DataOSError, ...]:
        """Return everything that is wrong with a job whose plan has failed, not only what ended it."""
        from dataos_dagster.flare.plan_errors import plan_errors

        return plan_errors(job, context, first)

    def run(self, job: Job, context: RunContext) -> JobResult:
        """Plan a job and run it.

        Raises:
            DataOSError: It failed; what was written before the failure was told to `context.reporter`.
        """
        from dataos_dagster.flare.functions.function import EngineUnsuited

        plan = self._planned(job, context)
        if plan.findings:
            # Only plans on stand-ins have any: those are to be read, not run.
            raise plan.findings[0]
        if plan.engine == "spark":
            self._check_columns(plan, context)
        try:
            return self._run(plan, context)
        except EngineUnsuited as error:
            # Types are known only now. All of them are looked at before the first output, so nothing has been written.
            if not plan.can_move:
                raise
            self._check_columns(plan, context)
            context.reporter.note(job.id, f"{error.message}; the job starts again on Spark")
            return self._run(self._moved(job, error.message, context), context)

    def _planned(self, job: Job, context: RunContext) -> JobPlan:
        """Return the plan as far as the manifest's text tells it."""
        from dataos_dagster.flare.foresight import check_functions
        from dataos_dagster.flare.plan import plan_job

        plan = plan_job(
            job,
            door=context.door,
            settings=context.settings,
            availability=context.availability,
            requested=context.engine_of(job.id),
            keys=context.keys,
        )
        check_functions(plan)
        return plan

    def _on_sail(self, plan: JobPlan, context: RunContext) -> JobPlan | None:
        """Return the plan on Sail of a job that may choose its engine; None when Sail cannot serve it."""
        if plan.requested != "auto" or plan.engine == "sail":
            return plan if plan.engine == "sail" else None
        try:
            return self._planned(plan.job, replace(context, engine="sail"))
        except DataOSError:
            return None

    def _check_columns(self, plan: JobPlan, context: RunContext) -> None:
        """Refuse misspelt columns before a JVM is started, which takes many seconds."""
        from dataos_dagster.flare.foresight import check_columns, columns_of_inputs

        if on_sail := self._on_sail(plan, context):
            check_columns(on_sail, columns_of_inputs(on_sail, context))

    def _moved(self, job: Job, reason: str, context: RunContext) -> JobPlan:
        moved = self._planned(job, replace(context, engine="spark"))
        return replace(moved, route=replace(moved.route, reasons=(f"not on Sail: {reason}",)))

    def _run(self, plan: JobPlan, context: RunContext) -> JobResult:
        from dataos_dagster.flare.job import run_plan
        from dataos_dagster.flare.recovery import run_with_one_restart

        context.reporter.job_started(plan.job.id, plan.engine, plan.route.reasons)
        return run_with_one_restart(plan, context, lambda: run_plan(plan, context))

    def _outputs(self, job: Job) -> Iterator[Address]:
        for entry in flare_spec(job).job.outputs:
            if entry.address is not None:
                yield entry.address

    def _inputs(self, job: Job) -> Iterator[Address]:
        for entry in flare_spec(job).job.inputs:
            if entry.address is not None:
                yield entry.address

    def _queried(self, job: Job) -> Iterator[Address]:
        """Yield the datasets of inputs by `query`; one that cannot be read fails when the job is planned."""
        queries = [entry.query for entry in flare_spec(job).job.inputs if entry.query is not None]
        if not queries:
            return
        from dataos_dagster.flare.query_inputs import datasets_of_query

        for query in queries:
            try:
                yield from datasets_of_query(query)
            except DataOSError:
                continue

    def _named_in_sql(self, job: Job) -> Iterator[Address]:
        """Yield datasets that steps name as depot.collection.dataset; what does not parse fails when it is planned."""
        items = (item for step in flare_spec(job).job.steps for item in step.sequence)
        texts = [item.sql for item in items if item.sql is not None and _may_name_dataset(item.sql)]
        wheres = (action.delete_where for action in flare_spec(job).job.actions)
        texts += [f"SELECT 1 WHERE {where}" for where in wheres if where and _may_name_dataset(where)]
        if not texts:
            return
        from dataos_dagster.address import Address
        from dataos_dagster.flare.sql import parse_statement

        for text in texts:
            try:
                relations = parse_statement(text).relations
                named = [relation.parts for relation in relations if len(relation.parts) > _VIEW_PARTS]
                yield from (Address.parse(".".join(f'"{part}"' for part in parts)) for parts in named)
            except DataOSError:
                # Told with its line when the job is planned; ordering jobs must not fail on it.
                continue


_DATASET_NAME = re.compile(r"(?:from|join|,)\s*[`\w]+\s*\.\s*[`\w]+\s*\.", re.IGNORECASE)
# A view has one part, a file behind a format two, a dataset three or more.
_VIEW_PARTS = 2


def _files_of(job: FlareJob) -> Iterator[Address]:
    """Yield the addresses of files and folders that are no datasets: schemas and checkpoints."""
    schemas = (entry.schema_path for entry in job.inputs if entry.schema_string is None)
    checkpoints = [place for out in job.outputs for place in (out.checkpoint_location, out.options.checkpoint_location)]
    checkpoints += [job.streaming.checkpoint_location] if job.streaming else []
    for text in (*schemas, *checkpoints):
        if text is not None and is_address(text):
            yield parse_address(text)


def _is_stream(entry: FlareInput, stream_depots: frozenset[str]) -> bool:
    if entry.is_stream is not None or entry.address is None:
        return bool(entry.is_stream)
    return entry.address.depot.lower() in stream_depots


def _deleted_from(action: Action, inputs: Sequence[FlareInput]) -> Address | None:
    """Return the dataset of which an action deletes rows; None of every other action, and without an address."""
    if action.name != "delete_from_dataset":
        return None
    named = [entry for entry in inputs if action.input is None or entry.name.lower() == action.input.lower()]
    return named[-1].address if named else None


def _may_name_dataset(sql: str) -> bool:
    """Return whether it is worth parsing: thousands of jobs are ordered on load, and hardly any names a dataset."""
    return sql.count(".") >= _VIEW_PARTS and _DATASET_NAME.search(sql) is not None


FLARE = FlareStack()
