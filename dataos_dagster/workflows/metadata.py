"""What a job has done, as the metadata that Dagster shows with a materialization."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg

from dataos_dagster.workflows.profiles import profile_table, suggestions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dataos_dagster.depots.door import Column
    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.state.job_runs import ColumnRecord, OutputRecord
    from dataos_dagster.workflows.graph import AssetPath
    from dataos_dagster.workflows.profiles import ProfileResult
    from dataos_dagster.workflows.results import (
        ActionResult,
        AssertionResult,
        ColumnLineage,
        JobResult,
        OutputResult,
        Preview,
    )

_Written = TypeVar("_Written", "OutputResult", "OutputRecord")
_PREVIEW_CELL = 200
_MARKS = re.compile(r"[\\`*_\[\]<>]")


def by_dataset(
    outputs: Iterable[_Written], key_of: Callable[[_Written], AssetPath | None]
) -> dict[AssetPath, _Written]:
    """Return of each dataset that has a key what was written last, which says how it is now.

    Several outputs may go to one dataset, such as two branches of a table. Rows that were deleted one condition after
    the other add up.
    """
    found: dict[AssetPath, _Written] = {}
    for output in outputs:
        key = key_of(output)
        if key is None:
            continue
        before = found[key].rows_deleted if key in found else None
        if before is not None and output.rows_deleted is not None:
            found[key] = replace(output, rows_deleted=before + output.rows_deleted)
        else:
            found[key] = output
    return found


def output_metadata(output: OutputResult) -> dict[str, Any]:
    """Return what is stored of a write, and its seconds, column lineage and preview; what is not known is left out."""
    known: dict[str, Any] = {
        "seconds": round(output.seconds, 3),
        "dagster/column_lineage": _column_lineage(output.lineage) if output.lineage else None,
        "preview": preview_table(output.preview) if output.preview else None,
    }
    return stored_metadata(output, output.schema) | {key: value for key, value in known.items() if value is not None}


def stored_metadata(output: OutputResult | OutputRecord, columns: Iterable[Column | ColumnRecord]) -> dict[str, Any]:
    """Return rows, bytes, snapshot and columns of one write, which the state database keeps; not what is unknown.

    Dagster means the rows of the whole table by `dagster/row_count` and draws its history; the rows of this one write
    are `rows_written`. A branch has its own number of rows, which is not that of the table.
    """
    schema = column_schema(columns)
    known: dict[str, Any] = {
        "dagster/row_count": output.total_rows if output.branch is None else None,
        "rows_written": output.rows,
        "rows_deleted": output.rows_deleted,
        "dagster/uri": output.dataset,
        "bytes": output.bytes,
        "snapshot_id": output.snapshot_id,
        "branch": output.branch,
        "dagster/column_schema": schema if schema.columns else None,
    }
    return {key: value for key, value in known.items() if value is not None}


def run_metadata(engine: str | None, reasons: Sequence[str], principal: str, seconds: float | None) -> dict[str, Any]:
    """Return on which engine a job ran and why, on whose behalf, and how long; not what is unknown."""
    known = {
        "engine": engine,
        "engine_reasons": list(reasons),
        "principal": principal,
        "job_seconds": None if seconds is None else round(seconds, 3),
    }
    return {key: value for key, value in known.items() if value is not None}


def job_metadata(result: JobResult) -> dict[str, Any]:
    """Return how a job ran, and what the manifest asked to be shown."""
    metadata = run_metadata(result.engine, result.engine_reasons, result.principal.name, result.seconds)
    if result.notes:
        metadata["notes"] = list(result.notes)
    if result.windows:
        metadata["incremental"] = dg.MetadataValue.json(
            {window.input: {"values": dict(window.values), "stored": dict(window.stored)} for window in result.windows}
        )
    if result.actions:
        metadata["actions"] = [f"{action.name} of {action.dataset}: {action.summary}" for action in result.actions]
    if result.profile:
        metadata |= profile_metadata(result.profile)
    if result.explain:
        metadata["explain"] = dg.MetadataValue.md(_plans(result.explain))
    for preview in result.previews:
        metadata[f"preview_{preview.name}"] = preview_table(preview)
    return metadata


def action_metadata(action: ActionResult) -> dict[str, Any]:
    """Return what the maintenance of a dataset has done, as its history shows it."""
    known: dict[str, Any] = {
        "action": action.name,
        "summary": action.summary,
        **action.counts,
        "snapshot_id": action.snapshot_id,
        "seconds": round(action.seconds, 3),
        "files": list(action.files) or None,
    }
    return {key: value for key, value in known.items() if value is not None}


def problem_metadata(problems: Iterable[Diagnostic]) -> dict[str, Any]:
    """Return what is wrong with a manifest: all of it as Markdown, and the first as one line."""
    shown = tuple(problems)
    if not shown:
        return {}
    text = "\n\n".join(_paragraph(problem) for problem in shown)
    return {"diagnostics": dg.MetadataValue.md(text), "first": str(shown[0])}


def _paragraph(problem: Diagnostic) -> str:
    lines = [f"**{problem.location}** {problem.severity} `{problem.code}`: {_literal(problem.message)}"]
    if problem.hint:
        lines.append(f"*{_literal(problem.hint)}*")
    if problem.snippet:
        lines.append(f"```\n{problem.snippet.rstrip()}\n```")
    return "\n\n".join(lines)


def _literal(text: str) -> str:
    """Return text that Markdown shows as it is: cron expressions and SQL are full of its marks."""
    return _MARKS.sub(r"\\\g<0>", text)


def profile_metadata(profile: ProfileResult) -> dict[str, Any]:
    """Return a profile as a table with a line a column, and what columns seem to be as suggestions."""
    known = {
        "profile": preview_table(profile_table(profile)),
        "profiled_rows": profile.rows,
        "profiled_dataset": profile.dataset,
        "suggested_attributes": suggestions_of(profile),
        "categorical_columns": [each.name for each in profile.columns if each.categorical],
    }
    return {key: value for key, value in known.items() if value != []}


def assertion_metadata(result: AssertionResult) -> dict[str, Any]:
    """Return what a test has found, and what it was compared with."""
    known = {
        "value": result.value,
        "operator": result.operator,
        "threshold": result.limit,
        "test": result.test,
        "column": result.column,
        "filter": result.filter,
        "dataset": result.dataset,
        "location": str(result.location),
    }
    return {key: value for key, value in known.items() if value is not None}


def preview_table(preview: Preview) -> dg.MarkdownMetadataValue:
    """Return the rows of a preview as a Markdown table; long cells are cut."""
    header = " | ".join(_cell(name) for name in preview.columns)
    rule = " | ".join("---" for _ in preview.columns)
    rows = [" | ".join(_cell(value) for value in row) for row in preview.rows]
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in (header, rule, *rows)))


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    short = text if len(text) <= _PREVIEW_CELL else f"{text[:_PREVIEW_CELL]}…"
    return short.replace("|", "\\|").replace("\n", " ")


def _plans(explain: Mapping[str, str]) -> str:
    return "\n\n".join(f"**{label}**\n\n```\n{plan.rstrip()}\n```" for label, plan in explain.items())


def column_schema(columns: Iterable[Column | ColumnRecord]) -> dg.TableSchema:
    """Return columns as Dagster draws them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=column.type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
                tags=dict.fromkeys(column.tags, ""),
            )
            for column in columns
        ]
    )


def _column_lineage(lineage: ColumnLineage) -> dg.TableColumnLineage:
    """Return the lineage between datasets with an address; other locations have no asset to point to."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(source.address.key), column_name=source.column)
                for source in sources
                if source.address
            ]
            for column, sources in lineage.columns.items()
        }
    )
