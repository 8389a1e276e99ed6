"""`dataos doctor`: what this machine has, and which engine each job runs on and why."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataos_dagster.cli.failures import FAILED, USAGE, error_json, reported
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.workflows.plans import Unplanned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.availability import Availability
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.stacks import Plan

app = typer.Typer(help="Check this machine and say which engine each job runs on, and why.")

_GIB = 1 << 30
# A local Spark takes its 2 GiB of heap and half as much again; below this it swaps or is killed.
_MEMORY_FOR_SPARK = 4 * _GIB
_DISK_WANTED = 2 * _GIB
_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the machine: what was looked at, whether it will do, what was found, and what to do about it."""

    name: str
    outcome: Literal["ok", "warning", "error"]
    detail: str
    hint: str = ""


@app.command()
def doctor(
    path: Annotated[Path, typer.Argument(help="Folder of the project, or a manifest in it.")] = Path(),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check this machine and say which engine each job runs on, and why."""
    if not path.exists():
        typer.echo(f"error: there is no {path}", err=True)
        raise typer.Exit(USAGE)
    with reported(as_json=as_json):
        from dataos_dagster.engines.availability import availability
        from dataos_dagster.settings import load_settings

        settings = load_settings(project_folder(path))
        found = availability(settings.engines)
        checks = list(machine_checks(settings, found))
        plans = _plans(settings)
    if as_json:
        jobs = [_job_json(job_id, plan) for job_id, plan in plans.items()]
        typer.echo(json.dumps({"checks": [asdict(check) for check in checks], "jobs": jobs}, ensure_ascii=False))
    else:
        _print(checks, plans)
    raise typer.Exit(FAILED if _is_bad(checks, plans) else 0)


def machine_checks(settings: Settings, found: Availability) -> Iterator[Check]:
    """Check what engines need of this machine; starts nothing and asks no network.

    Args:
        settings: Of the project.
        found: Which engines are there.
    """
    yield Check("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Check("dagster", "ok", importlib.metadata.version("dagster"))
    wanted = settings.engines.default
    for status in found.engines:
        needed = status.engine in {wanted, "sail"}
        outcome: Literal["ok", "warning", "error"] = "ok" if status.available else "error" if needed else "warning"
        if status.engine == "connect" and not status.available and not needed:
            continue  # nobody asked for one
        yield Check(status.engine, outcome, status.detail, "" if status.available else status.hint)
    yield _memory(needs_spark=found.has("spark"))
    yield _disk(settings.project)


def _memory(*, needs_spark: bool) -> Check:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    detail = f"{memory / _GIB:.1f} GiB, {os.cpu_count()} cores"
    if needs_spark and memory < _MEMORY_FOR_SPARK:
        return Check(
            "memory", "warning", detail, "a local Spark wants 4 GiB; a cluster by engines.connect.url does not"
        )
    return Check("memory", "ok", detail)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    detail = f"{free / _GIB:.1f} GiB free in {folder}"
    return Check("disk", "ok", detail) if free > _DISK_WANTED else Check("disk", "warning", detail, "make room")


def _plans(settings: Settings) -> dict[str, Plan | Unplanned]:
    """Return the plan of each job of the project, or why there is none."""
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.execution import JobRunner
    from dataos_dagster.workflows.plans import plan_jobs

    project = load_project(settings.project, settings=settings)
    graph = build_graph(project, default_workspace=settings.default_workspace)
    with JobRunner(project, settings) as runner:
        return plan_jobs(graph, graph.order(), runner.context("doctor", record=False))


def _job_json(job_id: str, plan: Plan | Unplanned) -> dict[str, Any]:
    if isinstance(plan, Unplanned):
        return {"job": job_id, "engine": None, "reasons": [], "error": error_json(plan.errors[0])}
    values = plan.as_json()
    return {"job": job_id, "engine": values["engine"], "reasons": values["reasons"], "error": None}


def _print(checks: list[Check], plans: dict[str, Plan | Unplanned]) -> None:
    for check in checks:
        typer.echo(f"{_MARKS[check.outcome]} {check.name:8} {check.detail}")
        if check.hint:
            typer.echo(f"  {'':8} {check.hint}")
    if plans:
        typer.echo("\njobs")
    width = max(map(len, plans), default=0)
    for job_id, plan in plans.items():
        if isinstance(plan, Unplanned):
            more = f" (and {len(plan.errors) - 1} more)" if len(plan.errors) > 1 else ""
            typer.echo(f"{'·' if plan.is_left_out else '✗'} {job_id:{width}}  {plan.errors[0].message}{more}")
        else:
            values = plan.as_json()
            typer.echo(f"✓ {job_id:{width}}  {values['engine']}: {'; '.join(values['reasons'])}")


def _is_bad(checks: list[Check], plans: dict[str, Plan | Unplanned]) -> bool:
    failed = any(isinstance(plan, Unplanned) and not plan.is_left_out for plan in plans.values())
    return failed or any(check.outcome == "error" for check in checks)
