"""Start a server as a child process, wait until it answers, and stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"


class ServerFailed(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class ServerProcess:
    """A running child and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> ServerProcess:
        """Start a command, its output in `log`. It ends with the test process, even when that is killed."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                # The kernel forgets the parent where the account changes, so that comes first.
                [*as_account(user), *_ends_with_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        return cls(name, process, log, stop_signal)

    def wait_until(self, answers: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until the server answers.

        Raises:
            ServerFailed: It ended, or does not answer in time. It is stopped then.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with {self.process.returncode}:\n{self._tail()}")
            if answers():
                return
            time.sleep(0.05)
        self.stop()
        raise ServerFailed(f"{self.name} does not answer after {seconds:.0f} s:\n{self._tail()}")

    def stop(self) -> None:
        """Ask the server to end, and kill it when it does not within 20 s."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])


def port_is_open(port: int) -> bool:
    """Return whether somebody accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def as_account(user: str | None) -> list[str]:
    """Return the words in front of a command that let another account of the system run it.

    Python itself would have to fork for that, and gRPC's threads, of an engine that is open by then, break the child.
    """
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []


def _ends_with_parent() -> list[str]:
    return ["setpriv", "--pdeathsig=KILL"] if sys.platform == "linux" else []
