"""What a job maintains: from the actions of its manifest to requests to the door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataos_dagster.depots import maintenance
from dataos_dagster.depots.maintenance import MaintenanceRequest
from dataos_dagster.errors import StepError, UnknownView
from dataos_dagster.flare.actions.conditions import plan_condition
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest import ExpireSnapshots, RemoveOrphans, RewriteDataset, RewriteManifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.address import Address
    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.maintenance import Work
    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.actions.conditions import Condition
    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.manifest import Action
    from dataos_dagster.flare.views import Views
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

# Options of an input that choose one state of its table.
_STATES = ("branch", "tag", "snapshot-id", "as-of-timestamp")


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action, resolved.

    Attributes:
        label: What it is called in messages: `actions[0] "expire_snapshots"`.
        name: As the manifest has it now: `rewrite_dataset`, ….
        input: View of the table, as the manifest spells it.
        condition: Of the rows that are deleted, or of the files that are rewritten.
        details: What the options come to, in words.
    """

    label: str
    name: str
    input: str
    request: MaintenanceRequest
    location: Location
    condition: Condition | None = field(default=None, repr=False)
    details: tuple[str, ...] = ()

    @property
    def address(self) -> Address | None:
        """Return the address of the table; None for a standalone location."""
        return self.request.target.address

    @property
    def dataset(self) -> str:
        """Return the address of the table, or the standalone location, as text."""
        return str(self.request.target)

    @property
    def deletes_rows(self) -> bool:
        """Return whether rows of the table are deleted; every other action keeps them all."""
        return isinstance(self.request.work, maintenance.DeleteRows)

    @property
    def constructs(self) -> tuple[Construct, ...]:
        """Return what the condition of rows to delete uses of SQL."""
        return self.condition.constructs if self.condition and self.deletes_rows else ()


def plan_action(
    job: Job, index: int, action: Action, inputs: Sequence[PlannedInput], views: Views, settings: Settings
) -> PlannedAction:
    """Return one action of a job, resolved.

    Args:
        job: The job it belongs to.
        index: Of the action.
        action: As the manifest has it.
        inputs: Of the job; one of them is the action's table.
        views: Views of inputs and steps, which a condition may read.
        settings: Of the project.

    Raises:
        StepError: There is no such input, the condition is none, or files are to go that are too young for it.
    """
    label = f'actions[{index}] "{action.name}"'
    path = ("actions", index)
    location = job_location(job, *path, "name")
    table = _table_of(job, path, action, inputs, label)
    if action.name == "delete_from_dataset":
        where = (*path, "deleteWhere")
        doomed = plan_condition(job, where, action.delete_where or "", label, views)
        condition: Condition | None = doomed
        work: Work = maintenance.DeleteRows(doomed.sql)
        location = job_location(job, *where)
    else:
        work = _work(job, path, action, settings, label)
        condition = None
        if isinstance(work, maintenance.RewriteData) and work.where is not None:
            condition = plan_condition(job, (*path, "options", "where"), work.where, label, None)
    branch = _branch_of(job, path, table, label, deletes=isinstance(work, maintenance.DeleteRows))
    request = MaintenanceRequest(table.request.target, work, branch=branch, location=location)
    return PlannedAction(label, action.name, table.name, request, location, condition, _details(work))


def prospects_of(actions: Sequence[PlannedAction], door: Door) -> dict[str, tuple[str, ...]]:
    """Return what each action, by its label, would do to its table as that is now.

    Raises:
        DepotError: A table's state cannot be read.
    """
    return {action.label: door.prospect(action.request) for action in actions}


def _table_of(
    job: Job, path: tuple[str, int], action: Action, inputs: Sequence[PlannedInput], label: str
) -> PlannedInput:
    named = [planned for planned in inputs if not planned.implicit]
    if action.input is None and len(named) == 1:
        return named[0]
    wanted = (action.input or "").lower()
    # Of two inputs of one name only the last one can be used.
    found = next((planned for planned in reversed(named) if planned.name.lower() == wanted), None)
    if found is None:
        raise (UnknownView if action.input else StepError)(
            f"{label}: no input is called {action.input!r}" if action.input else f"{label}: it names no input",
            step=label,
            hint=f"write `input: …`; there are: {', '.join(planned.name for planned in named) or 'none'}",
            location=job_location(job, *path, "input" if action.input else "name"),
        )
    return found


