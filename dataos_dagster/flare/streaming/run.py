"""Run the queries of a job: until each has done what was there, or until somebody stops them."""

from __future__ import annotations

import re
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.door import columns_of
from dataos_dagster.depots.streams import end_query, start_batches
from dataos_dagster.errors import DataOSError, EngineError, StepError
from dataos_dagster.flare.streaming.batches import BatchListener, BatchWriter
from dataos_dagster.flare.streaming.checkpoints import take, unfinished_batch
from dataos_dagster.flare.streaming.failures import stream_error
from dataos_dagster.flare.streaming.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery

    from dataos_dagster.depots.door import Column
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.streaming.plan import PlannedStream, StreamPlan
    from dataos_dagster.workflows.context import RunContext

_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1
# Spark keeps a hundred reports: batches of thirty milliseconds are all told of.
_ALONE_SECONDS = 3
_REPEAT_SECONDS = 0.2
# For the reason of an end that has come already.
_END_SECONDS = 5
_FAILS_TO_REPORT = re.compile(r'Cannot invoke "[\w.]*IterableOps\.map\(.*"[\w.]*Option\.get\(\)" is null')
# More than Spark tells of at once, so that none is counted twice; a stream without an end has any number.
_SEEN = 300
# How long a batch that is under way is waited for when a stream is to stop.
DRAIN_SECONDS = 30.0


