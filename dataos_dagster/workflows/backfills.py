"""What one run of Dagster reads of an incremental job: a range of its partitions, or values of keys that it is given.

Neither moves what the job has stored: a backfill reads old ranges again while the ordinary runs go on. A run without
partitions and without values is an ordinary one.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataos_dagster.dagster_compat import no_configuration
from dataos_dagster.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataos_dagster.settings import BackfillSettings, Settings
    from dataos_dagster.workflows.graph import JobNode

KEYS = "keys"
# Name of a range: the moment in which it begins.
_NAME = "%Y-%m-%d-%H:%M"
_CRON = {"hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 0", "monthly": "0 0 1 * *"}


def backfill_of(node: JobNode, settings: Settings) -> BackfillSettings | None:
    """Return how a job's ranges are read again, which settings name with or without its workspace."""
    return settings.incremental.get(node.job.id) or settings.incremental.get(node.job.label)


def partitions_of(node: JobNode, settings: Settings) -> dg.PartitionsDefinition[str] | None:
    """Return the ranges of a job as partitions of its assets.

    Raises:
        SettingsError: A bound of the ranges is no key of the job.
    """
    backfill = backfill_of(node, settings)
    if backfill is None:
        return None
    if not node.blocked:  # the keys of a manifest with errors may not all be known
        _check_bounds(backfill, node)
    return dg.TimeWindowPartitionsDefinition(
        start=backfill.start.strftime(_NAME), fmt=_NAME, cron_schedule=_CRON[backfill.cadence], timezone="UTC"
    )


def configuration_of(node: JobNode) -> Any:
    """Return what a run may be configured with: values of the job's keys, where it has any."""
    names = node.stack.keys(node.job) if node.stack is not None else ()
    if not names:
        return no_configuration()
    fields = {name: dg.Field(str, is_required=False) for name in names}
    described = "Values of keys for this run only; what is stored stays."
    return {KEYS: dg.Field(fields, is_required=False, description=described)}


def given_keys(context: dg.AssetExecutionContext, node: JobNode, settings: Settings) -> dict[str, str]:
    """Return the values of keys that a run is given; none for an ordinary run.

    Raises:
        SettingsError: The run is of a range, and a bound of it is no key of the job.
    """
    configured: Mapping[str, Any] = context.op_execution_context.op_config or {}
    given = {name: str(value) for name, value in dict(configured.get(KEYS) or {}).items()}
    backfill = backfill_of(node, settings)
    if backfill is not None and (context.has_partition_key or context.has_partition_key_range):
        # Without its bounds the run would be an ordinary one, which reads something else and moves what is stored.
        _check_bounds(backfill, node)
        window = context.partition_time_window
        bounds = {backfill.start_key: window.start, backfill.end_key: window.end}
        given = {name: moment.strftime(backfill.format) for name, moment in bounds.items()} | given
    return given


def _check_bounds(backfill: BackfillSettings, node: JobNode) -> None:
    names = node.stack.keys(node.job) if node.stack is not None else ()
    where = f"settings, incremental of {node.job.label}"
    for word, name in (("startKey", backfill.start_key), ("endKey", backfill.end_key)):
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"its keys: {', '.join(names) or 'none'}"
            raise SettingsError(f"{where}: {word} {name!r} is no key of the job", hint=hint)
    if backfill.start_key == backfill.end_key:
        raise SettingsError(f"{where}: startKey and endKey are the same", hint="a range has two ends, each with a key")
