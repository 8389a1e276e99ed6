"""Every field of a Flare workflow is taken in each of its documented and usual forms: it loads, and is planned.

A form that is read as another one is planned as that one is.
"""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataos_dagster.flare.plan import JobPlan
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings
from dataos_dagster.workflows.plans import Unplanned
from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs, written_jobs

FORMS = yaml.safe_load(Path(__file__).with_name("documented_forms.yaml").read_text(encoding="utf-8"))
GONE = "<gone>"
WORKFLOW = yaml.safe_load("""
name: wf-orders
version: v1
type: workflow
workflow:
  dag:
    - name: orders
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - {name: orders, dataset: dataos://lakehouse:retail/orders, format: iceberg}
            steps:
              - sequence:
                  - {name: final, sql: SELECT * FROM orders}
            outputs:
              - name: final
                dataset: dataos://lakehouse:retail/final?acl=rw
                format: iceberg
                options: {saveMode: overwrite}
""")
SPEC = ("workflow", "dag", 0, "spec")
JOB = (*SPEC, "stackSpec", "job")
PLACES: dict[str, tuple[str | int, ...]] = {
    "top": (),
    "wf": ("workflow",),
    "entry": SPEC[:-1],
    "spec": SPEC,
    "stack": JOB[:-1],
    "job": JOB,
    "in": (*JOB, "inputs", 0),
    "step": (*JOB, "steps", 0),
    "item": (*JOB, "steps", 0, "sequence", 0),
    "out": (*JOB, "outputs", 0),
}


def written(forms: dict[str, Any]) -> str:
    """Return the manifest with values at places such as `out.options/sort`."""
    manifest = copy.deepcopy(WORKFLOW)
    for place, value in forms.items():
        root, _, below = place.partition(".")
        steps = [*PLACES[root], *(int(step) if step.isdecimal() else step for step in below.split("/") if step)]
        parent: Any = manifest
        for step in steps[:-1]:
            if isinstance(parent, dict) and parent.get(step) is None:
                parent[step] = {}
            parent = parent[step]
        if value == GONE:
            del parent[steps[-1]]
        elif isinstance(parent, list) and steps[-1] == len(parent):
            parent.append(value)
        else:
            parent[steps[-1]] = value
    return yaml.safe_dump(manifest, sort_keys=False)


def refused(text: str, folder: Path) -> list[str]:
    """Return why a manifest does not load or is not planned, and the keys of it that are said to be unknown."""
    file = folder / "workflow.yaml"
    file.write_text(text, encoding="utf-8")
    settings = Settings(project=folder)
    project = load_project(file, settings=settings, environment={}, allow_placeholders=True, use_cache=False)
    found = [str(each) for each in project.diagnostics if each in project.errors or each.code == "unknown-key"]
    jobs = PublishedJobs.read(file, folder, engine="auto")
    with jobs.runner:
        plans = jobs.plans().values()
    return found + [str(plan) for plan in plans if not isinstance(plan, JobPlan)]


@pytest.mark.parametrize("place", FORMS["alone"])
def test_a_field_is_taken_in_each_of_its_forms(place, tmp_path):
    wrong = [(form, why) for form in FORMS["alone"][place] if (why := refused(written({place: form}), tmp_path))]

    assert wrong == []


def test_forms_that_go_together_are_taken(tmp_path):
    wrong = [(forms, why) for forms in FORMS["together"] if (why := refused(written(forms), tmp_path))]

    assert wrong == []


def meaning(forms: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a job would do that is written so, without the places where it says so."""
    file = folder / "workflow.yaml"
    file.write_text(written(forms), encoding="utf-8")
    jobs = PublishedJobs.read(file, folder, engine="spark")
    with jobs.runner:
        [plan] = jobs.plans().values()
    assert isinstance(plan, JobPlan), str(plan)
    return {
        "inputs": [(each.name, each.requests) for each in plan.inputs],
        "steps": [(each.name, each.sql, each.functions) for each in plan.steps],
        "outputs": [(each.name, replace(each.request, location=None), each.implied_mode) for each in plan.outputs],
        "session": plan.configuration,
        "tests": plan.as_json()["assertions"],
        "documents": [(each.title, each.description, each.tags) for each in plan.spec.job.outputs],
    }


@pytest.mark.parametrize(("form", "present"), FORMS["alike"])
def test_an_older_form_is_planned_as_the_present_one_that_it_means(form, present, tmp_path):
    assert meaning(form, tmp_path) == meaning(present, tmp_path)


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")
def test_whatever_is_wrong_with_a_job_of_parts_of_others_has_its_place(tmp_path):
    jobs = [spec["job"] for file in files_with_jobs() for spec in written_jobs(file) if spec.get("job")]
    chance, file, found = random.Random(4), tmp_path / "workflow.yaml", []
    for _ in range(60):
        parts = {
            part: chance.choice(jobs).get(part) for part in ("inputs", "steps", "outputs", "actions", "assertions")
        }
        file.write_text(written({f"job.{part}": value for part, value in parts.items()}), encoding="utf-8")
        mixed = PublishedJobs.read(file, tmp_path, engine="auto")
        with mixed.runner:
            found += mixed.plans().values()
    errors = [error for plan in found if isinstance(plan, Unplanned) for error in plan.errors]
    assert [str(error) for error in errors if error.location is None] == []
    assert errors
    assert any(isinstance(plan, JobPlan) for plan in found)
