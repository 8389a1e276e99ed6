"""Run published Flare jobs on generated rows: `python scripts/published_jobs.py [NAME…]`.

Each job that names nothing but folders of this machine is run on Sail, on rows of the columns that its SQL uses. What
the job makes of them is compared in `tests/conformance`: here it is said how each has ended.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import DataOSError
from dataos_dagster.settings import Settings
from tests.builders.published_jobs import PublishedJobs, files_with_jobs


def main() -> int:
    """Run the jobs of all files, or of those that are named, and print how each has ended."""
    names = set(sys.argv[1:])
    failed = 0
    with tempfile.TemporaryDirectory() as root, Sessions(Settings(project=Path(root))) as sessions:
        for file in files_with_jobs():
            if names and file.name not in names:
                continue
            folder = Path(root) / file.stem
            for number, job_id in enumerate(PublishedJobs.read(file, folder, sessions=sessions).local()):
                failed += not _ends_well(PublishedJobs.read(file, folder / str(number), sessions=sessions), job_id)
    return min(failed, 1)


def _ends_well(jobs: PublishedJobs, job_id: str) -> bool:
    jobs.seed(jobs.local()[job_id])
    try:
        result = jobs.run(job_id)
    except DataOSError as error:
        print(f"failed  {job_id}: {str(error)[:300]}", flush=True)  # noqa: T201 - a script's output
        return False
    print(f"ran     {job_id}: {result.rows} rows", flush=True)  # noqa: T201 - a script's output
    return True


if __name__ == "__main__":
    sys.exit(main())
