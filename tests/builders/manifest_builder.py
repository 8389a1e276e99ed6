"""Manifests for tests: plain values that are written as YAML, one file each."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from dataos_dagster.manifests.project import Project, load_project
from dataos_dagster.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def address(dataset: str) -> str:
    """Return the address of a dataset of the lakehouse, or the text itself when it is one."""
    return dataset if "://" in dataset else f"dataos://lakehouse:shop/{dataset}"


def flare(name: str, *, reads: str | list[str] = (), writes: str | list[str] = (), **entry: Any) -> dict[str, Any]:
    """Return a dag entry with a Flare job; `spec` among the keywords is merged into its spec."""
    sources = [reads] if isinstance(reads, str) else list(reads) or ["source"]
    targets = [writes] if isinstance(writes, str) else list(writes)
    inputs = [{"name": f"in_{number}", "dataset": address(dataset)} for number, dataset in enumerate(sources)]
    outputs = [{"name": "in_0", "dataset": f"{address(dataset)}?acl=rw", "format": "iceberg"} for dataset in targets]
    job = {"inputs": inputs} | ({"outputs": outputs} if outputs else {})
    spec = {"stack": "flare:7.0", "compute": "runnable-default", "stackSpec": {"job": job}} | entry.pop("spec", {})
    return {"name": name, "spec": spec} | entry


def other(name: str, stack: str = "toolbox", **entry: Any) -> dict[str, Any]:
    """Return a dag entry with a job of a stack that is read and not yet run."""
    return {"name": name, "spec": {"stack": stack, "compute": "runnable-default", "stackSpec": {}}} | entry


def workflow(
    name: str, *dag: dict[str, Any], schedule: dict[str, Any] | None = None, **envelope: Any
) -> dict[str, Any]:
    """Return a workflow."""
    section: dict[str, Any] = {"dag": list(dag)} | ({"schedule": schedule} if schedule else {})
    return {"name": name, "version": "v1", "type": "workflow"} | envelope | {"workflow": section}


def job_text(job: str) -> str:
    """Return the text of a workflow `wf-job` with one Flare job `job`, for tests of places in a file.

    Args:
        job: Text of what stands below `job:`; its first line is line 12, and its first column is 13.
    """
    return _ABOVE_JOB + textwrap.indent(job.strip("\n") + "\n", " " * 12)


_ABOVE_JOB = """\
name: wf-job
version: v1
type: workflow
workflow:
  dag:
    - name: job
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
"""


def file_depot(name: str, path: str) -> dict[str, Any]:
    """Return a depot of files in a folder."""
    section = {"type": "file", "external": True, "file": {"path": path}}
    return {"name": name, "version": "v2alpha", "type": "depot", "depot": section}


def write_project(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write manifests: a text as it is, a list as several documents, other values as one; return the folder."""
    for name, body in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(body, str):
            text = body
        else:
            text = yaml.safe_dump_all(body if isinstance(body, list) else [body], sort_keys=False)
        target.write_text(text, encoding="utf-8")
    return folder


def read_project(folder: Path, files: Mapping[str, Any]) -> Project:
    """Write manifests and return the project that they make."""
    settings = load_settings(write_project(folder, files))
    return load_project(settings.project, settings=settings, use_cache=False)
