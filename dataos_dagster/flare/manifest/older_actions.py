"""Older spellings of actions and their options, rewritten with a warning each; keys that mean nothing are refused.

Elsewhere an unknown key is left out with a warning. An action that lost an option would remove what it was to keep.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataos_dagster.flare.manifest.actions import Action, options_of
from dataos_dagster.manifests.fields import keys_of
from dataos_dagster.manifests.rewriting import drop, move
from dataos_dagster.manifests.spelling import fold, meant, suggestion

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# Names of actions without what people vary: letter case, underscores and the plural.
_REWRITE, _EXPIRE = "rewritedataset", "expiresnapshot"
_CONDITION = "deleteWhere"
# Options of flare:3.0 and before, by action: the older name and the way to the present one.
_RENAMED: dict[str, dict[str, tuple[str, ...]]] = {
    _REWRITE: {"filter": ("where",), "targetSizeInBytes": ("properties", "target-file-size-bytes")},
    _EXPIRE: {"expireOlderThan": ("olderThanMillis",), "olderThan": ("olderThanMillis",)},
    "removeorphan": {"olderThan": ("olderThanMillis",)},
}
# Options of releases before 2.0 that Iceberg's procedures do not know any more.
_GONE = {
    _REWRITE: ("splitOpenFileCost", "splitLookback", "outputSpecId", "caseSensitive"),
    "rewritemanifest": ("stagingLocation",),
}
_COMMA_AFTER_COLUMN = re.compile(r"(?P<column>[\w.`]+)\s*,\s*(?P<order>(?:ASC|DESC|NULLS)\b)", re.IGNORECASE)


def rewrite_actions(draft: Draft, job: DocumentPath) -> None:
    """Rewrite the older forms of a job's actions; `job` is the path of its `job:`."""
    _rewrite_dataset(draft, job)
    for action, value in draft.items((*job, "actions")):
        model = options_of(value.get("name")) if isinstance(value, dict) else None
        if model is not None:
            _rewrite_options(draft, action, fold(value["name"].strip()).rstrip("s"))
            _refuse_unknown(draft, action, Action, "an action")
            _refuse_unknown(draft, (*action, "options"), model, value["name"])


def _rewrite_options(draft: Draft, action: DocumentPath, name: str) -> None:
    options = (*action, "options")
    for old, new in _RENAMED.get(name, {}).items():
        move(draft, (*options, old), (*options, *new), code="old-form")
    if name == _EXPIRE and draft.get((*options, "expireSnapshotId")) is not None:
        one = draft.get((*options, "expireSnapshotId"))
        move(draft, (*options, "expireSnapshotId"), (*options, "snapshotIds"), code="old-form")
        if draft.get((*options, "snapshotIds")) == one:
            draft.put((*options, "snapshotIds"), [one])
    for old in _GONE.get(name, ()):
        drop(draft, (*options, old), f"`{old}` is an option of Iceberg no more: ignored", "remove it")
    if name == _REWRITE:
        _sort_order(draft, (*options, "sortOrder"))


def _refuse_unknown(draft: Draft, path: DocumentPath, model: type[BaseModel], what: str) -> None:
    known = list(keys_of(model))
    folded = {fold(key) for key in known}
    for key in [key for key in draft.mapping(path) if fold(str(key)) not in folded]:
        if _CONDITION in known and draft.get((*path, _CONDITION)) is None and meant(str(key), [_CONDITION]):
            draft.misspelt((*path, key), _CONDITION)
            draft.move((*path, key), (*path, _CONDITION))
            continue
        hint = suggestion(str(key), known) or "remove it"
        draft.error("unknown-key", (*path, key), f"{what} has no `{key}`", hint, key=True)
        draft.take((*path, key))


def _rewrite_dataset(draft: Draft, job: DocumentPath) -> None:
    """Read `rewriteDataset` of a job, which was there before actions were, as the action."""
    old = (*job, "rewriteDataset")
    if draft.get(old) is None:
        return
    options: dict[str, Any] = {"properties": {"rewrite-all": "true"}} if draft.get((*old, "mode")) == "full" else {}
    index = len(draft.items((*job, "actions")))
    message = "`rewriteDataset` is the action `rewrite_dataset` now"
    draft.warn("old-form", old, message, "write `actions: [{name: rewrite_dataset}]`", key=True)
    draft.take(old)
    draft.put((*job, "actions", index), {"name": "rewrite_dataset", "options": options})
    draft.copy_origin(old, (*job, "actions", index))


def _sort_order(draft: Draft, path: DocumentPath) -> None:
    """Rewrite `(id, ASC NULLS FIRST).`, as a page of the documentation has it, to what Iceberg reads."""
    written = draft.get(path)
    if not isinstance(written, str):
        return
    order = written.strip().rstrip(".").rstrip()
    if order.startswith("(") and order.endswith(")"):
        order = order[1:-1].strip()
    order = _COMMA_AFTER_COLUMN.sub(r"\g<column> \g<order>", order)
    if order != written.strip():
        draft.warn("old-form", path, f"the order is read as `{order}`", f"write `{order}`")
        draft.put(path, order)
