"""Logs of engines: kept when an engine has crashed, and not for ever."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.errors import SettingsError

if TYPE_CHECKING:
    from dataos_dagster.settings import Settings

# A stream whose engine crashes is started again every few minutes, and each crash leaves a log.
KEPT_SECONDS = 14 * 24 * 3600


def log_folder(project: Settings | None) -> Path:
    """Return the folder of logs: in the project's state folder, or a temporary one for a project that is read only."""
    with suppress(SettingsError):
        if project is not None:
            return project.make_state_folder() / "logs"
    return Path(tempfile.gettempdir(), "dataos-engine-logs")


def forget_old_logs(folder: Path, kept_seconds: float = KEPT_SECONDS) -> None:
    """Delete the logs that nothing has been written to for so long."""
    oldest = time.time() - kept_seconds
    for log in (*folder.glob("*.log"), *folder.glob("*.log.1")):
        # Another process may delete it at the same moment.
        with suppress(FileNotFoundError):
            if log.stat().st_mtime < oldest:
                log.unlink()
