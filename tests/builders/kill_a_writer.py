"""Write again and again until somebody kills this process: `kill_a_writer.py PROJECT ADDRESS FORMAT MODE FIRST`.

Round n writes the rows 0 … 1999, each with the number of its round, so that a half-written dataset would show.
Prints the engine's process before the first write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from depot_shop import Shop

from dataos_dagster.engines.session import Sessions


def main(project: str, address: str, format_: str, mode: str, first: str) -> None:
    """Write until the end."""
    with Sessions() as sessions:
        shop = Shop(Path(project), "sail", sessions)
        sys.stdout.write(f"{shop.session().process.pid}\n")
        sys.stdout.flush()
        number = int(first)
        while True:
            query = f"SELECT id, CAST({number} AS BIGINT) AS round FROM range(2000)"
            shop.write(query, address, mode, format=format_)
            number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
