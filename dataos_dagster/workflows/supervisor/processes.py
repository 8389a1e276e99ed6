"""Services as processes of this machine. They outlive whoever starts them: a daemon that comes back finds them running.

A process is recognised by its number and its start, because numbers are used again.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataos_dagster.naming import slug
from dataos_dagster.processes import start_time
from dataos_dagster.workflows.supervisor.logs import last_lines, put_aside
from dataos_dagster.workflows.supervisor.records import FOLDER_VARIABLE, Records
from dataos_dagster.workflows.supervisor.service import Actual

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.supervisor.service import Service

FOLDER = "services"
# The first pause after an unasked end; each further one in a row is twice as long.
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
# Who ran for so long before the end is taken to have been well.
WELL_AFTER = timedelta(minutes=10)


@dataclass
class ProcessRuntime:
    """Runs services as processes, with a folder for each.

    Attributes:
        folder: Of all services of a project.
    """

    folder: Path
    _children: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, settings: Settings) -> ProcessRuntime:
        """Return the runtime of a project."""
        return cls(settings.make_state_folder() / FOLDER)

    def records(self, name: str) -> Records:
        """Return the folder of one service."""
        return Records(self.folder / slug(*name.split("/")))

    def start(self, service: Service, scope: str) -> None:
        """Start a service unless a copy of it runs; what it prints goes to its log."""
        records = self.records(service.name)
        with records.changing():
            if self.actual(service.name).is_running:
                return
            put_aside(records.log)
            values: dict[str, Any] = {"name": service.name, "scope": scope, "generation": service.generation}
            values |= {"pid": None, "started": None, "since": _now().isoformat(), "stopping_since": None}
            # Before it is started: should we die then, its pid is in what it notes itself.
            records.note_process(values)
            with records.log.open("ab") as log:
                process = subprocess.Popen(
                    service.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, FOLDER_VARIABLE: str(records.folder)},
                    # Out of the reach of signals to whoever starts it.
                    start_new_session=True,
                )
            # It outlives us, which Popen would complain of; its end is looked for by number.
            process.returncode = 0
            self._children.add(process.pid)
            records.note_process({**values, "pid": process.pid, "started": start_time(process.pid)})

    def ask_to_end(self, name: str) -> None:
        """Send a service SIGTERM, once."""
        records = self.records(name)
        with records.changing():
            if self.actual(name).stopping_since is None and self._signal(name, signal.SIGTERM):
                records.note_process({**records.process, "stopping_since": _now().isoformat()})

    def kill(self, name: str) -> None:
        """Send a service SIGKILL; its engine notices and ends too."""
        with self.records(name).changing():
            self._signal(name, signal.SIGKILL)

    def forgive(self, name: str) -> None:
        """Forget how often a service has failed: its next start need not wait. The end that was seen stays counted."""
        records = self.records(name)
        with records.changing():
            ended = self._process(records).get("started")
            seen = {} if self.actual(name).is_running else {"of": ended, "failures": 0}
            records.note_ends(seen)

    def adopt(self, name: str, scope: str) -> None:
        """Note that a service belongs to another scope now, which ends it when no manifest wants it any more."""
        records = self.records(name)
        with records.changing():
            if records.process:
                records.note_process({**records.process, "scope": scope})

    def actual(self, name: str) -> Actual:
        """Return what there is of a service; an end that nobody asked for is counted when it is first seen."""
        records = self.records(name)
        process = self._process(records)
        if not process:
            return Actual(name, wish=records.wish)
        running = self._is_running(process)
        ends = records.ends if running else self._counted_end(records, process)
        return Actual(
            name,
            scope=process["scope"],
            generation=process["generation"],
            pid=process["pid"] if running else None,
            since=datetime.fromisoformat(process["since"]),
            stopping_since=_moment(process.get("stopping_since")),
            wish=records.wish,
            failures=ends.get("failures", 0),
            next_start=_moment(ends.get("next_start")),
            report=records.report,
        )

    def names(self) -> tuple[str, ...]:
        """Return the names of all services that were ever started."""
        if not self.folder.is_dir():
            return ()
        found = (Records(folder).process.get("name") for folder in sorted(self.folder.iterdir()))
        return tuple(name for name in found if name)

    def log(self, name: str, lines: int) -> str:
        """Return the last lines that a service has printed, also those in the log that was put aside last."""
        return "\n".join(last_lines(self.records(name).log, lines))

    def _counted_end(self, records: Records, process: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the account of ends, with this one in it; one that was asked for is not one."""
        ends = records.ends
        # Without a pid it is being started at this moment, or whoever did it has died over it.
        if process["pid"] is None or ends.get("of") == process["started"]:
            return ends
        asked = process.get("stopping_since") is not None
        ran = _now() - datetime.fromisoformat(process["since"])
        failures = 0 if asked else 1 if ran > WELL_AFTER else ends.get("failures", 0) + 1
        pause = min(FIRST_PAUSE * 2 ** max(failures - 1, 0), LONGEST_PAUSE)
        counted = {"of": process["started"], "failures": failures}
        counted["next_start"] = (_now() + pause).isoformat() if failures else None
        records.note_ends(counted)
        return counted

    def _process(self, records: Records) -> Mapping[str, Any]:
        """Return the process of a service: the one that was noted, unless another one says that it is it, and lives."""
        noted, lived = records.process, records.lived
        if noted and lived and lived["started"] != noted["started"] and self._is_running(lived):
            return {**noted, **lived}
        return noted

    def _is_running(self, process: Mapping[str, Any]) -> bool:
        running = process["started"] is not None and start_time(process["pid"]) == process["started"]
        if not running and process["pid"] in self._children:
            # Nothing is left of a child whose end somebody has asked for.
            with suppress(ChildProcessError):
                os.waitpid(process["pid"], os.WNOHANG)
            self._children.discard(process["pid"])
        return running

    def _signal(self, name: str, number: signal.Signals) -> bool:
        process = self._process(self.records(name))
        if not process or not self._is_running(process):
            return False
        with suppress(ProcessLookupError):
            os.kill(process["pid"], number)
        return True


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
