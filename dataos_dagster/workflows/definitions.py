"""How the jobs of a project appear in Dagster.

One job is one op whose outputs are the datasets that it owns, or the job itself where it owns none. Ops and assets are
built from Dagster's own classes instead of `@multi_asset`: the decorator inspects the function anew for each job, which
is more than half of what loading ten thousand jobs costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataos_dagster.dagster_compat import JobOp, OwnResources, nothing_inputs, nothing_outputs
from dataos_dagster.depots.catalog import canonical_name
from dataos_dagster.naming import slug
from dataos_dagster.workflows.backfills import configuration_of, partitions_of
from dataos_dagster.workflows.retries import retry_plan
from dataos_dagster.workflows.translator import JOB_KEY, dependencies_of

if TYPE_CHECKING:
    from dataos_dagster.address import Address
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import AssetPath, JobGraph, JobNode
    from dataos_dagster.workflows.translator import JobTranslator

Compute = Callable[[dg.AssetExecutionContext, Mapping[str, Any]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Execution:
    """What ops need to run: shared by all of a location.

    Attributes:
        compute: Runs the job of the op that it is called in.
        resource_keys: Job id to the Dagster resources that its op asks for.
    """

    compute: Compute
    resource_keys: Callable[[JobNode], frozenset[str]]


def build_job_asset(node: JobNode, translator: JobTranslator, execution: Execution) -> dg.AssetsDefinition:
    """Return the op of one job with the assets that it materializes."""
    job, settings = node.job, translator.settings
    compute = settings.computes.get(job.spec.compute)
    plan = retry_plan(job)
    deps = [dg.AssetDep(dg.AssetKey(key)) for key in dependencies_of(node, translator.graph)]
    addresses: tuple[Address | None, ...] = node.owned or (None,)
    partitions = partitions_of(node, settings)
    specs = [
        translator.get_asset_spec(node, address, deps).replace_attributes(partitions_def=partitions)
        if partitions
        else translator.get_asset_spec(node, address, deps)
        for address in addresses
    ]
    inputs = {f"in_{index}": dep.asset_key for index, dep in enumerate(deps)}
    outputs = {f"out_{index}": spec.key for index, spec in enumerate(specs)}
    checks = {f"check_{index}": check for index, check in enumerate(translator.get_check_specs(node))}
    op = JobOp(
        compute_fn=execution.compute,
        name=slug(*job.id.split("/")),
        description=specs[0].description,
        ins=nothing_inputs(len(inputs)),
        outs=nothing_outputs((*outputs, *checks)),
        config_schema=configuration_of(node),
        required_resource_keys=execution.resource_keys(node),
        tags={JOB_KEY: job.id} | (compute.tags if compute else {}),
        pool=pool_of(node, settings),
        retry_policy=dg.RetryPolicy(max_retries=plan.step_retries, delay=plan.delay) if plan.step_retries else None,
    )
    return OwnResources(
        node_def=op,
        keys_by_input_name=inputs,
        keys_by_output_name=outputs,
        check_specs_by_output_name=checks,
        specs=specs,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions else None,
    )


def pool_of(node: JobNode, settings: Settings) -> str | None:
    """Return the concurrency pool of a job: that of its compute, else of a depot that it writes, else one it reads."""
    compute = settings.computes.get(node.job.spec.compute)
    if compute and compute.pool:
        return compute.pool
    pools = {canonical_name(name): depot.pool for name, depot in settings.depots.items() if depot.pool}
    used = (pools.get(address.depot) for address in (*node.writes, *node.reads))
    return next((pool for pool in used if pool), None)


@dataclass(frozen=True)
class JobAssets:
    """Assets of the jobs of one location.

    Attributes:
        assets: Ops with the assets that they materialize.
        streams: Datasets of jobs that run until they are stopped.
        not_run: Jobs that are read and not yet run.
        sources: Datasets that nobody writes here.
    """

    assets: tuple[dg.AssetsDefinition, ...]
    streams: tuple[dg.AssetSpec, ...]
    not_run: tuple[dg.AssetSpec, ...]
    sources: tuple[dg.AssetSpec, ...]


def build_job_assets(
    graph: JobGraph, here: Iterable[str], translator: JobTranslator, execution: Execution
) -> JobAssets:
    """Return the assets of a location.

    Args:
        graph: All jobs of the project.
        here: Ids of the jobs that this location runs. Datasets that jobs of other locations own are external here.
        translator: How jobs and datasets look.
        execution: How they run.
    """
    assets: list[dg.AssetsDefinition] = []
    streams: list[dg.AssetSpec] = []
    not_run: list[dg.AssetSpec] = []
    made: set[AssetPath] = set()
    wanted: dict[AssetPath, Address | None] = {}
    for job_id in here:
        node = graph.nodes[job_id]
        if node.service is not None:
            streams += translator.get_stream_specs(node)
        elif not node.is_run:
            not_run.append(translator.get_not_run_spec(node))
            continue
        else:
            assets.append(build_job_asset(node, translator, execution))
        made.update(node.keys)
        addresses = {address.key: address for address in (*node.reads, *node.reported)}
        wanted.update((key, addresses.get(key)) for key in (*dependencies_of(node, graph), *addresses))
    sources = (
        translator.get_external_spec(address) if address else dg.AssetSpec(dg.AssetKey(key))
        for key, address in wanted.items()
        if key not in made
    )
    return JobAssets(tuple(assets), tuple(streams), tuple(not_run), tuple(sources))
