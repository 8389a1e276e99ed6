"""How depots appear in Dagster: one resource each, and one job that checks them."""

# No postponed annotations here: Dagster compares that of a parameter `context` with its classes.

from collections.abc import Iterable, Mapping

import dagster as dg

from dataos_dagster.depots.door import DepotStatus
from dataos_dagster.depots.resource import PREFIX, DepotResource, depot_resource
from dataos_dagster.naming import slug
from dataos_dagster.settings import Settings


def resource_key(depot: str) -> str:
    """Return the resource key of a depot: a Python identifier, because ops take resources as arguments."""
    return f"{PREFIX}{slug(depot)}"


def build_depot_resources(depots: Iterable[str], settings: Settings) -> dict[str, DepotResource]:
    """Return one resource for each depot, by key."""
    return {resource_key(depot): depot_resource(settings.project, depot) for depot in depots}


def build_check_job(name: str, resources: Mapping[str, DepotResource]) -> dg.JobDefinition:
    """Return the job that checks depots: all of them, or those that its configuration names.

    The run fails when a depot is in error, after all have been checked.
    """

    @dg.op(
        name=f"{name}_op",
        required_resource_keys=set(resources),
        config_schema={"depots": dg.Field([str], is_required=False, description="Names of depots; default all.")},
    )
    def check_depots(context: dg.OpExecutionContext) -> dict[str, str]:
        wanted = context.op_config.get("depots")
        found = {
            depot.depot: depot.check()
            for depot in (getattr(context.resources, key) for key in resources)
            if wanted is None or depot.depot in wanted
        }
        for depot, status in found.items():
            context.log.info("%s: %s, %s", depot, status.status, _said(status))
        context.add_output_metadata({depot: f"{status.status}: {_said(status)}" for depot, status in found.items()})
        broken = [depot for depot, status in found.items() if status.status == "error"]
        if broken:
            raise dg.Failure(f"depots in error: {', '.join(broken)}", allow_retries=False)
        return {depot: status.status for depot, status in found.items()}

    @dg.job(name=name, description="Check that depots are reachable and accept their credentials.")
    def check() -> None:
        check_depots()

    return check


def _said(status: DepotStatus) -> str:
    return status.detail or status.found
