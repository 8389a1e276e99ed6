"""The engine's side of writing a stream batch by batch: tell the process that runs the job, and wait.

Spark calls a function for each micro-batch in a Python process of its own. This is all that runs there: it names the
batch as a view of the session, says so on a socket, and waits for the answer. Credentials, locks and the state of the
job stay in the process that has them.
"""

from __future__ import annotations

import json
import socket
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame


class BatchNotWritten(Exception):
    """The process that runs the job could not write a batch, or is gone; ends the query."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Hands a micro-batch to the process that listens at a path. Pickled by name, so that the engine can have it."""

    path: str

    def __call__(self, frame: DataFrame, batch: int) -> None:
        """Return when the batch is written.

        Raises:
            BatchNotWritten: It is not.
        """
        view = f"dataos_batch_{uuid.uuid4().hex}"
        frame.createOrReplaceTempView(view)
        try:
            answer = self._ask({"view": view, "batch": batch})
        finally:
            frame.sparkSession.catalog.dropTempView(view)
        if answer != "written":
            raise BatchNotWritten(answer)

    def _ask(self, question: dict[str, object]) -> str:
        with socket.socket(socket.AF_UNIX) as channel:
            try:
                channel.connect(self.path)
                channel.sendall(json.dumps(question).encode() + b"\n")
                with channel.makefile("r", encoding="utf-8") as answers:
                    answer = answers.readline()
            except OSError as error:
                raise BatchNotWritten(f"the process that runs the job is gone: {error}") from None
        if not answer:
            raise BatchNotWritten("the process that runs the job ended while it wrote the batch")
        return str(json.loads(answer))
