"""Recognise a process across restarts: by its number and when it started, because numbers are used again."""

from __future__ import annotations

import subprocess
import sys
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
