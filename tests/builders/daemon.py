"""Dagster's real daemon over a project's own files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import dagster as dg
import pytest

from dataos_dagster.bundles.workspace import apply_changes, plan_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
# A schedule ticks each minute at most; the run then starts a process, and a sensor's first evaluation comes within 30 s.
PATIENCE = 240.0


@contextmanager
def running_daemon(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Run the daemon in the project's folder, and give the instance that it works on."""
    apply_changes(plan_workspace(folder))
    environment = os.environ | {"DAGSTER_HOME": str(folder)}
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
    with pytest.MonkeyPatch.context() as here:
        # dagster.yaml keeps everything in .dataos, which counts from the folder that Dagster is started in.
        here.chdir(folder)
        with (folder / "daemon.log").open("wb") as log:
            daemon = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            with dg.DagsterInstance.from_config(str(folder)) as instance:
                yield instance
        finally:
            daemon.send_signal(signal.SIGINT)
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)


def wait_for(look: Callable[[], T], folder: Path, seconds: float = PATIENCE) -> T:
    """Return what `look` finds as soon as it finds something; fails with the daemon's last words."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    pytest.fail((folder / "daemon.log").read_text()[-3000:])