@dataclass
class RunningQuery:
    """One query at work.

    Attributes:
        planned: What it does.
        query: Spark's handle.
        listener: Takes its micro-batches, where this package writes them.
        schema: Columns of the rows that it writes.
        seen: Progress of the last micro-batches, by number.
        earlier: The query that repeated the batch which was under way when the stream ended the last time.
        is_untold: A batch was done that Spark could not report.
    """

    planned: PlannedStream
    query: StreamingQuery
    listener: BatchListener | None
    session: EngineSession
    sources: tuple[PlannedInput, ...]
    schema: tuple[Column, ...]
    seen: dict[int, Progress] = field(default_factory=dict)
    earlier: RunningQuery | None = None
    is_untold: bool = False
    _written_before: int = 0

    @property
    def has_worked(self) -> bool:
        """Return whether there was a micro-batch."""
        return bool(self.seen) or self.earlier is not None

    @property
    def rows(self) -> int | None:
        """Return the rows written so far; None where the store, or Spark, does not count them."""
        before = self.earlier.rows if self.earlier else 0
        written: int | None
        if self.listener is not None:
            written = self.listener.writer.rows
        elif self.is_untold:
            written = None
        else:
            written = self._written_before + sum(progress.written for progress in self.seen.values())
        return None if written is None or before is None else before + written

    @property
    def last(self) -> Progress | None:
        """Return the progress of the last micro-batch."""
        return self.seen[max(self.seen)] if self.seen else None

    @property
    def created(self) -> bool:
        """Return whether the dataset was made by one of the batches."""
        here = self.listener is not None and self.listener.writer.created
        return here or (self.earlier is not None and self.earlier.created)

    @property
    def snapshot_id(self) -> str | None:
        """Return the snapshot that the last batch made, where this package wrote it."""
        here = self.listener.writer.snapshot_id if self.listener else None
        return here or (self.earlier.snapshot_id if self.earlier else None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is worth knowing about the batches, each a sentence."""
        repeated = self.listener.writer.repeated if self.listener else []
        dataset = self.planned.output.dataset
        said = tuple(f"micro-batch {batch} was in {dataset} already, and was left out" for batch in repeated)
        return (*(self.earlier.notes if self.earlier else ()), *said)

    def look(self) -> None:
        """Ask Spark what has happened since the last look.

        Raises:
            DataOSError: The query has failed.
        """
        with self.failures():
            for told in self._reports():
                progress = Progress.of(told)
                self.seen[progress.batch] = progress
        while len(self.seen) > _SEEN:
            self._written_before += self.seen.pop(min(self.seen)).written

    def explained(self) -> str:
        """Return the engine's plans of the last micro-batch.

        Raises:
            DataOSError: The engine does not tell them.
        """
        from pyspark.sql.connect.proto import StreamingQueryCommand

        command = StreamingQueryCommand()
        command.explain.extended = True
        with self.failures():
            told = self.query._execute_streaming_query_cmd(command)  # noqa: SLF001 - `explain` prints what it returns
        return str(told.explain.result)

    def _reports(self) -> Sequence[Mapping[str, Any]]:
        """Return what Spark reports of the batches since the last look: the last report where that is all."""
        last = self.query.lastProgress
        if last is None or (self.seen and last["batchId"] <= max(self.seen) + 1):
            return [last] if last else []
        reports: Sequence[Mapping[str, Any]] = self.query.recentProgress
        return reports

    def has_ended(self) -> bool:
        """Return whether the query has ended.

        Raises:
            DataOSError: It has failed.
        """
        with self.failures():
            # Of a query that failed this raises the reason.
            return not self.query.isActive and bool(self.query.awaitTermination(_END_SECONDS))

    def wait(self, seconds: float) -> None:
        """Wait until the query ends, at most so long.

        Raises:
            DataOSError: It has failed.
        """
        with self.failures():
            self.query.awaitTermination(seconds)

    def drain(self, seconds: float) -> None:
        """Let the batch that is under way end, at most so long, and stop."""
        deadline = time.monotonic() + seconds
        with self.failures():
            while self.query.isActive and self.query.status["isTriggerActive"] and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            self.query.stop()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Say of a failure what it means for the stream."""
        try:
            with self.session.failures():
                yield
        except EngineError as error:
            cause = self.listener.error if self.listener else None
            raise stream_error(error, self.planned, self.sources, cause) from (cause or error)


@dataclass(frozen=True, slots=True)
class StreamWork:
    """What queries have of the job that they belong to.

    Attributes:
        context: The way to the data, and who asks.
        session: Where the views are.
        sources: The streams that the job reads.
        prepare: Makes the rows that are written of the rows of a view.
        view_of: Tells the view that a query writes.
        inspect: Looks at a micro-batch, by the name of its view, before it is written; raises when it must not be.
        turn: One micro-batch of the session is written at a time.
    """

    context: RunContext
    session: EngineSession
    sources: tuple[PlannedInput, ...]
    prepare: Callable[[DataFrame, PlannedStream], DataFrame]
    view_of: Callable[[PlannedStream], str]
    inspect: Callable[[PlannedStream, str], None]
    turn: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def running(
    plan: StreamPlan,
    work: StreamWork,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Iterator[tuple[RunningQuery, ...]]:
    """Start all queries of a job, for the block's time; fewer when somebody stops them before.

    Args:
        plan: What to start.
        work: What the queries need of their job.
        tell: Told again and again what is done before the queries start, as long as the engine does it.
        stop: Set when nobody wants the queries any more.

    Raises:
        DataOSError: A checkpoint is that of another stream, or a query could not be started.
    """
    stop = stop or threading.Event()
    with ExitStack() as stack, work.session.stopped_on_interrupt():
        started = []
        for planned in plan.queries:
            take(planned.query.checkpoint, planned.owner, planned.checkpoint_location)
            left, earlier = unfinished_batch(planned.query.checkpoint), None
            if left is not None:
                with _started(planned, work) as earlier:
                    _repeat(earlier, left, tell, stop)
            if stop.is_set():
                break
            query = stack.enter_context(_started(planned, work))
            query.earlier = earlier
            started.append(query)
        yield tuple(started)


def _repeat(query: RunningQuery, batch: int, tell: Callable[[str], None], stop: threading.Event) -> None:
    """Wait until the batch that was under way when a stream was killed has been done, by a query of its own.

    Spark 4.1.1 does it, notes it in the checkpoint, and then ends the query while it reports the batch, because it has
    not asked Kafka for the newest offsets yet (SPARK-55271). Started again it has nothing to repeat.

    A stop waits for it as for any batch: for a while, and then it comes again at the next start.
    """
    dataset = query.planned.output.dataset
    try:
        while not query.has_ended() and (query.last is None or query.last.batch < batch):
            query.look()
            # It may take as long as it took before it was killed, which may be hours after a first batch of everything.
            tell(f"micro-batch {batch} of {dataset} was under way when the stream ended, and is repeated")
            if stop.wait(_REPEAT_SECONDS):
                query.drain(DRAIN_SECONDS)
                return
    except DataOSError as error:
        if not _FAILS_TO_REPORT.search(error.message):
            raise
        query.is_untold = batch not in query.seen


@contextmanager
def _started(planned: PlannedStream, work: StreamWork) -> Iterator[RunningQuery]:
    output, context, session = planned.output, work.context, work.session
    frame = session.spark.table(work.view_of(planned))
    try:
        with session.failures(output.location):
            made = work.prepare(frame, planned)
            columns = columns_of(made)
        if not planned.batches:
            with context.door.write_stream(made, output.request, session, context.principal, planned.query) as query:
                yield RunningQuery(planned, query, None, session, work.sources, columns)
            return
        writer = BatchWriter(planned, work)
        with BatchListener(writer) as listener:
            query = start_batches(frame, planned.query, listener.handover, session)
            writer.begin(query.id)
            try:
                yield RunningQuery(planned, query, listener, session, work.sources, columns)
            finally:
                end_query(query, session)
    except DataOSError as error:
        error.location = error.location or output.location
        raise


def finish(queries: tuple[RunningQuery, ...]) -> None:
    """Wait until every query has done what was there when it started.

    Raises:
        DataOSError: One failed.
    """
    waiting = list(queries)
    while waiting:
        # The engine answers when the query ends; whatever else it is asked meanwhile takes time from the query.
        waiting[0].wait(_LOOK_SECONDS if len(waiting) > 1 else _ALONE_SECONDS)
        waiting = [query for query in waiting if not query.has_ended()]
        for query in queries:
            query.look()


def keep_running(
    queries: tuple[RunningQuery, ...], stop: threading.Event, tell: Callable[[tuple[RunningQuery, ...]], None]
) -> None:
    """Wait until somebody stops the queries, and let the batches that are under way end.

    Args:
        queries: All queries of the job.
        stop: Set when they are to stop.
        tell: Told how far they are, every second.

    Raises:
        DataOSError: One failed, or was stopped by somebody else.
    """
    while not stop.wait(_LOOK_SECONDS):
        for query in queries:
            if query.has_ended():
                output = query.planned.output
                raise StepError(
                    f"{output.label}: the query that writes {output.dataset} was stopped on its engine",
                    step=output.label,
                    location=output.location,
                    retryable=True,
                )
            query.look()
        tell(queries)
    for query in queries:
        query.drain(DRAIN_SECONDS)
        query.look()
    tell(queries)
