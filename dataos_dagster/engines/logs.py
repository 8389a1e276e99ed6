"""Logs of engines: kept when an engine has crashed, and not for ever."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.errors import SettingsError

if TYPE_CHECKING:
    from dataos_dagster.settings import Settings

# A stream whose engine crashes is started again every few minutes, and each crash leaves a log of up to 10 MB.
KEPT_SECONDS = 14 * 24 * 3600
KEPT_LOGS = 50
# Younger ones may be those of an engine that says nothing and runs, here or in another process.
_SPARED_SECONDS = 3600


def log_folder(project: Settings | None) -> Path:
    """Return the folder of logs: in the project's state folder, or a temporary one for a project that is read only."""
    with suppress(SettingsError):
        if project is not None:
            return project.make_state_folder() / "logs"
    # Of this user only: nobody can write to the folder of another.
    return Path(tempfile.gettempdir(), f"dataos-engine-logs-{os.getuid()}")


def forget_old_logs(folder: Path, kept_seconds: float = KEPT_SECONDS, kept_logs: int = KEPT_LOGS) -> None:
    """Delete the logs that nothing has been written to for so long, and of the others all but the latest.

    Those of the last hour stay, however many: their engines may be at work.
    """
    logs: list[tuple[float, Path]] = []
    for log in (*folder.glob("*.log"), *folder.glob("*.log.1")):
        # Another process may delete it at the same moment.
        with suppress(OSError):
            logs.append((log.stat().st_mtime, log))
    now = time.time()
    for place, (written, log) in enumerate(sorted(logs, reverse=True)):
        if now - written > kept_seconds or (place >= kept_logs and now - written > _SPARED_SECONDS):
            # One that may not be deleted is no reason to start no engine.
            with suppress(OSError):
                log.unlink()
