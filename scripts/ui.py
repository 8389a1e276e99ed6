"""Open the flights product in Dagster, and load its definitions again when a manifest changes.

`dagster dev` watches nothing. This script starts it, looks once a second at the manifests, settings and SQL files of
the code locations, and asks the web server to reload them when one has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
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


def watch(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Reload whenever a file below the folder has changed, until the server ends."""
    known = state_of(folder)
    while server.poll() is None:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        now = state_of(folder)
        if now == known:
            continue
        changed = sorted({path for path, _ in known.items() ^ now.items()})
        problem = reload_definitions(url)
        names = ", ".join(str(path.relative_to(ROOT)) for path in changed[:3]) + (" …" if len(changed) > 3 else "")  # noqa: PLR2004 - a line's worth
        say(f"{names} changed: {problem or 'definitions loaded again'}")
        known = now


def say(text: str) -> None:
    """Print one line at once, between the lines of Dagster's own log."""
    sys.stdout.write(f"make ui: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Start Dagster and watch until it ends or is interrupted; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    port = parser.parse_args().port
    subprocess.run([sys.executable, UNPACK], check=True)
    url = f"http://127.0.0.1:{port}"
    say(f"{url}/asset-groups answers in a few seconds; stop with Ctrl-C")
    say("press `Materialize all` there to run the product in Dagster")
    # Dagster keeps what it knows in .dataos/dagster (dagster.yaml); its home is this folder for every process.
    environment = os.environ | {"DAGSTER_HOME": str(ROOT), "PYTHONWARNINGS": QUIET}
    command = [f"{BIN}/dagster", "dev", "--host", "127.0.0.1", "--port", str(port), "--workspace", "workspace.yaml"]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            watch(server, url, ROOT / "definitions")
        except KeyboardInterrupt:
            stop(server)
            return 0
        return server.wait()


def stop(server: subprocess.Popen[bytes]) -> None:
    """End Dagster. Ctrl-C in a terminal has reached it already; a second one would cut its tidying short."""
    try:
        server.wait(1)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGINT)
        server.wait(SECONDS_TO_STOP)


if __name__ == "__main__":
    sys.exit(main())
