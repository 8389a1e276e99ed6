"""Load one project in this process and print what it cost; the load measurements start it as a child.

    load.py ours FOLDER    our loader over a folder of manifests
    load.py peer FOLDER    `dg` components, one per manifest
    load.py jobs FOLDER    plain definitions with a Dagster job per workflow

Measured from the call that loads to the `RepositoryDefinition` that a code server answers from, with `--jobs` to all of
its jobs resolved. Imports come before it on each side: Dagster's, the loader's, and those of `OURS`, which ours imports
when it meets a manifest of their kind. A module of ours that is imported later counts: our figure is the larger for it.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

OURS = (
    "dataos_dagster.depots.manifest",
    "dataos_dagster.flare.spec",
    "dataos_dagster.flare.sql",
    "dataos_dagster.flare.stack",
    "dataos_dagster.secrets.manifest",
    "dataos_dagster.workflows.manifest",
)

if TYPE_CHECKING:
    from collections.abc import Callable


def loader(side: str) -> Callable[[Path], dg.Definitions]:
    """Return the function that loads a folder."""
    if side == "ours":
        from dataos_dagster import load_definitions

        for module in OURS:
            importlib.import_module(module)
        return load_definitions
    if side == "jobs":
        from peer_jobs import load_workflows

        return load_workflows

    def load_components(folder: Path) -> dg.Definitions:
        return dg.load_from_defs_folder(path_within_project=folder)

    return load_components


def main() -> None:
    """Load, and print one JSON object."""
    side, folder = sys.argv[1], Path(sys.argv[2])
    load = loader(side)
    sys.path.insert(0, str(folder))
    start, clock = time.process_time(), time.perf_counter()
    repository = load(folder).get_repository_def()
    if "--jobs" in sys.argv:
        repository.load_all_definitions()
    cost = {
        "cpu_seconds": time.process_time() - start,
        "seconds": time.perf_counter() - clock,
        "assets": len(repository.asset_graph.materializable_asset_keys),
        "schedules": len(repository.schedule_defs),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
