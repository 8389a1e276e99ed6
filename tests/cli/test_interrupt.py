"""Ctrl-C while jobs run side by side: it ends soon, leaves no engine, and the history says how."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from shop import load_job, spend_job, write_shop

from dataos_dagster.settings import load_settings
from dataos_dagster.state.database import State

ENDLESS = "SELECT sum(a.id * b.id) AS s FROM range(3000000) a CROSS JOIN range(3000000) b"
SECONDS_TO_START, SECONDS_TO_END = 120, 40


def statuses(folder) -> dict[str, str]:
    if not (folder / ".dataos" / "state.db").exists():
        return {}
    return {run.job.rpartition("/")[2]: run.status for run in State.open(load_settings(folder)).job_runs.history()}


def processes() -> list[tuple[int, int]]:
    """Return process and parent of everything that runs."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]


def below(pid: int) -> set[int]:
    """Return what descends from a process."""
    found = {pid}
    while more := {child for child, parent in processes() if parent in found} - found:
        found |= more
    return found - {pid}


def test_an_interrupt_ends_all_jobs_and_their_engine(tmp_path):
    other = spend_job(ENDLESS)
    other["name"] = "other"
    other["spec"]["stackSpec"]["job"]["outputs"][0]["dataset"] = "dataos://lakehouse:shop/other?acl=rw"
    folder = write_shop(tmp_path / "shop", load_job(), spend_job(ENDLESS), other)
    command = [Path(sys.executable).with_name("dataos"), "run", folder, "--engine", "sail", "--jobs", "2"]
    with (tmp_path / "log").open("wb") as log:
        run = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=os.environ)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while list(statuses(folder).values()).count("running") < 2:
            assert run.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.5)
        engines = below(run.pid)
        assert engines
        run.send_signal(signal.SIGINT)
        assert run.wait(SECONDS_TO_END) == 130
        deadline = time.monotonic() + SECONDS_TO_END
        while engines & {pid for pid, _ in processes()}:
            assert time.monotonic() < deadline, "an engine is left"
            time.sleep(0.2)
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
    assert statuses(folder) == {"load": "succeeded", "spend": "failed", "other": "failed"}
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert "1 succeeded, 2 failed" in said
    assert "interrupted: `dataos run --from-failure` does what is left" in said
