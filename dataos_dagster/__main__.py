"""`python -m dataos_dagster`: the `dataos` command where its script is not on the PATH."""

from __future__ import annotations

from dataos_dagster.cli import main

if __name__ == "__main__":
    main()
