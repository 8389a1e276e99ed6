"""Older and misplaced forms of jobs, services and workers, rewritten to the present one with a warning each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.manifests.fixes import replace_word
from dataos_dagster.manifests.kinds import STACKS, load_rules
from dataos_dagster.manifests.rewriting import enlist, move
from dataos_dagster.manifests.spelling import meant, nearest
from dataos_dagster.workflows.manifest.stacks import KNOWN_STACKS, stack_name

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# Keys of a job that are found beside `spec`, by an accident of indentation, and the other way round.
_SPEC_KEYS = ("stack", "compute", "stackSpec", "envs", "logLevel", "resources", "dataosSecrets", "runAsUser")
_ENTRY_KEYS = ("retry", "file", "dependencies")
_MISPLACED_IN_ENTRY = frozenset({*_SPEC_KEYS, "file"})
_MISPLACED_IN_SPEC = frozenset(_ENTRY_KEYS)


def normalise_workflow(draft: Draft, path: DocumentPath) -> None:
    """Rewrite the old forms of the `workflow` at a path."""
    dag = (*path, "dag")
    if isinstance(draft.get(dag), dict) and "name" in draft.mapping(dag):
        enlist(draft, dag)
    for entry, value in draft.items(dag):
        if isinstance(value, dict):
            _entry(draft, entry)


def _entry(draft: Draft, entry: DocumentPath) -> None:
    spec = (*entry, "spec")
    for key in ("dependency", "dependsOn"):
        move(draft, (*entry, key), (*entry, "dependencies"), code="key-spelling")
    if not _MISPLACED_IN_SPEC.isdisjoint(draft.mapping(spec)):
        for key in _ENTRY_KEYS:
            move(draft, (*spec, key), (*entry, key))
    if not _MISPLACED_IN_ENTRY.isdisjoint(draft.mapping(entry)):
        names_file = draft.get((*entry, "file")) is not None and draft.get((*spec, "stack")) is None
        if names_file and isinstance(draft.get(spec), dict | None):
            draft.mapping(entry).pop("spec", None)
        else:
            for key in (*_SPEC_KEYS, *_sections_of_stack(draft, entry)):
                move(draft, (*entry, key), (*spec, key))
    if draft.mapping(spec):
        normalise_runnable(draft, spec)


def _sections_of_stack(draft: Draft, path: DocumentPath) -> list[str]:
    """Return the keys that are sections named after the stack beside them."""
    stack = stack_name(draft.get((*path, "stack")))
    return [key for key in draft.mapping(path) if key.lower() == stack]


def normalise_runnable(draft: Draft, path: DocumentPath) -> None:
    """Rewrite the old forms of the job, service or worker at a path, those of its stack included."""
    move(draft, (*path, "resource"), (*path, "resources"), code="key-spelling")
    for old, new in (("limit", "limits"), ("request", "requests")):
        move(draft, (*path, "resources", old), (*path, "resources", new), code="key-spelling")
    stack = _right_stack(draft, (*path, "stack"))
    if stack is None:
        return
    # The section named after its stack is what stacks had before `stackSpec`.
    for key in _sections_of_stack(draft, path):
        move(draft, (*path, key), (*path, "stackSpec"), code="old-form")
    rules = load_rules(STACKS[stack]) if stack in STACKS else None
    if rules is not None and rules.normalise is not None and draft.mapping((*path, "stackSpec")):
        rules.normalise(draft, (*path, "stackSpec"))


def _right_stack(draft: Draft, path: DocumentPath) -> str | None:
    """Return the stack's name, a misspelt one mended with an error, so that what belongs to it is checked all the same.

    A name that is near no other may be a stack of the installation's own.
    """
    text = draft.get(path)
    name = stack_name(text)
    if name is None or name in KNOWN_STACKS or name.rstrip("0123456789") in KNOWN_STACKS or draft.is_open(path):
        return name
    right = nearest(name, KNOWN_STACKS)
    if right is None:
        return name
    wrong = text.strip()[: len(name)]
    is_sure = meant(name, KNOWN_STACKS) == right
    fix = replace_word(draft.document, draft.origin(path), text, wrong, right) if is_sure else None
    draft.refuse("unknown-stack", path, f"there is no stack `{wrong}`", f"did you mean `{right}`?", fix=fix)
    draft.put(path, text.replace(wrong, right, 1))
    return right
