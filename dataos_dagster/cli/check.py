"""`dataos check`: read manifests and report everything that is wrong with them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataos_dagster.cli.failures import FAILED, reported
from dataos_dagster.cli.projects import is_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import LimitSettings

app = typer.Typer()

# A fix may make room for the next one (a file that parses now is checked for the first time); each round fixes more.
_MOST_ROUNDS = 10


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files; default the current folder.", exists=True, show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    allow_placeholders: Annotated[
        bool, typer.Option("--allow-placeholders", help="Check templates: what they leave open is a warning.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely, in the files.")] = False,
) -> None:
    """Read manifests and report everything that is wrong with them.

    Ends with 0 when there is no error, also where there are no manifests; 1 when there is one (with --strict: or a
    warning); 2 when a path is missing or the settings are wrong.
    """
    given = paths or [Path()]
    with reported(as_json=as_json):
        from dataos_dagster.manifests.discovery import project_root
        from dataos_dagster.manifests.project import load_project
        from dataos_dagster.settings import load_settings
        from dataos_dagster.workflows.findings import with_job_diagnostics
        from dataos_dagster.workflows.setting_names import with_setting_diagnostics

        settings = load_settings(project_root(given))
        is_whole = any(path.resolve() == settings.project for path in given)
        is_part = not is_whole and is_project(settings.project)

        def load() -> Project:
            looked_at = [settings.project, *given] if is_part else given
            project = load_project(looked_at, settings=settings, allow_placeholders=allow_placeholders)
            project = with_job_diagnostics(project)
            if is_part:
                return project.part(given, settings)
            return with_setting_diagnostics(project, settings) if is_whole else project

        project = load()
        fixed: dict[str, int] = {}
        if fix:
            project, fixed = _fix(project, load, settings.limits)
    if as_json:
        typer.echo(json.dumps(_as_json(project, fixed, given), ensure_ascii=False))
    else:
        _print(project, fixed, given)
    if _fails(project.diagnostics, strict=strict):
        raise typer.Exit(FAILED)


def _fix(project: Project, load: Callable[[], Project], limits: LimitSettings) -> tuple[Project, dict[str, int]]:
    """Apply safe fixes until there are none left, and return the project as it is then and how much was mended."""
    from dataos_dagster.manifests.diagnostics import Severity
    from dataos_dagster.manifests.fixes import fix_file, safe_fixes
    from dataos_dagster.manifests.reader import read_text

    fixed: dict[str, int] = {}
    for _ in range(_MOST_ROUNDS):
        changed = False
        for name, diagnostics in safe_fixes(project.diagnostics).items():
            file = project.root / name

            def errors_of(text: str, file: Path = file, name: str = name) -> int:
                _, found = read_text(text, file=file, name=name, limits=limits)
                return sum(one.severity is Severity.ERROR for one in found)

            if fix_file(file, diagnostics, errors_of):
                fixed[name] = fixed.get(name, 0) + len(diagnostics)
                changed = True
        if not changed:
            break
        project = load()
    return project, fixed


def _fails(diagnostics: tuple[Diagnostic, ...], *, strict: bool) -> bool:
    from dataos_dagster.manifests.diagnostics import Severity

    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return any(found.severity in failing for found in diagnostics)


def _print(project: Project, fixed: dict[str, int], given: list[Path]) -> None:
    from dataos_dagster.manifests.console import advice_on_templates, by_code, count_of, render_all, summary

    for name, number in fixed.items():
        typer.echo(f"fixed {name}: {count_of(number, 'change')}")
    if project.diagnostics:
        color = sys.stdout.isatty()
        typer.echo(f"{render_all(project.diagnostics, color=color)}\n", color=color)
        for said in (by_code(project.diagnostics), advice_on_templates(project.diagnostics)):
            if said:
                typer.echo(f"{said}\n")
    if _is_empty(project):
        typer.echo(_no_manifests(given))
        return
    typer.echo(summary(len(project.files), project.documents, len(project.resources), project.diagnostics))


def _is_empty(project: Project) -> bool:
    return not project.resources and not project.diagnostics


def _no_manifests(given: list[Path]) -> str:
    """Return the note about paths that hold nothing to check: that is no error, and hardly what was meant."""
    return f"no manifests found in {', '.join(str(path.resolve()) for path in given)}"


def _as_json(project: Project, fixed: dict[str, int], given: list[Path]) -> dict[str, Any]:
    from dataos_dagster.manifests.discovery import display_name

    return {
        "files": len(project.files),
        "documents": project.documents,
        "resources": [
            {
                "kind": resource.kind,
                "name": resource.name,
                "workspace": resource.workspace,
                "file": display_name(resource.document.file, project.root),
                "line": resource.location().line,
            }
            for resource in project.resources
        ],
        "diagnostics": [diagnostic_json(found) for found in project.diagnostics],
        "fixed": fixed,
        "notes": [_no_manifests(given)] if _is_empty(project) else [],
    }


def diagnostic_json(found: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic as JSON values; the edits of its fix stay out, for they may quote the file."""
    return {
        "code": found.code,
        "severity": str(found.severity),
        "file": found.file,
        "line": found.line,
        "column": found.column,
        "end": {"line": found.end_line, "column": found.end_column},
        "path": list(found.path),
        "message": found.message,
        "hint": found.hint,
        "fix": None if found.fix is None else {"description": found.fix.description, "safe": found.fix.safe},
        "snippet": found.snippet,
    }
