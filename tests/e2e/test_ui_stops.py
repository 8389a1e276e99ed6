"""`make ui` ends once, whole, and quietly: no process of Dagster outlives it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

SECONDS_TO_START, SECONDS_TO_STOP = 120, 40


def below(pid: int) -> set[int]:
    """Return the process and all that descend from it."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def running(pids: set[int]) -> set[int]:
    """Return those that still run."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return pids & {int(line.split()[0]) for line in listed.splitlines() if not line.split()[1].startswith("Z")}


def wait_until_it_answers(port: int, log) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).close()
            return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)


@pytest.mark.parametrize("how", ["Ctrl-C twice", "the terminal is closed"])
def test_no_process_of_dagster_is_left(product_folder, tmp_path, port, how):
    log = tmp_path / "ui.log"
    command = [sys.executable, product_folder / "scripts" / "ui.py", "--port", str(port)]
    terminal, end = pty.openpty()
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdin=end,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_takes_the_terminal,  # noqa: PLW1509 - one system call is all that happens there
        )
    os.close(end)
    try:
        wait_until_it_answers(port, log)
        started = below(server.pid)
        assert len(started) > 4, "dagster dev, web server, daemon and code server"
        if how == "Ctrl-C twice":
            os.write(terminal, b"\x03")
            time.sleep(0.3)
            os.write(terminal, b"\x03")
        else:
            os.close(terminal)
        assert server.wait(SECONDS_TO_STOP) == 0, log.read_text()
        assert running(started) == set()
        assert "Traceback" not in log.read_text()
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
            server.wait(SECONDS_TO_STOP)
        if how == "Ctrl-C twice":
            os.close(terminal)


def _takes_the_terminal() -> None:
    """Make standard input the controlling terminal, which sends the signals of its keys and of its end."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
