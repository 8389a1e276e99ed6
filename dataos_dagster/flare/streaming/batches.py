"""Write micro-batches one by one through the door, each at most once where the dataset keeps account."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dataos_dagster.depots.streams import batch_mark
from dataos_dagster.errors import EngineUnavailable
from dataos_dagster.flare.streaming.handover import Handover

if TYPE_CHECKING:
    from types import TracebackType

    from dataos_dagster.depots.requests import WriteResult
    from dataos_dagster.flare.streaming.plan import PlannedStream
    from dataos_dagster.flare.streaming.run import StreamWork

_ACCEPT_SECONDS = 0.5


@dataclass
class BatchWriter:
    """Writes the micro-batches of one query.

    Attributes:
        work: What it needs of the job. One batch of a session is written at a time: its commits carry properties of
            the session.
        stream: Id of the query, which its checkpoint keeps; known once it has started.
        rows: Rows that were written, as far as the store counts them; None when it does not.
        created: One of the batches made the dataset.
        snapshot_id: State of the dataset after the last batch, where it has one.
        repeated: Batches that were there already.
        settled: Nobody else's engine writes to the dataset any more.
        written: The last batch that is known to be there; only one up to it, or the first, can be a repetition.
    """

    planned: PlannedStream
    work: StreamWork
    stream: str | None = None
    rows: int | None = 0
    created: bool = False
    snapshot_id: str | None = None
    repeated: list[int] = field(default_factory=list)
    settled: bool = False
    written: int | None = None
    known: threading.Event = field(default_factory=threading.Event)

    def begin(self, stream: str) -> None:
        """Say which query it is: from now on batches are written."""
        self.stream = stream
        self.known.set()

    def write(self, view: str, batch: int) -> None:
        """Write the batch that a view holds, unless the dataset has it.

        Raises:
            DepotError: It cannot be written; the dataset is as before.
            AssertionsFailed: Assertions in front of the output do not let it pass.
            EngineError: The engine failed, or the query never started.
        """
        # The first batch may come before whoever started the query has heard its id.
        self.known.wait()
        if self.stream is None:
            raise EngineUnavailable(f"{self.planned.output.label}: its query did not start")
        context, session, output = self.work.context, self.work.session, self.planned.output
        mark = batch_mark(self.stream, batch)
        with self.work.turn:
            if not self.settled:
                # The engine of a stream that was killed may live on for seconds and commit this very batch.
                context.door.settle(output.request, context.principal)
                self.settled = True
            if (self.written is None or batch <= self.written) and self._is_there(mark):
                self.repeated.append(batch)
                self.written = batch
                return
            self.work.inspect(self.planned, view)
            with session.failures(output.location):
                frame = self.work.prepare(session.spark.table(view), self.planned)
                request = replace(output.request, mark=mark, operation=mark)
                result = context.door.write(frame, request, session, context.principal)
            self.written = batch
        self._count(result)

    def _is_there(self, mark: str) -> bool:
        """Return whether the dataset shows a batch, which costs a list of its files, or of its commits.

        A store that has forgotten its older writes (a Delta log after its retention) shows a batch no longer: one whose
        stream stood still for so long is written again.
        """
        evidence = self.work.context.door.evidence(self.planned.output.request)
        return evidence is not None and evidence.shows(mark) is True

    def _count(self, result: WriteResult) -> None:
        self.rows = None if self.rows is None or result.rows is None else self.rows + result.rows
        self.created = self.created or result.created
        self.snapshot_id = result.snapshot_id or self.snapshot_id


class BatchListener:
    """Listens for the micro-batches of one query, for a block's time.

    Attributes:
        error: Why a batch could not be written; the query ends with a shorter story.
    """

    def __init__(self, writer: BatchWriter) -> None:
        self.writer = writer
        self.error: Exception | None = None
        # Only we may enter the folder, so nobody else can hand us a view.
        self._folder = Path(tempfile.mkdtemp(prefix="dataos-batches-"))
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self._folder / "s"))
        self._socket.listen()
        self._socket.settimeout(_ACCEPT_SECONDS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="dataos-batches", daemon=True)

    @property
    def handover(self) -> Handover:
        """Return the function that the engine is given."""
        return Handover(str(self._folder / "s"))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self.writer.known.set()
        self._thread.join()
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                channel, _ = self._socket.accept()
            except TimeoutError:
                continue
            with channel, suppress(BrokenPipeError, ConnectionResetError):
                channel.settimeout(None)
                channel.sendall(json.dumps(self._answer(channel)).encode() + b"\n")

    def _answer(self, channel: socket.socket) -> str:
        with channel.makefile("r", encoding="utf-8") as lines:
            try:
                asked = json.loads(lines.readline())
            except ValueError:
                # The engine's process ended in the middle of a line, or before it; the next one asks again.
                asked = None
        if self._closed.is_set():
            return "the job is ending"
        if asked is None:
            return "no batch was named"
        try:
            self.writer.write(asked["view"], asked["batch"])
        except Exception as error:  # noqa: BLE001 - it is raised where the job waits for its query
            self.error = error
            return f"{type(error).__name__}: {error}"
        return "written"
