"""`steps[].sink`, how Flare before 7.0 said what is written: one output for each entry.

An old output names a depot and its driver; the sink entries say which view goes to which dataset of it. Whatever else
the output says (`options`, `format`, `tags`, …) holds for each sink that names it and does not say that itself::

    outputs: [{name: out, depot: dataos://lakehouse:retail?acl=rw}]
    steps:
      - sink: [{sequenceName: orders, datasetName: orders, outputName: out, outputType: Iceberg, outputOptions: {…}}]
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# The address of a depot or of a collection in it, which is not yet one of a dataset.
_DEPOT = r"dataos://[^/?]+/?(?:\?.*)?"
# Key of a sink entry to key of an output.
_KEYS = {
    "sequenceName": "name",
    "outputType": "format",
    "outputOptions": "options",
    "title": "title",
    "description": "description",
    "tags": "tags",
    "columnTags": "columnTags",
    "assertions": "assertions",
    "checkpointLocation": "checkpointLocation",
}


def rewrite_sinks(draft: Draft, job: DocumentPath) -> None:
    """Replace old outputs and sink entries by outputs of the present form."""
    if not any(isinstance(step, dict) and "sink" in step for _, step in draft.items((*job, "steps"))):
        _outputs_without_sinks(draft, _depots(draft, job))
        return
    for step, value in draft.items((*job, "steps")):
        if isinstance(value, dict) and isinstance(value.get("sink"), dict):
            draft.put((*step, "sink"), [value["sink"]])
            draft.copy_origin((*step, "sink"), (*step, "sink", 0))
    sinks = [item for step, _ in draft.items((*job, "steps")) for item, _ in draft.items((*step, "sink"))]
    _respell_depots(draft, job, frozenset(str(draft.get((*sink, "outputName"))) for sink in sinks))
    depots = _depots(draft, job)
    for sink in sinks:
        if isinstance(draft.get(sink), dict):
            _output_of(draft, job, sink, depots)
    for step, _ in draft.items((*job, "steps")):
        draft.mapping(step).pop("sink", None)
    _forget_depots(draft, job, depots)


def _depots(draft: Draft, job: DocumentPath) -> dict[str, DocumentPath]:
    """Return the name of each output that names a depot in the place of a dataset, and where it stands."""
    return {
        str(value.get("name")): path
        for path, value in draft.items((*job, "outputs"))
        if isinstance(value, dict) and value.get("depot") is not None and value.get("dataset") is None
    }


def _respell_depots(draft: Draft, job: DocumentPath, named: frozenset[str]) -> None:
    """Move the depot of each output that sinks write through to `depot`, where it is written as `dataset`."""
    for path, value in draft.items((*job, "outputs")):
        if isinstance(value, dict) and str(value.get("name")) in named and _names_a_depot(value):
            draft.move((*path, "dataset"), (*path, "depot"))


def _names_a_depot(output: dict[str, Any]) -> bool:
    """Tell whether an output says nothing but which depot a sink writes to, with `dataset` in the place of `depot`."""
    return (
        output.keys() <= {"name", "dataset", "driver"} and re.fullmatch(_DEPOT, str(output.get("dataset"))) is not None
    )


def _output_of(draft: Draft, job: DocumentPath, sink: DocumentPath, depots: dict[str, DocumentPath]) -> None:
    entry = draft.mapping(sink)
    index = len(draft.items((*job, "outputs")))
    target = (*job, "outputs", index)
    draft.warn(
        "old-form",
        sink,
        "`sink` is an output now: read as if it stood in `outputs`",
        "write `outputs: [{name: <sequenceName>, dataset: <depot>/<datasetName>, format: …, options: …}]`",
    )
    draft.put(target, {})
    draft.copy_origin(sink, target)
    for old, new in _KEYS.items():
        if old in entry:
            draft.move((*sink, old), (*target, new))
    for key in [key for key in draft.mapping(sink) if key not in {"outputName", "datasetName"}]:
        draft.move((*sink, key), (*target, key))
    _address(draft, sink, target, depots)


def _address(draft: Draft, sink: DocumentPath, target: DocumentPath, depots: dict[str, DocumentPath]) -> None:
    entry = draft.mapping(sink)
    name = entry.get("outputName")
    source = depots.get(str(name)) or (next(iter(depots.values())) if name is None and len(depots) == 1 else None)
    if source is None:
        known = f"outputs with a `depot`: {', '.join(depots)}" if depots else "there is no output with a `depot`"
        draft.error("unknown-output", (*sink, "outputName"), f"no output is called {name!r}", known)
    else:
        draft.put((*target, "dataset"), joined(draft.mapping(source)["depot"], entry.get("datasetName")))
        draft.copy_origin((*sink, "datasetName"), (*target, "dataset"))
        _inherit(draft, source, target, {"name", "depot"})


def _inherit(draft: Draft, source: DocumentPath, target: DocumentPath, but: Collection[str] = ()) -> None:
    """Put what an old output says into the output of a sink, mapping by mapping; what the sink says itself stays."""
    for key, value in draft.mapping(source).items():
        inner = (*target, key)
        if key in but or value is None:
            continue
        if isinstance(value, dict) and isinstance(draft.get(inner), dict):
            _inherit(draft, (*source, key), inner)
        elif draft.get(inner) is None:
            draft.put(inner, deepcopy(value))
            draft.copy_origin((*source, key), inner)


def _outputs_without_sinks(draft: Draft, depots: dict[str, DocumentPath]) -> None:
    """Take the depot of an old output for its address: the output's name is the dataset then."""
    for path in depots.values():
        message = "`depot` is `dataset` now: read as if it were written so"
        draft.warn("old-form", (*path, "depot"), message, "write `dataset`", key=True)
        draft.move((*path, "depot"), (*path, "dataset"))


def _forget_depots(draft: Draft, job: DocumentPath, depots: dict[str, DocumentPath]) -> None:
    """Remove the outputs that sinks were written through; positions of those behind them stay known."""
    gone = {path[-1] for path in depots.values()}
    kept: list[Any] = []
    for path, value in draft.items((*job, "outputs")):
        if path[-1] in gone:
            continue
        if path[-1] != len(kept):
            draft.copy_origin(path, (*job, "outputs", len(kept)))
        kept.append(value)
    draft.put((*job, "outputs"), kept)


def joined(depot: Any, dataset: Any) -> Any:
    """Return the address of a dataset below that of a depot, parameters at the end; a wrong depot as it is."""
    if not isinstance(depot, str) or dataset is None:
        return depot
    address, mark, params = depot.partition("?")
    return f"{address.rstrip('/')}/{dataset}{mark}{params}"
