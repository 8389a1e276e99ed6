"""Engine processes: start one that cannot outlive us, and recognise one that somebody else started.

`Child` is an engine that this process owns. `EngineProcess` only names one, across processes and restarts: it is what
a write's intent records, so that whoever comes next can wait for a Spark that outlived its client before it touches the
table.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dataos_dagster.errors import EngineUnavailable
from dataos_dagster.processes import kill_group, start_time

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

_WATCHDOG = Path(__file__).with_name("watchdog.py")
_POLL_SECONDS = 0.02
# A JVM with open tables takes up to two seconds to end; after this it is killed.
GRACE_SECONDS = 10.0
# A log that has grown to this is put aside, and the one before it is deleted.
LOG_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process by number and start time, so that a reused number is not mistaken for it.

    Attributes:
        pid: Process id.
        started: When it started, in a form that only this class reads.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the process that has this number now, or None when there is none."""
        started = start_time(pid)
        return cls(pid, started) if started else None

    def is_running(self) -> bool:
        """Return whether this very process is still there."""
        return start_time(self.pid) == self.started

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most so long; return whether it has."""
        deadline = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """End it: SIGTERM, and SIGKILL after the grace period (seconds)."""
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
            if not self.is_running():
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
            if self.wait(seconds):
                return


class Child:
    """An engine's server that this process started.

    It ends with this process, also when this process is killed (see `watchdog`).

    Args:
        name: What it is, for messages.
        command: Program and arguments.
        environment: Its whole environment.
        log: File that takes what it prints; `<log>.1` takes what it printed before, once that is much.

    Raises:
        EngineUnavailable: It could not be started at all.
    """

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._owner = os.getpid()
        # To its end, whoever else writes to it: the watchdog puts it aside and begins it anew.
        with log.open("ab") as output:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WATCHDOG), str(GRACE_SECONDS), str(log), str(LOG_BYTES), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=dict(environment),
                # Out of the terminal's reach: Ctrl-C is for us, and we end the engine in good order.
                start_new_session=True,
            )
        assert self._watchdog.stdout is not None  # noqa: S101 - it was asked for above
        with self._watchdog.stdout as answer:
            line = answer.readline()
        process = EngineProcess.of(int(line)) if line.strip() else None
        if process is None:
            self._end_watchdog()
            raise EngineUnavailable(f"{name} ended as it started: {self.last_words()}", hint=f"its log is {log}")
        self.process: EngineProcess = process

    def is_running(self) -> bool:
        """Return whether the engine's process is there."""
        return self.process.is_running()

    def exit_status(self) -> int | None:
        """Return the engine's exit status once it has ended; 128 + n when signal n ended it."""
        try:
            return self._watchdog.wait(_POLL_SECONDS if self.is_running() else GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        """Return the first match of a pattern in what the engine prints.

        Args:
            pattern: What a ready engine prints.
            seconds: How long to wait for it.

        Raises:
            EngineUnavailable: The engine ended before, or the time is over; says what it printed last.
        """
        deadline = time.monotonic() + seconds
        while True:
            running = self.is_running()
            found = pattern.search(self.log.read_text("utf-8", "replace"))
            if found:
                return found
            if not running or time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
        outcome = f"did not start within {seconds:.0f} s" if running else f"ended with status {self.exit_status()}"
        words = self.last_words()
        self.close(keep_log=True)
        raise EngineUnavailable(f"{self.name} {outcome}: {words}", hint=f"its log is {self.log}")

    def last_words(self, lines: int = 3) -> str:
        """Return the last lines that it printed, without stack traces, joined by `; `."""
        said: deque[str] = deque(maxlen=lines)
        for file in (self._earlier_log, self.log):
            if file.exists():
                with file.open(encoding="utf-8", errors="replace") as log:
                    said.extend(line.strip() for line in log if line.strip() and not line.startswith("\tat "))
        return "; ".join(said) or "it printed nothing"

    @property
    def _earlier_log(self) -> Path:
        return self.log.with_name(f"{self.log.name}.1")

    def close(self, *, keep_log: bool = False) -> None:
        """End the engine and wait until it is gone; its log goes with it unless it is to be kept."""
        if os.getpid() != self._owner:
            return  # a forked copy of us does not own it
        self._end_watchdog()
        if self._watchdog.returncode < 0:
            # Killed, before it could end what the engine has started.
            kill_group(self.process.pid, self.process.started)
        if not keep_log:
            self.log.unlink(missing_ok=True)
            self._earlier_log.unlink(missing_ok=True)

    def _end_watchdog(self) -> None:
        """Tell the watchdog to end the engine and itself, and wait for it."""
        if self._watchdog.stdin and not self._watchdog.stdin.closed:
            self._watchdog.stdin.close()
        try:
            self._watchdog.wait(GRACE_SECONDS * 2)
        except subprocess.TimeoutExpired:
            # The engine dies with it (Linux), or follows as an orphan that was already told to end.
            self._watchdog.kill()
            self._watchdog.wait()
