"""Recognise a process across restarts: by its number and when it started, because numbers are used again.

What it has started is found by the process group that it leads, also when it is gone itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def start_time(pid: int) -> str | None:
    """Return when the process with this number started, in a form that is only good for comparing.

    None when there is no such process, or only its exit status is left.
    """
    if sys.platform == "linux":
        try:
            # The command's name stands in parentheses and may itself hold spaces and parentheses.
            fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            return None
        state, ticks = fields[0], fields[19]
        return None if state in "ZX" else f"{_BOOT_ID.read_text('ascii').strip()}:{ticks}"
    found = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    ).stdout.split(maxsplit=1)
    return None if not found or found[0].startswith("Z") else found[1].strip()


def start_moment(pid: int) -> float | None:
    """Return when the process with this number started, in seconds since 1970, to a second or so.

    None when there is no such process, or only its exit status is left.
    """
    told = start_time(pid)
    if told is None:
        return None
    if sys.platform == "linux":
        lines = Path("/proc/stat").read_text("ascii").splitlines()
        booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
        return booted + int(told.rpartition(":")[2]) / os.sysconf("SC_CLK_TCK")
    # ps tells local time.
    return datetime.strptime(told, "%a %b %d %H:%M:%S %Y").astimezone().timestamp()


def kill_group(leader: int, started: str | None) -> None:
    """Kill everything in the process group that a process leads or has led: itself, and what it left behind.

    Nothing is done when the number belongs to another process by now: it is given to none while the group has members,
    so that there are none then. Nor is anything done for a process that leads no group.

    Args:
        leader: Number of the process.
        started: When it started, as `start_time` told while it ran.
    """
    if started is None or start_time(leader) not in {None, started}:
        return
    # macOS refuses a group in which only exit statuses are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
