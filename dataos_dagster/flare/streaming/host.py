"""The process of a stream that runs until it is stopped: `python -m dataos_dagster.flare.streaming.host PROJECT JOB`.

Started by the supervisor, never by a run of Dagster. It has engines of its own, tells every second how far it is,
finishes the micro-batches that are under way on SIGTERM and ends with 0 then; with 1 when the stream failed, and with 3
when another copy of it runs.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import DataOSError, JobError
from dataos_dagster.redaction import redact
from dataos_dagster.workflows.results import Reporter
from dataos_dagster.workflows.supervisor.logs import turn_own_log
from dataos_dagster.workflows.supervisor.records import FOLDER_VARIABLE, Records
from dataos_dagster.workflows.supervisor.service import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataos_dagster.flare.plan import JobPlan
    from dataos_dagster.flare.streaming.run import RunningQuery
    from dataos_dagster.workflows.context import RunContext
    from dataos_dagster.workflows.results import AssertionResult
    from dataos_dagster.workflows.supervisor.service import ReportedState

FAILED, ANOTHER_RUNS = 1, 3
HEARTBEAT_SECONDS = 10.0
# Longer than any download of jars or start of a JVM.
START_SECONDS = 1800.0

_log = logging.getLogger("dataos.stream")


class Teller:
    """Writes down how far the queries are.

    Attributes:
        records: Where to.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self._caught_up: dict[str, datetime] = {}
        self._began = _now()
        self._said = Report(self._began, "starting")
        self._heard = time.monotonic()

    def say(self, state: ReportedState, message: str | None = None, queries: Sequence[RunningQuery] = ()) -> None:
        """Say how the stream is."""
        metrics = tuple(self._metrics(query) for query in queries)
        self._said = Report(_now(), state, message, metrics)
        self._heard = time.monotonic()
        self._write(self._said)

    @contextmanager
    def starting(self, every: float = HEARTBEAT_SECONDS, patience: float = START_SECONDS) -> Iterator[None]:
        """Say for the block's time that the stream starts: jars are fetched and an engine is waited for in silence.

        Args:
            every: Seconds between two words.
            patience: Nothing more is said when so many seconds have gone by in which the block itself said nothing:
                who supervises the stream takes it to hang then.
        """
        ended = threading.Event()
        self.say("starting")

        def repeat() -> None:
            while not ended.wait(every) and time.monotonic() - self._heard < patience:
                self._write(self._said)

        thread = threading.Thread(target=repeat, name="dataos-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _write(self, report: Report) -> None:
        self.records.tell(replace(report, at=_now()))

    def _metrics(self, query: RunningQuery) -> Mapping[str, Any]:
        progress, dataset = query.last, query.planned.output.dataset
        if progress is None:
            return {"dataset": dataset}
        if not progress.behind:
            self._caught_up[dataset] = progress.at
        waiting = _now() - self._caught_up.get(dataset, self._began) if progress.behind else timedelta()
        return {
            "dataset": dataset,
            "batch": progress.batch,
            "rows": progress.rows,
            "rows_per_second": round(progress.rows_per_second, 1),
            "batch_seconds": round(progress.seconds, 3),
            "behind": progress.behind,
            # How long ago everything had been read: no message that waits is older.
            "behind_seconds": None if progress.behind is None else round(waiting.total_seconds(), 1),
            "last_checkpoint": (progress.at + timedelta(seconds=progress.seconds)).isoformat(timespec="milliseconds"),
        }


class _Log(Reporter):
    """Writes into the log what the job says of itself: nobody watches it as one watches a run."""

    def note(self, job_id: str, message: str) -> None:  # noqa: ARG002 - one job a process
        _log.info("%s", message)

    def assertions_evaluated(self, job_id: str, results: tuple[AssertionResult, ...]) -> None:  # noqa: ARG002 - one job a process
        for result in results:
            if not result.passed:
                _log.warning("failed: %s: %s", result.dataset, result)


def main(project: Path, job_id: str) -> int:
    """Run the streams of a job until SIGTERM, and return the exit status."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr)
    # What the client logs of every failed call is said by whoever handles the failure.
    logging.getLogger("pyspark").setLevel(logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    records = Records(Path(os.environ.get(FOLDER_VARIABLE) or project / ".dataos" / "services" / "unnamed"))
    with records.living() as held:
        if not held:
            _log.error("another copy of %s runs", job_id)
            return ANOTHER_RUNS
        teller = Teller(records)
        _log.info("%s starts", job_id)
        try:
            with ExitStack() as starting:
                _run(project, job_id, stop, teller, starting)
        except DataOSError as error:
            _log.error("%s failed: %s", job_id, error)
            teller.say("failed", str(error))
            return FAILED
        except Exception as fault:  # noqa: BLE001 - logged with its traceback; the supervisor shows it and starts again
            _log.exception("%s failed by a fault of dataos-dagster", job_id)
            teller.say("failed", redact(f"{type(fault).__name__}: {fault}"))
            return FAILED
        _log.info("%s has ended, as it was asked to", job_id)
        teller.say("stopped")
    return 0


def _run(project: Path, job_id: str, stop: threading.Event, teller: Teller, starting: ExitStack) -> None:
    """Run the streams; `starting` is closed when their queries have started."""
    from dataos_dagster.flare.plan import plan_job
    from dataos_dagster.identity import principal_of
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.execution import JobRunner

    starting.enter_context(teller.starting())
    settings = load_settings(project)
    loaded = load_project(settings.project, settings=settings)
    node = build_graph(loaded, default_workspace=settings.default_workspace).nodes.get(job_id)
    if node is None:
        raise JobError(f"there is no job {job_id!r} in {project}", hint="its manifest is gone, or has an error")
    if node.blocked:
        raise JobError("\n".join(map(str, node.blocked)), hint="mend the manifest", location=node.job.location())
    with JobRunner(loaded, settings) as runner:
        principal = principal_of(node.job.spec.run_as_user, node.job.workflow.envelope.owner, settings.identity)
        context = replace(runner.context(uuid.uuid4().hex, _Log(), record=False), principal=principal)
        plan = plan_job(
            node.job,
            door=context.door,
            settings=settings,
            availability=context.availability,
            requested=context.engine_of(job_id),
        )
        _keep_running(plan, context, stop, teller, starting)


def _keep_running(
    plan: JobPlan, context: RunContext, stop: threading.Event, teller: Teller, starting: ExitStack
) -> None:
    from dataos_dagster.flare.job import PlanRun
    from dataos_dagster.flare.leasing import leased
    from dataos_dagster.flare.streaming.job import started_queries
    from dataos_dagster.flare.streaming.run import keep_running

    if plan.stream is None:
        raise JobError(f"{plan.job.label} reads no stream", location=plan.job.location())
    with leased(plan, context) as session:
        run = PlanRun(plan, context, session)
        with started_queries(run, plan.stream, lambda done: teller.say("starting", done), stop) as queries:
            starting.close()
            for query in queries:
                _log.info("writes %s, checkpoint %s", query.planned.output.dataset, query.planned.query.checkpoint)
            keep_running(queries, stop, lambda found: _tell(teller, found))
        teller.say("stopping")


def _tell(teller: Teller, queries: Sequence[RunningQuery]) -> None:
    teller.say("running", None, queries)
    turn_own_log(teller.records.log)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
