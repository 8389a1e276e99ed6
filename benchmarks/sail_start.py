"""Sail's start: seconds from starting the server's process to its answer over HTTP/2; the bound is 0.3.

Counted is the median of the turns, the process that guards the server included. Shown beside it is what a run waits
for: a session that has answered a query. Sail loads PySpark for its first session (half a second of CPU), which
overlaps with the client's own imports in a run and does not here, where these are done.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from pathlib import Path

from measure import conclude, parse_arguments, say

BOUND = 0.3
# How an HTTP/2 client begins (RFC 9113, section 3.4): a fixed text and an empty frame of settings.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def start_seconds(folder: Path) -> tuple[float, float]:
    """Return the seconds until the server answers, and until a new session has answered a query."""
    from dataos_dagster.engines.configuration import ServerConfiguration
    from dataos_dagster.engines.connect import close_session, open_session
    from dataos_dagster.engines.sail import start_sail

    began = time.perf_counter()
    endpoint = start_sail(ServerConfiguration("sail"), folder / "sail.log")
    host, port = endpoint.url.removeprefix("sc://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(_PREFACE)
        connection.recv(9)
    answered = time.perf_counter() - began
    session = open_session(endpoint, {})
    session.sql("SELECT 1").collect()
    queried = time.perf_counter() - began
    close_session(session, endpoint.child)
    if endpoint.child:
        endpoint.child.close()
    return answered, queried


def main() -> None:
    """Start it several times and print the median."""
    turns = 3 if parse_arguments(__doc__).quick else 15
    with tempfile.TemporaryDirectory() as name:
        start_seconds(Path(name))
        found = [start_seconds(Path(name)) for _ in range(turns)]
    for answered, queried in found:
        say(f"  answers after {answered:.3f} s, first query done after {queried:.3f} s")
    conclude("Sail's start", ours=statistics.median(each for each, _ in found), peer=BOUND, goal=1, better="less")


if __name__ == "__main__":
    main()
