"""Flare jobs as DataOS users publish them: all are planned without their depots, and what is missing in them is said.

As in the tests of manifests beside this one, the jobs are no part of this repository.
"""

from __future__ import annotations

import json
import socket
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from dataos_dagster.depots.storage import Place
from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import NotYetRun, UnknownView
from dataos_dagster.flare.plan import JobPlan
from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs, written_jobs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

# Mappings with `stack: flare` that are no jobs here, each with the reason.
NO_JOBS = {
    "dataos-ctl-workflow-lifecycle-02.yaml": "the manifest stands inside another one, which hands it to a command",
    "wfl-enriched-table.yaml": "the page shows the beginning of a job only: it has no stackSpec",
}
# Names that the SQL, an output or a test of a page has, and that no input and no step of it makes.
NOTHING_MAKES = {
    "enrich-trans-pro-city-store.yaml": ["output01"],
    "fs-customer-overview-change.yaml": ["final"],
    "pre-sink-assertion-workflow.yaml": ["products"],
    "read-from-branch.yaml": ["city_connect"],
    "resource-usage-read-pulsar.yaml": ["merged_container_with_init", "pivot_data"],
    "sanity-read-azure.yaml": ["finalDf_json", "finalDf_parquet"],
    "sanity-write-azure.yaml": ["products"],
    "standalone-read-opensearch.yaml": ["transactions_connect"],
    "wf-cust-demo-01.yaml": ["output01"],
    "wf-orders-enriched-01.yaml": ["region_output"],
    **{
        f"standalone-read-bigquery--{number}.yaml": ["patients"]
        for number in (8, 12, 13, 14, 16, 18, 19, 20, 21, 22, 24, 26, 27, 29, 30, 32)
    },
}
# What published jobs ask for and this version does not run: the beginning of what is said of it.
LEFT_OUT = ("a function in Scala", "writing an Iceberg table to a bucket without a catalog")


@pytest.fixture(scope="module")
def plans_of(tmp_path_factory):
    """Return a function that plans the Flare jobs of one file; nothing is opened, asked or started for it."""
    folder = tmp_path_factory.mktemp("project")

    def opened(*_: object, **__: object) -> NoReturn:
        pytest.fail("something was opened")

    @cache
    def plan(file: Path):
        jobs = PublishedJobs.read(file, folder, engine="auto")
        with pytest.MonkeyPatch.context() as patch, jobs.runner:
            patch.setattr(Sessions, "lease", opened)
            patch.setattr(Place, "filesystem", property(opened))
            patch.setattr(socket, "getaddrinfo", opened)
            patch.setattr(socket.socket, "connect", opened)
            return jobs.plans()

    return plan


@pytest.mark.parametrize("file", files_with_jobs(), ids=lambda file: file.name)
def test_a_published_job_is_planned_as_it_is_written(file: Path, plans_of):
    plans = plans_of(file)

    for plan in plans.values():
        assert isinstance(plan, JobPlan), [str(error) for error in plan.errors]
    counted = [_parts(plan.as_json()) for plan in plans.values()]
    assert counted == ([] if file.name in NO_JOBS else [_written_parts(spec) for spec in written_jobs(file)])


@pytest.mark.parametrize("file", files_with_jobs(), ids=lambda file: file.name)
def test_what_a_plan_stands_in_for_is_what_the_page_leaves_out(file: Path, plans_of):
    found = [finding for plan in plans_of(file).values() for finding in plan.findings]
    lines = file.read_text(encoding="utf-8").count("\n") + 1

    unknown = [finding for finding in found if isinstance(finding, UnknownView)]
    assert len(unknown) == len(NOTHING_MAKES.get(file.name, []))
    for finding, name in zip(unknown, NOTHING_MAKES.get(file.name, []), strict=True):
        assert f"{name!r}" in finding.message
    for finding in found:
        assert finding.location is not None
        assert 1 <= finding.location.line <= lines
        if not isinstance(finding, UnknownView):
            assert isinstance(finding, NotYetRun)
            assert finding.message.startswith(LEFT_OUT)


def test_nothing_is_excused_that_is_run(plans_of):
    found = {
        finding.message for file in files_with_jobs() for plan in plans_of(file).values() for finding in plan.findings
    }

    for words in LEFT_OUT:
        assert any(message.startswith(words) for message in found), words


def _written_parts(spec: dict[str, Any]) -> Counter[str]:
    job = (spec.get("job") or {}) | {key: value for key, value in spec.items() if key in {"inputs", "steps", "outputs"}}
    # A step that is a text is the path of a file, which the page does not show.
    steps = [step for step in job.get("steps") or [] if isinstance(step, dict)]
    sinks = [sink for step in steps for sink in step.get("sink", ())]
    return Counter(
        # An input by `query` that no database answers is a step in front of the others.
        rows=len(job.get("inputs") or []) + sum(len(step.get("sequence") or ()) for step in steps),
        functions=sum(len(item.get("functions") or ()) for step in steps for item in step.get("sequence") or ()),
        writes=len(sinks or job.get("outputs") or []),
    )


def _parts(plan: dict[str, Any]) -> Counter[str]:
    plan = json.loads(json.dumps(plan))
    assert plan["engine"] in {"sail", "spark"}
    assert plan["reasons"]
    return Counter(
        rows=sum(not found["implicit"] for found in plan["inputs"]) + len(plan["steps"]),
        functions=sum(len(step["functions"]) for step in plan["steps"]),
        writes=len(plan["outputs"]),
    )
