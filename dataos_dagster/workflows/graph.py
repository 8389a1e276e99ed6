"""Jobs of a project as a graph: who waits for whom, and which job owns which dataset.

`building.py` says how it comes about. It is free of cycles before anybody orders or draws it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from dataos_dagster.workflows.findings import graph_diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dataos_dagster.address import Address
    from dataos_dagster.errors import NotYetRun
    from dataos_dagster.manifests.diagnostics import Diagnostic
    from dataos_dagster.workflows.jobs import Job
    from dataos_dagster.workflows.stacks import Stack

AssetPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One job waits for another.

    Attributes:
        upstream: Id of the job that goes first.
        downstream: Id of the job that waits.
        reason: `dependency`: a manifest says so; `data`: `downstream` reads `address`, which `upstream` writes.
    """

    upstream: str
    downstream: str
    reason: Literal["dependency", "data"]
    address: Address | None = None

    def __str__(self) -> str:
        why = f"reads {self.address}" if self.address else "dependencies"
        return f"{self.downstream} after {self.upstream} ({why})"


@dataclass(frozen=True, slots=True)
class JobNode:
    """One job with everything that the graph knows about it.

    Attributes:
        stack: What runs it; None when jobs of its stack are not yet run, or it asks for `missing`.
        owned: Datasets that this job is the first to write.
        reported: Datasets that it writes and an earlier job owns.
        upstream: What it waits for.
        cut: What it would wait for, were that not a cycle.
        blocked: Errors of the project that stand inside the job, such as an unknown depot: running it fails.
        missing: What it asks for and its stack does not run yet, with its place; or that it is a service.
        service: What keeps it running, when it is one that runs until it is stopped: then nobody waits for it.
    """

    job: Job
    stack: Stack | None
    reads: tuple[Address, ...]
    writes: tuple[Address, ...]
    owned: tuple[Address, ...]
    reported: tuple[Address, ...]
    upstream: tuple[Edge, ...]
    cut: tuple[Edge, ...]
    blocked: tuple[Diagnostic, ...]
    missing: NotYetRun | None = None
    service: Stack | None = None

    @property
    def is_run(self) -> bool:
        """Tell whether the job is run."""
        return self.stack is not None

    @property
    def is_dry_run(self) -> bool:
        """Tell whether running the job means to plan it and to write nothing."""
        return self.job.spec.dry_run

    @property
    def keys(self) -> tuple[AssetPath, ...]:
        """Return the asset keys that the job materializes: its datasets, or itself when it owns none."""
        if self.owned:
            return tuple(address.key for address in self.owned)
        return (tuple(self.job.id.split("/")),)


@dataclass(frozen=True)
class JobGraph:
    """All jobs of a project, free of cycles.

    Attributes:
        nodes: By job id, in manifest order.
        owners: Asset key of a dataset to the id of the job that owns it.
        members: Identifier of a workflow to the ids of its jobs, nested ones included.
        naming: What is wrong with the names of jobs.
    """

    nodes: Mapping[str, JobNode]
    owners: Mapping[AssetPath, str]
    members: Mapping[str, tuple[str, ...]]
    naming: tuple[Diagnostic, ...]

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs in manifest order."""
        return tuple(node.job for node in self.nodes.values())

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what is wrong, and what had to be decided: cut edges, several writers, jobs that are not run."""
        return (*self.naming, *graph_diagnostics(self))

    @cached_property
    def writers(self) -> Mapping[AssetPath, tuple[str, ...]]:
        """Return the ids of the jobs that write each dataset, its owner first."""
        return jobs_by_dataset((node.job.id, node.writes) for node in self.nodes.values())

    @cached_property
    def readers(self) -> Mapping[AssetPath, tuple[str, ...]]:
        """Return the ids of the jobs that read each dataset."""
        return jobs_by_dataset((node.job.id, node.reads) for node in self.nodes.values())

    @cached_property
    def downstream(self) -> Mapping[str, tuple[Edge, ...]]:
        """Return who waits for each job."""
        edges: dict[str, list[Edge]] = {job_id: [] for job_id in self.nodes}
        for node in self.nodes.values():
            for edge in node.upstream:
                edges[edge.upstream].append(edge)
        return {job_id: tuple(found) for job_id, found in edges.items()}

    def order(self, selected: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return job ids so that each comes after what it waits for, also indirectly; otherwise in manifest order.

        Args:
            selected: Only these jobs; None takes all.
        """
        if selected is None:
            return self._order
        wanted = set(selected)
        return tuple(job_id for job_id in self._order if job_id in wanted)

    @cached_property
    def _order(self) -> tuple[str, ...]:
        names = list(self.nodes)
        ranks = {job_id: rank for rank, job_id in enumerate(names)}
        waiting = {job_id: len(node.upstream) for job_id, node in self.nodes.items()}
        ready = [ranks[job_id] for job_id, count in waiting.items() if count == 0]  # sorted, so already a heap
        ordered = []
        while ready:
            job_id = names[heapq.heappop(ready)]
            ordered.append(job_id)
            for edge in self.downstream[job_id]:
                waiting[edge.downstream] -= 1
                if waiting[edge.downstream] == 0:
                    heapq.heappush(ready, ranks[edge.downstream])
        return tuple(ordered)

    @cached_property
    def longest_chain(self) -> int:
        """Return the number of jobs on the longest way of jobs that wait for each other."""
        length: dict[str, int] = {}
        for job_id in self._order:
            length[job_id] = 1 + max((length[edge.upstream] for edge in self.nodes[job_id].upstream), default=0)
        return max(length.values(), default=0)

    def ancestors(self, job_ids: Iterable[str]) -> set[str]:
        """Return everything that the jobs wait for, directly or not, without the jobs themselves."""
        return self._reach(job_ids, lambda job_id: (edge.upstream for edge in self.nodes[job_id].upstream))

    def descendants(self, job_ids: Iterable[str]) -> set[str]:
        """Return everything that waits for the jobs, directly or not, without the jobs themselves."""
        return self._reach(job_ids, lambda job_id: (edge.downstream for edge in self.downstream[job_id]))

    def _reach(self, job_ids: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
        start = set(job_ids)
        found, stack = set(start), list(start)
        while stack:
            for job_id in step(stack.pop()):
                if job_id not in found:
                    found.add(job_id)
                    stack.append(job_id)
        return found - start


def jobs_by_dataset(pairs: Iterable[tuple[str, tuple[Address, ...]]]) -> dict[AssetPath, tuple[str, ...]]:
    """Return the ids of the jobs of each dataset, in the order of `pairs` of a job's id and its datasets."""
    found: dict[AssetPath, dict[str, None]] = {}
    for job_id, addresses in pairs:
        for address in addresses:
            found.setdefault(address.key, {})[job_id] = None
    return {key: tuple(job_ids) for key, job_ids in found.items()}
