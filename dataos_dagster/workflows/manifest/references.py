"""What workflows, services and workers refer to, and what they get wrong in themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from dataos_dagster.manifests.cycles import find_cycle
from dataos_dagster.manifests.effects import report_no_effect
from dataos_dagster.manifests.kinds import STACKS, FileReference, KindRules, Reference, load_rules
from dataos_dagster.manifests.names import APPENDED, check_name
from dataos_dagster.manifests.spelling import suggestion
from dataos_dagster.workflows.manifest.stacks import KNOWN_STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft
    from dataos_dagster.workflows.manifest.job import Runnable
    from dataos_dagster.workflows.manifest.workflow import WorkflowSection


def workflow_references(section: WorkflowSection) -> Iterator[Reference]:
    """Yield what the jobs of a workflow refer to."""
    for index, entry in enumerate(section.dag):
        if entry.spec is not None:
            yield from _below(("dag", index, "spec"), runnable_references(entry.spec))


def runnable_references(section: Runnable) -> Iterator[Reference]:
    """Yield the secrets, volumes, compute and depots that a job, service or worker names."""
    for key, secrets in (("dataosSecrets", section.dataos_secrets), ("secrets", section.secrets)):
        for index, secret in enumerate(secrets):
            yield Reference("secret", secret.name, (key, index, "name"), secret.workspace)
    for index, volume in enumerate(section.dataos_volumes):
        yield Reference("volume", volume.name, ("dataosVolumes", index, "name"))
    if "compute" in section.model_fields_set:
        yield Reference("compute", section.compute, ("compute",))
    rules = _rules(section)
    if section.stack_spec is not None and rules is not None and rules.references is not None:
        yield from _below(("stackSpec",), rules.references(section.stack_spec))


def nested_workflows(section: WorkflowSection) -> Iterator[FileReference]:
    """Yield the workflows that run as one node of this one."""
    for index, entry in enumerate(section.dag):
        if entry.file is not None:
            yield FileReference(entry.file, ("dag", index, "file"), "unknown-file", kind="workflow", nests=True)


def check_workflow(draft: Draft, section: WorkflowSection, path: DocumentPath) -> None:
    """Report duplicate names, unknown dependencies and circles among the entries, and what each gets wrong."""
    first: dict[str, int] = {}
    for index, entry in enumerate(section.dag):
        first.setdefault(entry.name, index)
    for index, entry in enumerate(section.dag):
        place = (*path, "dag", index)
        check_name(draft, entry.name, (*place, "name"), appended=APPENDED)
        if first[entry.name] != index and not draft.is_open((*place, "name")):
            draft.error(
                "duplicate-name", (*place, "name"), f"there is another job `{entry.name}`", "rename one of them"
            )
        if entry.spec is None and entry.file is None:
            draft.error("missing-key", place, "an entry needs `spec` or `file`", "write the job below `spec:`")
        if entry.spec is not None and entry.file is not None and not draft.is_open((*place, "file")):
            draft.error("conflicting-keys", place, "an entry has `spec` or `file`, not both", "remove one of them")
        for number, name in enumerate(entry.dependencies):
            if name not in first and not any(draft.is_open((*path, "dag", at, "name")) for at in first.values()):
                where = _dependency(draft, place, number)
                hint = suggestion(name, [*first], what="entries")
                draft.unresolved("unknown-dependency", where, f"there is no entry `{name}`", hint)
        if entry.spec is not None:
            check_runnable(draft, entry.spec, (*place, "spec"))
    _check_cycle(draft, section, path)


def _check_cycle(draft: Draft, section: WorkflowSection, path: DocumentPath) -> None:
    index_of = {entry.name: index for index, entry in enumerate(section.dag)}
    cycle = find_cycle({entry.name: entry.dependencies for entry in section.dag})
    if cycle is not None:
        message = f"the entries wait for each other: {' → '.join(cycle)}"
        place = (*path, "dag", index_of[cycle[0]], "dependencies")
        draft.error("dependency-cycle", place, message, "remove one of these dependencies")


def _dependency(draft: Draft, entry: DocumentPath, number: int) -> DocumentPath:
    """Return where one dependency stands: they may be written as one text."""
    where = (*entry, "dependencies")
    return (*where, number) if isinstance(draft.get(where), list) else where


def check_long_running(draft: Draft, section: Runnable, path: DocumentPath) -> None:
    """Report that services and workers are not run yet, and what each gets wrong."""
    message = f"manifests of the type {path[0]} are read and not yet run"
    draft.info("not-run", ("type",), message, "nothing to do: it has no effect here yet")
    check_runnable(draft, section, path)


def check_runnable(draft: Draft, section: Runnable, path: DocumentPath) -> None:
    """Report an unknown stack, and what the stack's section gets wrong; the job graph says which stacks are run."""
    name = section.stack.name.lower()
    if draft.is_open((*path, "stack")):
        return
    if name not in KNOWN_STACKS:
        hint = suggestion(name, KNOWN_STACKS, what="stacks")
        draft.warn("unknown-stack", (*path, "stack"), f"unknown stack `{name}`", hint)
    rules = _rules(section)
    if rules is None:
        return
    if draft.is_open((*path, "stackSpec")):
        return
    if section.stack_spec is None:
        draft.missing(path, "stackSpec", f"write what {name} has to do")
        return
    if isinstance(section.stack_spec, BaseModel):
        report_no_effect(draft, section.stack_spec, (*path, "stackSpec"))
    if rules.check is not None:
        rules.check(draft, section.stack_spec, (*path, "stackSpec"))


def _rules(section: Runnable) -> KindRules | None:
    """Return the rules of a section's stack, when it is one that is run."""
    found = STACKS.get(section.stack.name.lower())
    return load_rules(found) if found else None


def _below(path: DocumentPath, references: Any) -> Iterator[Reference]:
    for found in references:
        yield found._replace(path=(*path, *found.path))
