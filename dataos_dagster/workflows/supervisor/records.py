"""What is known of a service on this machine: a folder with small files, each written whole or not at all.

They stand beside the processes that they speak of and not in the state database, which several machines may share.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from dataos_dagster.processes import start_time
from dataos_dagster.workflows.supervisor.service import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dataos_dagster.workflows.supervisor.service import Wish

FOLDER_VARIABLE = "DATAOS_SERVICE_FOLDER"


@dataclass(frozen=True, slots=True)
class Records:
    """The folder of one service."""

    folder: Path

    @property
    def log(self) -> Path:
        """Return the file that takes what the service prints."""
        return self.folder / "log"

    @property
    def process(self) -> Mapping[str, Any]:
        """Return name, scope, generation, pid and start of the process that was started last; empty when none was.

        Pid and start are None when whoever started it did not live to note them.
        """
        return self._read("process.json")

    def note_process(self, values: Mapping[str, Any]) -> None:
        """Note which process was started."""
        self._write("process.json", values)

    @property
    def wish(self) -> Wish:
        """Return what somebody has asked for by hand."""
        return cast("Wish", self._read("wish.json").get("state", "running"))

    def note_wish(self, wish: Wish) -> None:
        """Note what somebody asks for; it holds until somebody asks for something else."""
        self._write("wish.json", {"state": wish})

    @property
    def ends(self) -> Mapping[str, Any]:
        """Return how often the service has ended in a row without being asked to, and when it may start again."""
        return self._read("ends.json")

    def note_ends(self, values: Mapping[str, Any]) -> None:
        """Note an end, or that there is none to speak of."""
        self._write("ends.json", values)

    @property
    def report(self) -> Report | None:
        """Return what the service last said of itself."""
        told = self._read("report.json")
        if not told:
            return None
        return Report(datetime.fromisoformat(told["at"]), told["state"], told["message"], tuple(told["metrics"]))

    def tell(self, report: Report) -> None:
        """Say how the service is; called by itself."""
        values = {"at": report.at.isoformat(), "state": report.state, "message": report.message}
        self._write("report.json", values | {"metrics": [dict(found) for found in report.metrics]})

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other supervisors from starting or stopping the service meanwhile."""
        with self._locked("changing.lock", wait=True):
            yield

    @contextmanager
    def living(self) -> Iterator[bool]:
        """Be the one copy of the service for the block's time; yields False when another one is.

        The kernel's lock ends with the process, however that ends: no copy can be started beside one that lives, not
        even by somebody who has lost these files' content.
        """
        with self._locked("living.lock", wait=False) as held:
            if held:
                self._write("living.json", {"pid": os.getpid(), "started": start_time(os.getpid())})
            yield held

    @property
    def lived(self) -> Mapping[str, Any]:
        """Return pid and start of the copy that lives, or lived last, as it says itself."""
        return self._read("living.json")

    @contextmanager
    def _locked(self, name: str, *, wait: bool) -> Iterator[bool]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / name).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, values: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{name}.{uuid.uuid4().hex}"
        partial.write_text(json.dumps(values), "utf-8")
        partial.replace(self.folder / name)
