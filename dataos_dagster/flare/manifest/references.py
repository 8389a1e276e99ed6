"""What a Flare job refers to, and what it gets wrong in itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dataos_dagster.flare.manifest.action_checks import check_actions
from dataos_dagster.flare.manifest.assertion_checks import check_assertions
from dataos_dagster.flare.manifest.formats import FORMATS
from dataos_dagster.flare.manifest.job import FlareJob, FlareSpec
from dataos_dagster.flare.manifest.queries import check_queries, names_are_known
from dataos_dagster.flare.manifest.steps import FunctionCall
from dataos_dagster.flare.manifest.udfs import check_udfs
from dataos_dagster.manifests.kinds import Reference
from dataos_dagster.manifests.locations import is_address, parse_address
from dataos_dagster.manifests.spelling import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


def references(spec: FlareSpec) -> Iterator[Reference]:
    """Yield the depots that a job's addresses name; a table that is maintained is written to."""
    maintained = {(action.input or "").lower() for action in spec.job.actions}
    only = len(spec.job.inputs) == 1 and bool(spec.job.actions)
    for index, item in enumerate(spec.job.inputs):
        if item.address is not None:
            acl: Literal["r", "rw"] = "rw" if only or item.name.lower() in maintained else "r"
            yield Reference("depot", item.address.depot, ("job", "inputs", index, "dataset"), acl=acl)
        if item.schema_path is not None and is_address(item.schema_path):
            depot = parse_address(item.schema_path).depot
            yield Reference("depot", depot, ("job", "inputs", index, "schemaPath"), acl="r")
    for index, output in enumerate(spec.job.outputs):
        if output.address is not None:
            yield Reference("depot", output.address.depot, ("job", "outputs", index, "dataset"), acl="rw")


def check(draft: Draft, spec: FlareSpec, path: DocumentPath) -> None:
    """Report what cannot work: inputs without a source, outputs of unknown views, names that are used twice."""
    job = (*path, "job")
    if not (spec.job.inputs or spec.job.steps or spec.job.actions) and not any(
        draft.is_open((*job, key)) for key in ("inputs", "steps", "actions")
    ):
        draft.missing(job, "inputs", "write what is read")
    _check_inputs(draft, spec.job, job)
    _check_items(draft, spec.job, job)
    check_queries(draft, spec.job, job)
    _check_outputs(draft, spec.job, job)
    check_actions(draft, spec.job, job)
    check_assertions(draft, spec.job, job)
    check_udfs(draft, spec.job, job)
    for index, entry in enumerate(spec.job.inputs):
        _check_format(draft, entry.format, (*job, "inputs", index, "format"))
    for index, output in enumerate(spec.job.outputs):
        _check_format(draft, output.format, (*job, "outputs", index, "format"))


def _check_inputs(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    seen: set[str] = set()
    for index, item in enumerate(job.inputs):
        place = (*path, "inputs", index)
        sources = [key for key, value in (("dataset", item.dataset), ("query", item.query)) if value]
        if item.input_type is not None:
            sources.append("inputType")
            if item.connection is None and not draft.is_open((*place, "inputType")):
                message = f"`inputType` is {item.input_type}, and there is no section of that name"
                draft.error(
                    "missing-section", (*place, "inputType"), message, f"write `{item.input_type}: …` beside it"
                )
        if len(sources) > 1:
            message = f"an input has one source, this one has {' and '.join(sources)}"
            draft.error("conflicting-keys", place, message, "remove all but one")
        elif not sources:
            draft.error("missing-key", place, "an input needs `dataset`, `query` or `inputType`", "write `dataset: …`")
        if item.name.lower() in seen:
            message = f"there is another input called `{item.name}`: only the last one can be used"
            draft.warn("duplicate-name", (*place, "name"), message, "give it another name")
        seen.add(item.name.lower())


def _check_format(draft: Draft, word: str | None, path: DocumentPath) -> None:
    if word is None or word.lower() in FORMATS or draft.is_open(path):
        return
    draft.error(
        "unknown-format", path, f"there is no format `{word}`", suggestion(word, sorted(FORMATS), what="formats")
    )


def _check_items(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    for number, step in enumerate(job.steps):
        for index, item in enumerate(step.sequence):
            place = (*path, "steps", number, "sequence", index)
            if not (item.sql or item.sql_file or item.classpath):
                draft.error("missing-key", place, "an item needs `sql`, `sqlFile` or `classpath`", "write `sql: …`")
            for position, call in enumerate(item.functions):
                _check_function(draft, call, (*place, "functions", position))


def _check_function(draft: Draft, call: FunctionCall, path: DocumentPath) -> None:
    from dataos_dagster.flare.functions.registry import findings_in, spellings_in

    if draft.has_open_values and draft.holds_open(path):
        return
    for word, usual in spellings_in(call.name, call.parameters):
        place = (*path, "name") if word == call.name else (*path, word)
        draft.warn("key-spelling", place, f"`{word}` is spelt `{usual}`", f"write `{usual}`", key=word != call.name)
    for finding in findings_in(call.name, call.parameters):
        draft.error("wrong-function", (*path, *finding.path), str(finding), finding.hint, key=finding.at_key)


def _check_outputs(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    views = {item.name.lower(): item.name for item in job.inputs}
    views |= {item.name.lower(): item.name for step in job.steps for item in step.sequence}
    read = {item.address for item in job.inputs if item.address is not None}
    for index, output in enumerate(job.outputs):
        place = (*path, "outputs", index)
        if output.dataset is None and output.output_type is None:
            draft.error("missing-key", place, "an output needs `dataset` or `outputType`", "write `dataset: …`")
        is_spelled_out = output.output_type is not None and output.dataset is None
        if is_spelled_out and output.connection is None and not draft.is_open((*place, "outputType")):
            message = f"`outputType` is {output.output_type}, and there is no section of that name"
            draft.error(
                "missing-section", (*place, "outputType"), message, f"write `{output.output_type}: …` beside it"
            )
        if output.name.lower() not in views and names_are_known(draft, job, path):
            message = f"no input or item is called `{output.name}`"
            hint = suggestion(output.name, list(views.values()), what="there are")
            draft.unresolved("unknown-view", (*place, "name"), message, hint)
        if output.address is not None and output.address.acl == "r":
            message = "the address asks to read (`acl=r`), and an output is written"
            draft.warn("wrong-value", (*place, "dataset"), message, "write `?acl=rw`")
        if output.address is not None and output.address in read:
            message = f"the job reads and writes {output.address}"
            draft.warn(
                "reads-what-it-writes", (*place, "dataset"), message, "the rows are read before they are replaced"
            )
