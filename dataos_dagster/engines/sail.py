"""Sail: the embedded engine, a Spark Connect server without a JVM, as a child process.

Its endpoint knows no token: it listens on a random loopback port for as long as its sessions are used.
One process has one object-store identity for life (later `AWS_*` values are ignored), so each set of credentials has
a child of its own.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.engines.endpoint import Endpoint
from dataos_dagster.engines.process import Child

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dataos_dagster.engines.configuration import ServerConfiguration

_PROGRAM = Path(__file__).with_name("sail_server.py")
_READY = re.compile(r"^dataos-endpoint (\S+:\d+)$", re.MULTILINE)
_START_SECONDS = 30.0
# Sail forgets a session after so long without a request; ours are ended by us, and a job may pause for longer than the
# five minutes of its default.
_SESSION_SECONDS = 7 * 24 * 3600


def start_sail(configuration: ServerConfiguration, log: Path) -> Endpoint:
    """Start a Sail server and return its endpoint.

    Args:
        configuration: Its environment: object-store credentials, `SAIL_*` settings.
        log: File that takes what it prints.

    Raises:
        EngineUnavailable: It did not start; says what it printed.
    """
    environment = child_environment(dict(configuration.environment))
    environment.setdefault("RUST_LOG", "warn")
    environment.setdefault("SAIL_SPARK__SESSION_TIMEOUT_SECS", str(_SESSION_SECONDS))
    child = Child("Sail", [sys.executable, str(_PROGRAM)], environment=environment, log=log)
    found = child.wait_for(_READY, _START_SECONDS)
    return Endpoint(f"sc://{found.group(1)}", child=child)


def child_environment(given: dict[str, SecretStr]) -> dict[str, str]:
    """Return the environment of an engine's process: ours without our own settings and secrets, with what is given.

    Credentials are one identity: where any `AWS_*` value is given, none is taken from our own environment.
    """
    dropped: tuple[str, ...] = ("DATAOS_", "SPARK_REMOTE", "SPARK_CONNECT_", "SPARK_LOCAL_REMOTE")
    if any(key.startswith("AWS_") for key in given):
        dropped += ("AWS_",)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return inherited | {key: value.get_secret_value() for key, value in given.items()}
