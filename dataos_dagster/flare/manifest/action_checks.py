"""What the actions of a job get wrong in themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest.actions import ExpireSnapshots, RemoveOrphans, RewriteDataset
from dataos_dagster.manifests.spelling import meant, suggestion

if TYPE_CHECKING:
    from dataos_dagster.flare.manifest.actions import Action
    from dataos_dagster.flare.manifest.job import FlareJob
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

# Options of Iceberg's rewrite_data_files: only near misses of them are told, since releases add new ones.
REWRITE_PROPERTIES = (
    "target-file-size-bytes", "min-file-size-bytes", "max-file-size-bytes", "min-input-files", "rewrite-all",
    "max-file-group-size-bytes", "max-concurrent-file-group-rewrites", "partial-progress.enabled",
    "partial-progress.max-commits", "partial-progress.max-failed-commits", "use-starting-sequence-number",
    "rewrite-job-order", "delete-file-threshold", "delete-ratio-threshold", "output-spec-id",
    "remove-dangling-deletes", "max-files-to-rewrite", "compression-factor", "shuffle-partitions-per-file",
    "var-length-contribution", "max-output-size",
)  # fmt: skip
# Before this the milliseconds of a moment are more likely its seconds: 2001 in the one, 31688 in the other.
_SECONDS_BELOW = 100_000_000_000


def check_actions(draft: Draft, job: FlareJob, path: DocumentPath) -> None:
    """Report actions without a table, conditions that are missing, and options that cannot stand together."""
    for index, action in enumerate(job.actions):
        place = (*path, "actions", index)
        _check_input(draft, job, action, place)
        _check_condition(draft, action, place)
        _check_options(draft, action, (*place, "options"))


def _check_input(draft: Draft, job: FlareJob, action: Action, place: DocumentPath) -> None:
    names = [item.name for item in job.inputs]
    if action.input is None and len(names) != 1:
        hint = f"write `input: {names[0]}`" if names else "write the table as an input of the job"
        draft.error("missing-key", place, "an action needs `input` when there is not exactly one", hint)
        return
    wanted = (action.input or names[0]).lower()
    found = next((item for item in job.inputs if item.name.lower() == wanted), None)
    if found is None:
        message = f"no input is called `{action.input}`"
        draft.unresolved("unknown-view", (*place, "input"), message, suggestion(action.input or "", names))
    elif found.format is not None and found.format.lower() != "iceberg" and not draft.is_open(place):
        message = f"`{action.name}` is about Iceberg tables, and `{found.name}` is {found.format}"
        where = (*place, "input" if action.input else "name")
        draft.error("wrong-value", where, message, "an action needs an input with `format: iceberg`")


def _check_condition(draft: Draft, action: Action, place: DocumentPath) -> None:
    deletes = action.name == "delete_from_dataset"
    if deletes and action.delete_where is None:
        draft.missing(place, "deleteWhere", "write the condition of the rows to delete; `true` deletes all")
    if not deletes and action.delete_where is not None:
        message = f"`deleteWhere` has no meaning for {action.name}: ignored"
        draft.warn("misplaced-key", (*place, "deleteWhere"), message, "remove it", key=True)


def _check_options(draft: Draft, action: Action, place: DocumentPath) -> None:
    options = action.options
    if isinstance(options, ExpireSnapshots | RemoveOrphans):
        both = options.older_than_millis is not None and options.older_than_timestamp is not None
        if both:
            message = "`olderThanMillis` and `olderThanTimestamp` say the same thing"
            draft.error("conflicting-keys", (*place, "olderThanTimestamp"), message, "remove one", key=True)
        millis = options.older_than_millis or 0
        if 0 < millis < _SECONDS_BELOW and not draft.is_open((*place, "olderThanMillis")):
            message = f"`olderThanMillis` is {options.older_than:%Y-%m-%d}: are these seconds?"
            draft.warn("wrong-value", (*place, "olderThanMillis"), message, "milliseconds have 13 digits today")
    if isinstance(options, RewriteDataset):
        if options.sort_order is not None and options.strategy != "sort":
            message = "`sortOrder` has no effect with the strategy `binpack`"
            draft.warn("wrong-value", (*place, "sortOrder"), message, "write `strategy: sort`, or remove it", key=True)
        for key in options.properties:
            wanted = None if key in REWRITE_PROPERTIES else meant(key, REWRITE_PROPERTIES)
            if wanted is not None:
                hint = f"did you mean `{wanted}`?"
                message = f"Iceberg's rewrite_data_files has no option `{key}`"
                draft.warn("unknown-key", (*place, "properties", key), message, hint, key=True)
