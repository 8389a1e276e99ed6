"""How jobs and their datasets look in Dagster: descriptions, kinds, tags, owners, metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from dataos_dagster.naming import group_name, owner_of, slug, tags_of

if TYPE_CHECKING:
    from dataos_dagster.address import Address
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.graph import AssetPath, JobGraph, JobNode
    from dataos_dagster.workflows.jobs import Job

JOB_KEY = "dataos/job"
# Check of a broken manifest, and of a job that cannot run because of an error inside it.
MANIFEST_CHECK = "manifest_is_valid"
ADDRESS_KEY = "dataos/address"

# Kinds become tags.
_OUTSIDE_KIND = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST_KINDS = 10


@dataclass(frozen=True, slots=True)
class OutputDescription:
    """What a stack says about one dataset that a job writes.

    Attributes:
        kinds: Words that Dagster shows as icons, such as `iceberg`; at most nine count.
        tags: As DataOS writes them.
    """

    description: str | None = None
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckDescription:
    """What a stack says about one check that a job evaluates while it runs.

    Attributes:
        name: Unique in the job.
        address: The dataset that it is about; None where it is about the job.
    """

    name: str
    description: str
    address: Address | None = None


# Says which checks a job evaluates, from its manifest alone.
DescribeChecks = Callable[["Job"], "tuple[CheckDescription, ...]"]


class Describe(Protocol):
    """Says what a stack's manifest tells about one of the datasets that a job writes."""

    def __call__(self, job: Job, address: Address) -> OutputDescription:
        """Return what is said; an empty description where nothing is."""


