"""Published Flare jobs that name nothing but folders run on the embedded engine, on rows of the columns they use.

A few are run here, chosen by a seed; `python scripts/published_jobs.py` runs all and says how each has ended.
"""

from __future__ import annotations

import random

import pytest

from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

# Those of which the rows that are made up suit the job. Others read a schema from a file of the page's author, or use
# columns in ways that cannot be guessed, or more than Sail has.
SUITED = (
    "dataosbundlejobsv14.yaml",
    "iceberg-merge-job-011--2.yaml",
    "incremental-ingestion-001.yaml",
    "read-mysql-01.yaml",
    "read-write-oracle-a02.yaml",
    "wf-ingest-city-state-countries--2.yaml",
    "wf-product-data--2.yaml",
    "wf-purchase-data--2.yaml",
    "wf-sports-test-customer.yaml",
    "wf-test-customer.yaml",
    "wf-vendor-insights.yaml",
    "workflow-ny-customer-partitioned-03.yaml",
)
SAMPLE = random.Random(11).sample(SUITED, 3)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_published_job_runs_on_generated_rows(name: str, tmp_path):
    [file] = [file for file in files_with_jobs() if file.name == name]
    jobs = PublishedJobs.read(file, tmp_path)
    with jobs.runner:
        plans = jobs.local()
        results = [jobs.run(job_id, plan) for job_id, plan in plans.items()]

    assert results
    for result in results:
        assert result.engine == "sail"
        assert {output.dataset for output in result.outputs} == {
            output.dataset for output in plans[result.job_id].outputs
        }