def _work(job: Job, path: tuple[str, int], action: Action, settings: Settings, label: str) -> Work:
    match action.options:
        case RewriteDataset() as options:
            return maintenance.RewriteData(
                options.strategy == "sort", options.sort_order, options.where, dict(options.properties)
            )
        case RewriteManifest() as options:
            return maintenance.RewriteManifests(options.use_caching, options.spec_id)
        case ExpireSnapshots() as options:
            return maintenance.ExpireSnapshots(
                options.older_than,
                tuple(int(each) for each in options.snapshot_ids),
                options.retain_last,
                options.max_concurrent_deletes,
                options.stream_delete_results,
            )
        case RemoveOrphans() as options:
            older_than = _old_enough(job, path, options, settings, label)
            return maintenance.RemoveOrphans(
                older_than, options.location, options.dry_run, options.max_concurrent_deletes
            )
        case _:
            raise AssertionError(action.name)  # each name has its own options


def _old_enough(job: Job, path: tuple[str, int], options: RemoveOrphans, settings: Settings, label: str) -> datetime:
    """Return the moment before which an orphan must have been changed.

    Raises:
        StepError: It is too late: files of a write that is at work would be taken for orphans.
    """
    days = settings.flare.orphan_days
    least = datetime.now(UTC) - timedelta(days=days)
    wanted = options.older_than or least
    if wanted <= least or options.allow_recent or options.dry_run:
        return wanted
    key = "olderThanMillis" if options.older_than_millis is not None else "olderThanTimestamp"
    raise StepError(
        f"{label}: files younger than {days:g} days would go, and may belong to a write that is at work",
        step=label,
        hint=f"leave `{key}` out, or name a moment before {least:%Y-%m-%d %H:%M}; where nobody writes meanwhile, "
        "`allowRecent: true` beside it, or `flare.orphan_days` in dataos.yaml",
        location=job_location(job, *path, "options", key),
    )


def _branch_of(job: Job, path: tuple[str, int], table: PlannedInput, label: str, *, deletes: bool) -> str | None:
    """Return the branch that the input chooses; only rows are deleted from one."""
    chosen = [key for key in _STATES if key in table.request.options]
    branch = table.request.options.get("branch")
    if not chosen or branch == "main":
        return None
    if chosen == ["branch"] and deletes:
        return branch
    what = "rows are deleted from a branch" if deletes else "the action is about the whole table"
    raise StepError(
        f"{label}: the input {table.name!r} is one state of its table (`{chosen[0]}`), and {what}",
        step=label,
        hint="name the table in an input of its own, without that option",
        location=job_location(job, *path, "input"),
    )


def _details(work: Work) -> tuple[str, ...]:
    """Return what the options of an action come to, in words."""
    match work:
        case maintenance.RewriteData():
            how = f"sorted by {work.sort_order or 'the order of the table'}" if work.sorts else "small files are joined"
            where = [f"where {work.where}"] if work.where else []
            return (how, *where, *(f"{key}={value}" for key, value in work.properties.items()))
        case maintenance.RewriteManifests():
            return () if work.spec_id is None else (f"of partition spec {work.spec_id}",)
        case maintenance.ExpireSnapshots():
            found = [f"older than {work.older_than:%Y-%m-%d %H:%M:%S} UTC"] if work.older_than else []
            found += [f"only {', '.join(map(str, work.snapshot_ids))}"] if work.snapshot_ids else []
            found += [f"the last {work.retain_last} stay"] if work.retain_last else []
            return tuple(found) or ("older than the table's own limit",)
        case maintenance.RemoveOrphans():
            found = [f"older than {work.older_than:%Y-%m-%d %H:%M:%S} UTC"]
            found += [f"in {work.folder}"] if work.folder else []
            return (*found, *(["none is removed"] if work.dry_run else []))
        case maintenance.DeleteRows():
            return (f"where {' '.join(work.where.split())}",)
