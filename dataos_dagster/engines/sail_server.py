"""The program that a Sail child runs: one server on a free loopback port, which it prints.

A program of its own instead of `sail spark server`, because a port chosen by the caller may be taken by somebody else
before the server listens on it, and Sail's endpoint knows no token by which the client would notice.
"""

from __future__ import annotations

import importlib
import signal
import sys


def main() -> None:
    """Serve until SIGTERM."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address or ("", 0)
    sys.stdout.write(f"dataos-endpoint {host}:{port}\n")
    sys.stdout.flush()
    # Sail loads PySpark for its first session, which takes half a second. Now it does so while the client is busy with
    # its own imports.
    importlib.import_module("pyspark.sql")
    # SIGTERM keeps its default action: nothing of a session outlives the process, and commits are atomic renames.
    signal.pause()


if __name__ == "__main__":
    main()
