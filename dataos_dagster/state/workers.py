"""Which process did something, as it is recorded: by machine, number and start, because numbers are used again."""

from __future__ import annotations

import os
import socket

from dataos_dagster.processes import start_time


def this_process() -> tuple[str, int, str]:
    """Return the machine, number and start of this process."""
    return socket.gethostname(), os.getpid(), start_time(os.getpid()) or ""


def is_gone(host: str | None, pid: int | None, started: str | None) -> bool:
    """Return whether a process of this machine has ended; of other machines nothing is known from here."""
    return host == socket.gethostname() and (pid is None or start_time(pid) != started)
