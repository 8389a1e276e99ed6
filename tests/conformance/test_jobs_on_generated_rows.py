"""Published Flare jobs that name nothing but folders run on rows of the columns that they use, and write what they say.

What they write is compared with the same queries and functions by hand: the engine, and views of the names. A few,
chosen by a seed, run on the other engine too. `python scripts/published_jobs.py` says how each has ended.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from dataos_dagster.errors import AssertionsFailed, DataOSError, SchemaMismatch, StepError
from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.session import EngineSession, Sessions
    from dataos_dagster.flare.plan import JobPlan
    from tests.builders.published_jobs import Rows

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

RUN = (
    "dataosbundlejobsv14.yaml",
    "abfss-delta-read.yaml",
    "azure-write-01-hive.yaml",
    "cnt-city-demo-001.yaml",
    "delete-from-customer.yaml",
    "iceberg-merge-job-011--2.yaml",
    "incremental-ingestion-001.yaml",
    "wf-city--2.yaml",
    "wf-customer-overview-profile.yaml",
    "wf-flare-functions-change-case-04.yaml",
    "wf-ingest-city-state-countries--2.yaml",
    "wf-product-data--2.yaml",
    "wf-purchase-data--2.yaml",
    "wf-sports-test-customer.yaml",
    "wf-test-customer.yaml",
    "wf-vendor-insights.yaml",
    "workflow-ny-customer-partitioned-03.yaml",
)
# Jobs that end with an error on such rows, as they should: which, and words of what it says.
END: dict[str, tuple[type[DataOSError], str]] = {
    "assertion-job-wf--2.yaml": (AssertionsFailed, "3 out of 4 assertions failed"),
    "wf-customer-data-quality.yaml": (AssertionsFailed, "5 out of 16 assertions failed"),
    # The partition spec of the page names a column of another output.
    "wf-ingest-city-state-countries.yaml": (SchemaMismatch, "the partition spec names 'country_name'"),
    # A column that is spread in the next step cannot be told from the text to be a struct.
    "syndct-fusd-of-tx.yaml": (StepError, "line_item"),
}
_TIMES = 8
# Without a size or Spark properties of their own, so that one Spark serves them.
ON_SPARK = random.Random(3).sample(
    (
        "abfss-delta-read.yaml",
        "incremental-ingestion-001.yaml",
        "wf-ingest-city-state-countries--2.yaml",
        "wf-sports-test-customer.yaml",
        "wf-test-customer.yaml",
        "workflow-ny-customer-partitioned-03.yaml",
    ),
    3,
)


def read(name: str, folder: Path, sessions: Sessions, engine: str = "sail") -> PublishedJobs:
    [file] = [file for file in files_with_jobs() if file.name == name]
    return PublishedJobs.read(file, folder, engine, sessions=sessions)


@pytest.mark.parametrize("name", RUN)
def test_a_published_job_writes_what_its_queries_return(name: str, tmp_path: Path, sessions: Sessions):
    first = read(name, tmp_path, sessions)
    assert first.local()
    for number, job_id in enumerate(first.local()):
        # Jobs of one file read what others of it write: each gets rows of its own.
        jobs = read(name, tmp_path / str(number), sessions)
        plan = jobs.local()[job_id]
        jobs.seed(plan)
        before = jobs.by_hand(plan)
        result = jobs.run(job_id)
        written = jobs.written(plan)

        assert result.engine == "sail"
        # Actions report their tables as well.
        assert [output.dataset for output in plan.outputs] == [
            output.dataset for output in result.outputs if plan.outputs
        ]
        for found, expected, *others in zip(written, before, *_again(jobs, plan, before), strict=True):
            assert found.keys() == expected.keys()
            stable = [
                column
                for column in expected
                if all(_values(expected, column) == _values(other, column) for other in others)
            ]
            assert stable
            assert rows_of(found, stable) == rows_of(expected, stable)
            assert len(set(map(len, found.values()))) <= 1


@pytest.mark.parametrize("name", END)
def test_a_published_job_that_cannot_run_says_why(name: str, tmp_path: Path, sessions: Sessions):
    jobs = read(name, tmp_path, sessions)
    [(job_id, plan)] = jobs.local().items()
    jobs.seed(plan)
    error, words = END[name]
    with pytest.raises(error, match=words) as refused:
        jobs.run(job_id)

    assert refused.value.location is not None


@pytest.mark.parametrize("name", ON_SPARK)
def test_a_published_job_writes_the_same_on_spark(
    name: str, tmp_path: Path, sessions: Sessions, spark_session: EngineSession
):
    rows = {}
    for engine in ("sail", "spark"):
        jobs = read(name, tmp_path / engine, sessions, engine)
        [(job_id, plan)] = jobs.local().items()
        jobs.seed(plan)
        assert jobs.run(job_id).engine == engine
        rows[engine] = [(sorted(found), rows_of(found, found)) for found in jobs.written(plan)]

    assert rows["spark"] == rows["sail"]


def test_every_published_job_of_folders_is_here(tmp_path: Path, sessions: Sessions):
    local = [file.name for file in files_with_jobs() if PublishedJobs.read(file, tmp_path, sessions=sessions).local()]

    assert sorted(local) == sorted((*RUN, *END))


def _again(jobs: PublishedJobs, plan: JobPlan, before: list[Rows]) -> list[list[Rows]]:
    """Return the rows by hand more times, where a column may be another each time: of random numbers, or of the time.

    A choice of five words for a few rows is the same twice in a row now and then, but hardly ever so often.
    """
    read, written = ({str(part.request.target) for part in parts} for parts in (plan.inputs, plan.outputs))
    return [jobs.by_hand(plan) if read.isdisjoint(written) else before for _ in range(_TIMES)]


def _values(found: Rows, column: str) -> list[str]:
    return sorted(map(repr, found[column]))
