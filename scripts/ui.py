"""Open the flights product in Dagster, and load its definitions again when a manifest changes.

`dagster dev` watches nothing. This script starts it, looks once a second at the manifests, settings and SQL files of
the code locations, and asks the web server to reload them when one has changed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
UNPACK = ROOT / "definitions" / "flights" / "unpack.py"

WATCHED = {".yaml", ".yml", ".sql", ".avsc", ".json", ".py"}
RELOAD = "mutation { reloadWorkspace { __typename ... on PythonError { message } } }"
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_STOP = 20.0
SECONDS_TO_END = 5.0
# Ctrl-C, `kill`, and a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Dagster advises its newer command, which would need a configuration of its own.
QUIET = "ignore:Function `dev_command`"


def state_of(folder: Path) -> dict[Path, int]:
    """Return each watched file below a folder with the time of its last change, in nanoseconds."""
    state = {}
    for directory, names, files in os.walk(folder):
        names[:] = [name for name in names if not name.startswith((".", "_"))]
        for file in files:
            path = Path(directory, file)
            if path.suffix in WATCHED:
                try:
                    state[path] = path.stat().st_mtime_ns
                except FileNotFoundError:  # an editor replaces files
                    continue
    return state


def reload_definitions(url: str) -> str | None:
    """Ask the web server to load all definitions again; return what it complains about."""
    body = json.dumps({"query": RELOAD}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=180) as answer:  # noqa: S310 - http on loopback
            outcome: dict[str, str] = json.load(answer)["data"]["reloadWorkspace"]
    except urllib.error.URLError as error:
        return str(error.reason)
    return outcome.get("message")


def watch(server: subprocess.Popen[bytes], url: str, folder: Path, stopping: threading.Event) -> None:
    """Reload whenever a file below the folder has changed, until the server ends or is to be stopped."""
    known = state_of(folder)
    while server.poll() is None and not stopping.wait(SECONDS_BETWEEN_LOOKS):
        now = state_of(folder)
        if now == known:
            continue
        changed = sorted({path for path, _ in known.items() ^ now.items()})
        problem = reload_definitions(url)
        names = ", ".join(str(path.relative_to(ROOT)) for path in changed[:3]) + (" …" if len(changed) > 3 else "")  # noqa: PLR2004 - a line's worth
        say(f"{names} changed: {problem or 'definitions loaded again'}")
        known = now


def say(text: str) -> None:
    """Print one line at once, between the lines of Dagster's own log; a terminal that was closed hears nothing."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"make ui: {text}\n")
        sys.stdout.flush()


def main() -> int:
    """Start Dagster and watch until it ends or is stopped by a signal; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    port = parser.parse_args().port
    subprocess.run([sys.executable, UNPACK], check=True)
    url = f"http://127.0.0.1:{port}"
    say(f"{url}/asset-groups answers in a few seconds; stop with Ctrl-C")
    say("what `make demo` wrote appears there by itself; `Materialize all` runs the product in Dagster")
    # Dagster keeps what it knows in .dataos/dagster (dagster.yaml); its home is this folder for every process.
    environment = os.environ | {"DAGSTER_HOME": str(ROOT), "PYTHONWARNINGS": QUIET}
    command = [f"{BIN}/dagster", "dev", "--host", "127.0.0.1", "--port", str(port), "--workspace", "workspace.yaml"]
    stopping = threading.Event()
    for number in SIGNALS:
        # The same signal again changes nothing: one stop is under way.
        signal.signal(number, lambda *_: stopping.set())
    # In a session of its own Dagster hears no Ctrl-C of the terminal: it is told once, by `stop`, and tidies up.
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as server:
        try:
            watch(server, url, ROOT / "definitions", stopping)
        finally:
            stop(server)
        return 0 if stopping.is_set() else server.returncode


def stop(server: subprocess.Popen[bytes]) -> None:
    """End Dagster with all of its processes: first it may tidy up, then whatever is left is ended."""
    if server.poll() is None:
        say("stopping")
        server.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(SECONDS_TO_STOP)
    # Its web server, daemon, code servers and runs are in the session that began with it.
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + SECONDS_TO_END
        while is_alive(server.pid) and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, number)
            time.sleep(0.1)
    server.wait()


def is_alive(group: int) -> bool:
    """Tell whether a process group has a process that runs; one that only waits to be collected does not."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return any(int(line.split()[0]) == group and line.split()[1][0] != "Z" for line in listed.splitlines())


if __name__ == "__main__":
    sys.exit(main())
