"""Files that a Flare job names: queries, schemas and steps become part of it when the project is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.locations import is_address
from dataos_dagster.manifests.reader import read_file
from dataos_dagster.settings import LimitSettings

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


def read_step_files(draft: Draft, job: DocumentPath) -> None:
    """Replace each step that is the path of a YAML file by the steps in it."""
    for step, text in draft.items((*job, "steps")):
        if not isinstance(text, str):
            continue
        file = draft.find_file(text)
        if file is None:
            _missing(draft, step, text)
            draft.put(step, {})
            continue
        documents, diagnostics = read_file(file, name=text, limits=LimitSettings())
        draft.findings += diagnostics
        draft.is_broken |= any(found.severity is Severity.ERROR for found in diagnostics)
        if documents:
            draft.copy_origin(step, (*step, "sequence"))
            draft.include(step, documents[0])


def inline_files(draft: Draft, job: DocumentPath) -> None:
    """Read `sqlFile` into `sql` and `schemaPath` into `schemaString`; a schema at an address is left for the run."""
    for step, _ in draft.items((*job, "steps")):
        for item, value in draft.items((*step, "sequence")):
            if isinstance(value, dict) and value.get("sql") is None:
                _inline(draft, (*item, "sqlFile"), (*item, "sql"))
    for item, value in draft.items((*job, "inputs")):
        if isinstance(value, dict) and value.get("schemaString") is None:
            _inline(draft, (*item, "schemaPath"), (*item, "schemaString"))


def _inline(draft: Draft, source: DocumentPath, target: DocumentPath) -> None:
    text = draft.get(source)
    if not isinstance(text, str) or is_address(text) or "://" in text:
        return
    file = draft.find_file(text)
    if file is None:
        _missing(draft, source, text)
        return
    try:
        draft.put(target, file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        draft.error("unreadable-file", source, f"{text} cannot be read: {error}", "it must be a text file in UTF-8")
        return
    draft.copy_origin(source, target)


def _missing(draft: Draft, path: DocumentPath, text: str) -> None:
    hint = "a relative path counts from the manifest's folder, then from the working directory"
    draft.unresolved("unknown-file", path, f"there is no file {text!r}", hint)
