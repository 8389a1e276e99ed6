"""Flare jobs as DataOS users publish them: all are planned without their depots, or say why not.

As in the tests of manifests beside this one, the jobs are no part of this repository.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest

from dataos_dagster.errors import NotYetRun
from dataos_dagster.workflows.plans import Unplanned
from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

# Jobs that cannot be planned as they are published, each with the reason: running them on the platform fails too.
_NOTHING_MAKES_IT = "the page's SQL, or one of its outputs, names a view that no input and no step makes"
REFUSED = {
    "enrich-trans-pro-city-store.yaml": _NOTHING_MAKES_IT,
    "fs-customer-overview-change.yaml": _NOTHING_MAKES_IT,
    "pre-sink-assertion-workflow.yaml": _NOTHING_MAKES_IT,
    "read-from-branch.yaml": _NOTHING_MAKES_IT,
    "resource-usage-read-pulsar.yaml": _NOTHING_MAKES_IT,
    "sanity-read-azure.yaml": _NOTHING_MAKES_IT,
    "sanity-write-azure.yaml": _NOTHING_MAKES_IT,
    "standalone-read-opensearch.yaml": _NOTHING_MAKES_IT,
    "wf-cust-demo-01.yaml": _NOTHING_MAKES_IT,
    "wf-orders-enriched-01.yaml": _NOTHING_MAKES_IT,
    **{
        f"standalone-read-bigquery--{number}.yaml": _NOTHING_MAKES_IT
        for number in (8, 12, 13, 14, 16, 18, 19, 20, 21, 22, 24, 26, 27, 29, 30, 32)
    },
    "standalone-read-eventhub.yaml": "the page gives no credentials",
    "standalone-write-eventhub.yaml": "the page gives no credentials",
    "s3-read-01.yaml": "the table stands at a path on S3, which is asked for its present state",
}
# What published jobs ask for and this version does not run: the beginning of what is said of it.
LEFT_OUT = (
    "`actions`",
    "`profile`",
    "`assertions`",
    "`inputType: ",
    "`outputType: ",
    "the format `",
    "a function in Scala",
    "an input by `query`",
    "`udfs`",
    "gs:…",
    "abfss:…",
    "wasbs:…",
    "jdbc:mysql:…",
)


@pytest.fixture(scope="module")
def plans_of(tmp_path_factory):
    """Return a function that plans the Flare jobs of one file."""
    folder = tmp_path_factory.mktemp("project")

    @cache
    def plan(file: Path):
        jobs = PublishedJobs.read(file, folder, engine="auto")
        with jobs.runner:
            return jobs.plans()

    return plan


@pytest.mark.parametrize("file", files_with_jobs(), ids=lambda file: file.name)
def test_a_published_job_is_planned_or_says_why_not(file: Path, plans_of):
    for found in plans_of(file).values():
        if isinstance(found, Unplanned):
            left_out = [error for error in found.errors if isinstance(error, NotYetRun)]
            wrong = [error for error in found.errors if error not in left_out]
            assert [str(error) for error in wrong] == [] or file.name in REFUSED, wrong
            assert all(error.location is not None for error in found.errors)
            for error in left_out:
                assert any(words in error.message for words in LEFT_OUT), error.message
        else:
            assert json.loads(json.dumps(found.as_json()))["engine"] == found.engine
            assert found.as_text()


def test_jobs_that_are_said_to_be_refused_are(plans_of):
    for file in files_with_jobs():
        if file.name in REFUSED:
            plans = plans_of(file).values()
            assert any(isinstance(found, Unplanned) and not found.is_left_out for found in plans), file.name


def test_most_published_jobs_are_planned(plans_of):
    found = [plan for file in files_with_jobs() for plan in plans_of(file).values()]
    assert len(found) > 100
    assert sum(not isinstance(plan, Unplanned) for plan in found) >= 70