class JobTranslator:
    """Decides how jobs and datasets look in Dagster. Subclass it and override `get_asset_spec` to change that.

    Args:
        graph: All jobs of the project.
        settings: Owners, computes, and the default workspace.
        describe: Stack name to what describes its outputs.
        depot_kinds: Depot name to the word for what its datasets are, such as `iceberg`.
        checks: Stack name to what describes the checks of its jobs.
    """

    def __init__(
        self,
        graph: JobGraph,
        settings: Settings,
        describe: Mapping[str, Describe],
        depot_kinds: Mapping[str, str],
        checks: Mapping[str, DescribeChecks] | None = None,
    ) -> None:
        self.checks = checks or {}
        self.graph = graph
        self.settings = settings
        self.describe = describe
        self.depot_kinds = depot_kinds

    def get_asset_spec(self, node: JobNode, address: Address | None, deps: Iterable[dg.AssetDep]) -> dg.AssetSpec:
        """Return the spec of one dataset of a job, or of the job itself.

        Args:
            node: The job.
            address: The dataset; None when the job owns none and is an asset itself.
            deps: What the asset depends on. To change it, change the graph: cycles have been cut there.
        """
        job = node.job
        said = self._said(node, address)
        words = tuple(dict.fromkeys((*job.workflow.envelope.tags, *job.entry.tags, *job.spec.tags, *said.tags)))
        owner = job.workflow.envelope.owner
        return dg.AssetSpec(
            dg.AssetKey(address.key if address else node.keys[0]),
            deps=deps,
            skippable=True,
            description=said.description or _description(job),
            group_name=group_name(job.workspace, job.workflow.name, self.settings.default_workspace),
            kinds=self._kinds(job.stack, address, said.kinds),
            tags=tags_of(words),
            owners=[owner_of(owner, self.settings.owners)] if owner else None,
            metadata=self._metadata(node, address, words),
        )

    def get_check_specs(self, node: JobNode) -> tuple[dg.AssetCheckSpec, ...]:
        """Return the checks that a job evaluates while it runs; one that cannot run has the check that says so."""
        first = dg.AssetKey(node.keys[0])
        if node.blocked:
            return (
                dg.AssetCheckSpec(
                    MANIFEST_CHECK, asset=first, description="Passes when the manifest of the job has no errors."
                ),
            )
        describe = self.checks.get(node.job.stack)
        owned = {address.key for address in node.owned}
        return tuple(
            dg.AssetCheckSpec(
                check.name,
                asset=dg.AssetKey(check.address.key) if check.address and check.address.key in owned else first,
                description=check.description,
            )
            for check in (describe(node.job) if describe else ())
        )

    def get_not_run_spec(self, node: JobNode) -> dg.AssetSpec:
        """Return the external asset of a job that is read and not yet run."""
        job = node.job
        why = node.missing.message if node.missing else f"jobs of the stack {job.stack} are read and not yet run"
        return dg.AssetSpec(
            dg.AssetKey(node.keys[0]),
            description=f"Not run: {why}. {_description(job) or ''}".strip(),
            group_name=group_name(job.workspace, job.workflow.name, self.settings.default_workspace),
            kinds=self._kinds(job.stack),
            metadata={JOB_KEY: job.id, "dataos/not_run": why} | code_reference(job),
        )

    def get_stream_specs(self, node: JobNode) -> tuple[dg.AssetSpec, ...]:
        """Return the external assets of a job that runs until it is stopped: what it writes is observed, never run."""
        deps = [dg.AssetDep(dg.AssetKey(key)) for key in dependencies_of(node, self.graph)]
        addresses: tuple[Address | None, ...] = node.owned or (None,)
        specs = (self.get_asset_spec(node, address, deps) for address in addresses)
        return tuple(spec.replace_attributes(kinds={*spec.kinds, "stream"}, skippable=False) for spec in specs)

    def get_external_spec(self, address: Address) -> dg.AssetSpec:
        """Return the asset of a dataset that jobs read and nobody writes."""
        return dg.AssetSpec(
            dg.AssetKey(address.key),
            description="No job of this project writes it.",
            group_name=slug(address.depot),
            kinds=self._kinds(address=address),
            metadata={ADDRESS_KEY: str(address), "dagster/table_name": ".".join(address.key)},
        )

    def _kinds(self, stack: str = "", address: Address | None = None, said: tuple[str, ...] = ()) -> set[str]:
        words = (stack, *(said or (self.depot_kinds.get(address.depot, "") if address else "",)))
        return {_OUTSIDE_KIND.sub("-", word) for word in words[:_MOST_KINDS] if word}

    def _said(self, node: JobNode, address: Address | None) -> OutputDescription:
        describe = self.describe.get(node.job.stack)
        return describe(node.job, address) if describe and address else OutputDescription()

    def _metadata(self, node: JobNode, address: Address | None, tags: tuple[str, ...]) -> dict[str, Any]:
        job = node.job
        metadata: dict[str, Any] = {JOB_KEY: job.id, "dataos/stack": str(job.spec.stack)} | code_reference(job)
        if address:
            metadata[ADDRESS_KEY] = str(address)
            metadata["dagster/table_name"] = ".".join(address.key)
        if tags:
            metadata["dataos/tags"] = list(tags)
        if node.is_dry_run:
            metadata["dataos/dry_run"] = True
        if node.cut:
            metadata["dataos/cut_dependencies"] = [str(edge) for edge in node.cut]
        if node.reported:
            metadata["dataos/also_writes"] = [str(other) for other in node.reported]
        if node.blocked:
            metadata["dataos/problems"] = dg.MetadataValue.md("\n".join(f"- {problem}" for problem in node.blocked))
        return metadata


def code_reference(job: Job) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Return the metadata that leads from an asset to the line of its manifest."""
    reference = dg.LocalFileCodeReference(
        file_path=str(job.workflow.document.file), line_number=job.location().line, label=job.label
    )
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def dependencies_of(node: JobNode, graph: JobGraph) -> tuple[AssetPath, ...]:
    """Return the asset keys that a job's assets depend on.

    These are the datasets that it reads, without those of cut edges and its own, the jobs that write one of them
    without owning it, and for a stated dependency one asset of the job that it names, where no dataset joins the two.
    """
    cut = {
        edge.address.key for edge in node.cut if edge.address and graph.owners.get(edge.address.key) == edge.upstream
    }
    own = set(node.keys)
    keys = dict.fromkeys(key for key in (address.key for address in node.reads) if key not in cut and key not in own)
    for edge in node.upstream:
        upstream = graph.nodes[edge.upstream].keys
        if not any(key in keys for key in upstream):
            keys[upstream[0]] = None
    return tuple(keys)


def _description(job: Job) -> str | None:
    """Return what the manifest says about the job, from the closest place to the farthest."""
    said = (
        job.entry.description,
        job.spec.description,
        job.entry.title,
        job.spec.title,
        job.workflow.envelope.description,
        job.workflow.section.title,
    )
    return next((text for text in said if text), None)
