"""`dataos history`: show the runs of jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.state.run_ids import short_id

if TYPE_CHECKING:
    from dataos_dagster.state.job_runs import JobRun
    from dataos_dagster.state.runs import Run

app = typer.Typer()

_LATEST = 20
_COLOURS = {"succeeded": "green", "failed": "red", "dead": "red", "running": "yellow"}


@app.command()
def history(
    path: Annotated[Path, typer.Argument(help="The project's folder.", exists=True)] = Path(),
    job: Annotated[
        str | None, typer.Option(help="Only this job: workspace/workflow/job, or its last parts.", show_default=False)
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Only jobs of this run: its id, or the beginning of it.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many runs: 20 unless you say, and all of --run.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the runs of jobs, newest first: when, how long, on which engine, what they wrote, and how they ended.

    A run whose process is gone without having said how it ended is shown as dead.
    """
    with reported(as_json=as_json):
        from dataos_dagster.settings import load_settings
        from dataos_dagster.state.database import State
        from dataos_dagster.state.job_runs import unknown_run
        from dataos_dagster.state.presence import has_state

        settings = load_settings(project_folder(path))
        # Looking must not make a project of a folder: where no database is, nothing has run.
        state = State.open(settings) if has_state(settings) else None
        if state is None and run is not None:
            raise unknown_run(run)
        runs = state.job_runs.history(limit or (_LATEST if run is None else None), job, run) if state else []
        last = state.runs.last() if state else None
    if as_json:
        told = {"runs": [_as_json(each) for each in runs], "last_run": _last_as_json(last) if last else None}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    if runs:
        _print_table(runs)
    else:
        of_job, of_run = f" of {job}" if job else "", f" as a part of run {run}" if run else ""
        typer.echo(f"no runs{of_job} are recorded{of_run}")
    if last is not None and job is None and run is None:
        _print_left(last)


def _as_json(run: JobRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "run_id": run.run_id,
        "dagster_run_id": run.dagster_run_id,
        "job": run.job,
        "workspace": run.workspace,
        "workflow": run.workflow,
        "principal": run.principal,
        "engine": run.engine,
        "engine_reasons": list(run.engine_reasons),
        "inputs": list(run.inputs),
        "outputs": [
            {
                "dataset": output.dataset,
                "rows": output.rows,
                "bytes": output.bytes,
                "snapshot_id": output.snapshot_id,
                "branch": output.branch,
                "rows_deleted": output.rows_deleted,
            }
            for output in run.written
        ],
        "actions": [
            {"name": each.action, "dataset": each.dataset, "summary": each.summary, "counts": dict(each.counts)}
            for each in run.maintained
        ],
        "rows": run.rows,
        "status": run.status,
        "error": run.error,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seconds": run.seconds,
    }


def _last_as_json(run: Run) -> dict[str, Any]:
    return {"run_id": run.run_id, "status": run.status, "jobs": list(run.jobs), "left": list(run.left)}


def _print_left(run: Run) -> None:
    """Say what the last run outside of Dagster has left to do, and how to go on."""
    if run.status == "running" or not run.left:
        return
    how = {"ended": "has failures", "interrupted": "was interrupted", "dead": "has died"}[run.status]
    typer.echo(f"\nthe last run, {short_id(run.run_id)}, {how}; `dataos run --from-failure` does what is left:")
    for job in run.left:
        typer.echo(f"  {job}{'' if job in run.begun else ' (not begun)'}")


def _print_table(runs: list[JobRun]) -> None:
    from rich.text import Text

    from dataos_dagster.cli.tables import Column, print_table

    columns = (
        Column("started (UTC)"),
        Column("job"),
        Column("status"),
        Column("engine", rank=3),
        Column("rows", right=True, rank=1),
        Column("seconds", right=True, rank=2),
        Column("principal", rank=4),
    )
    rows = []
    for run in runs:
        row = [
            Text(f"{run.started_at:%Y-%m-%d %H:%M:%S}"),
            Text(run.job),
            Text(run.status, style=_COLOURS[run.status]),
            Text(run.engine or ""),
            Text("" if run.rows is None else f"{run.rows:,}"),
            Text("" if run.seconds is None else f"{run.seconds:.1f}"),
            Text(run.principal),
        ]
        rows.append([*row, Text(run.error.splitlines()[0], style="red")] if run.error else row)
    print_table(columns, rows)
