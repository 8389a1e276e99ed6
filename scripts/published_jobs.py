"""Run published Flare jobs on generated rows: `python scripts/published_jobs.py [NAME…]`.

Each job that names nothing but folders of this machine is run on Sail, on rows of the columns that its SQL uses. What
the job makes of them is not looked at: a job that ends well shows that its parts fit together.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dataos_dagster.errors import DataOSError
from tests.builders.published_jobs import PublishedJobs, files_with_jobs


def main() -> int:
    """Run the jobs of all files, or of those that are named, and print how each has ended."""
    names = set(sys.argv[1:])
    failed = 0
    for file in files_with_jobs():
        if names and file.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            jobs = PublishedJobs.read(file, Path(folder))
            with jobs.runner:
                for job_id, plan in jobs.local().items():
                    try:
                        result = jobs.run(job_id, plan)
                    except DataOSError as error:
                        failed += 1
                        print(f"failed  {file.name}: {str(error)[:300]}", flush=True)  # noqa: T201 - a script's output
                    else:
                        print(f"ran     {file.name}: {result.rows} rows", flush=True)  # noqa: T201 - a script's output
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
