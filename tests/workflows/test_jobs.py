"""Jobs of a project: ids, order, nested workflows."""

from __future__ import annotations

from manifest_builder import flare, other, read_project, workflow

from dataos_dagster.workflows.jobs import jobs_of, resolve_jobs

RETRY = {"count": 2, "strategy": "OnFailure"}


def ids(jobs):
    return [job.id for job in jobs]


def test_jobs_are_named_by_workspace_workflow_and_entry_in_the_order_of_files_and_entries(tmp_path):
    project = read_project(
        tmp_path,
        {
            "b.yaml": workflow("late", flare("x", writes="x")),
            "a.yaml": workflow("early", flare("two", writes="two"), flare("one", writes="one"), workspace="sales"),
        },
    )
    assert ids(jobs_of(project)) == ["sales/early/two", "sales/early/one", "public/late/x"]


def test_a_job_knows_the_line_where_it_is_written(tmp_path):
    text = """\
name: wf
version: v1
type: workflow
workflow:
  dag:
    - name: first
      spec: &spec
        stack: flare:7.0
        stackSpec: {job: {inputs: [{name: a, dataset: "dataos://lakehouse:s/a"}]}}
    - name: second
      spec: *spec
"""
    first, second = jobs_of(read_project(tmp_path, {"wf.yaml": text}))
    assert str(first.location()) == "wf.yaml:6:7"
    assert second.location().line == 10


def test_a_nested_workflow_stands_for_its_jobs(tmp_path):
    project = read_project(
        tmp_path,
        {
            "outer.yaml": workflow(
                "outer",
                flare("prepare", writes="raw"),
                {"name": "all", "file": "parts/inner.yaml", "dependencies": ["prepare"], "retry": RETRY},
                flare("report", writes="report", dependencies=["all"]),
            ),
            "parts/inner.yaml": workflow(
                "inner", flare("one", writes="one"), flare("two", writes="two", retry={"count": 5})
            ),
        },
    )
    found = resolve_jobs(project)
    jobs = {job.label: job for job in found.jobs}
    assert list(jobs) == ["outer/prepare", "outer/report", "inner/one", "inner/two"]
    assert jobs["inner/one"].dependencies == ("public/outer/prepare",)
    assert jobs["inner/two"].dependencies == ("public/outer/prepare",)
    assert jobs["outer/report"].dependencies == ("public/inner/one", "public/inner/two")
    members = {workflow.name: found.members[workflow.identifier] for workflow in project.of_kind("workflow")}
    assert members["outer"] == ("public/outer/prepare", "public/inner/one", "public/inner/two", "public/outer/report")
    assert members["inner"] == ("public/inner/one", "public/inner/two")


def test_the_retry_of_a_nesting_entry_holds_for_each_job_without_one_of_its_own(tmp_path):
    project = read_project(
        tmp_path,
        {
            "outer.yaml": workflow("outer", {"name": "all", "file": "inner.yaml", "retry": RETRY}),
            "inner.yaml": workflow("inner", flare("one"), flare("two", retry={"count": 5})),
        },
    )
    assert [job.retry.count for job in jobs_of(project)] == [2, 5]


def test_a_nested_path_counts_from_the_project_when_it_leads_nowhere_from_the_file(tmp_path):
    project = read_project(
        tmp_path,
        {
            "deep/outer.yaml": workflow("outer", {"name": "all", "file": "parts/inner.yaml"}),
            "parts/inner.yaml": workflow("inner", flare("one", writes="one")),
        },
    )
    [outer] = [workflow for workflow in project.of_kind("workflow") if workflow.name == "outer"]
    assert resolve_jobs(project).members[outer.identifier] == ("public/inner/one",)


def test_a_job_of_any_stack_is_a_job(tmp_path):
    project = read_project(tmp_path, {"wf.yaml": workflow("wf", other("register", stack="Toolbox:1.0"))})
    [job] = jobs_of(project)
    assert job.stack == "toolbox"
