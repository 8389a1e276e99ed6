"""Run one engine as a child that ends when this program's parent ends, however that happens.

A program of its own (`python watchdog.py GRACE LOG LARGEST COMMAND…`), because neither way alone is enough: a process
that is killed cannot clean up, and Linux' parent-death signal follows the *thread* that started the child, which in
Dagster ends long before the process does. Here a single-threaded process of a few megabytes stands between:

- its standard input is a pipe that the parent holds open; end of file means that the parent is gone or wants an end;
- a changed parent id says the same where a forked copy of the parent still holds the pipe;
- the engine carries the parent-death signal of this process (Linux), should this one be killed itself;
- the engine leads a process group of its own: what it has started, such as Spark's Python workers, would wait for a
  dead engine for ever, and ends with it.

What the engine prints passes through here into the log, which is this process's standard error: one that has grown to
LARGEST bytes is put aside between two lines as `LOG.1`, in the place of the one before it: an engine of months fills no
disk, and what it said last is there.

It writes `PID` of the engine to standard output and exits with the engine's status (128 + n for signal n). Standard
library only: it starts with `-I -S` in some 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress

PARENT_CHECK_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_LOG = 2
# A pipe holds one piece.
_PIECE, _PIECES = 65536, 16


class Log:
    """What the engine prints, on its way into a file.

    Attributes:
        prints: Where the engine prints to.
        sources: Where that is read; empty once nobody prints any more.
    """

    def __init__(self, path: str, largest: int) -> None:
        self._path, self._largest = path, largest
        source, self.prints = os.pipe()
        os.set_blocking(source, False)
        self.sources = [source]
        self._size = os.fstat(_LOG).st_size

    def take(self) -> None:
        """Write what has been printed by now; of a flood only a part, so that nobody's end is missed over it."""
        for _ in range(_PIECES):
            piece = self._piece()
            if not piece:
                return
            if self._size + len(piece) <= self._largest:
                self._write(piece)
                continue
            whole, end, begun = piece.rpartition(b"\n")
            self._write(whole + end)
            self._put_aside()
            self._write(begun)

    def _write(self, piece: bytes) -> None:
        with suppress(OSError):  # a full disk costs the log, never the engine
            self._size += os.write(_LOG, piece)

    def _piece(self) -> bytes:
        for source in list(self.sources):
            with suppress(BlockingIOError):
                if piece := os.read(source, _PIECE):
                    return piece
                self.sources.remove(source)
        return b""

    def _put_aside(self) -> None:
        self._size = 0
        with suppress(OSError):
            os.replace(self._path, f"{self._path}.1")  # noqa: PTH105 - pathlib doubles the time of the start
            anew = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(anew, _LOG)
            os.close(anew)


def _engine(command: list[str], watchdog: int, prints: int) -> None:
    """Become the engine: the log as output, nothing as input, and an end that comes with the watchdog's."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != watchdog:
            os._exit(128 + signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(prints, 1)
    os.dup2(prints, 2)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command comes from this package, not from a user
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        return None
    # The group keeps its number for as long as somebody is in it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _end(pid: int, grace: float, log: Log) -> int:
    """Ask the engine to end, and kill it when the grace period is over; until then it may print."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (status := _ended(pid)) is None:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = float("inf")
        log.take()
        time.sleep(0.02)
    return status


def main(grace: float, log: Log, command: list[str]) -> int:
    """Run the command until it ends or the parent does; return its exit status."""
    parent, watchdog = os.getppid(), os.getpid()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    pid = os.fork()
    if pid == 0:
        _engine(command, watchdog, log.prints)
    os.close(log.prints)
    # Here as well, so that nobody hears of an engine that does not lead its group yet.
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    os.write(1, f"{pid}\n".encode())
    os.close(1)
    while (status := _ended(pid)) is None:
        readable, _, _ = select.select([0, woken, *log.sources], [], [], PARENT_CHECK_SECONDS)
        log.take()
        if woken in readable:
            os.read(woken, 4096)
        if asked or (0 in readable and not os.read(0, 4096)) or os.getppid() != parent:
            status = _end(pid, grace, log)
            break
    log.take()
    return status


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Log(sys.argv[2], int(sys.argv[3])), sys.argv[4:]))
