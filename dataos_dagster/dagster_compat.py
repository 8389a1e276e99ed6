"""The only module that imports private names of Dagster, each with the reason and the test that watches it.

`tests/dagster/test_contract.py` runs every assumption made here against the installed version.
"""

from __future__ import annotations

import copy
import inspect
import sys
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.definitions.definition_config_schema import convert_user_facing_definition_config_schema
from dagster._core.errors import DagsterUserCodeProcessError
from dagster.components.core.defs_module import ComponentPath
from dagster_shared.error import SerializableErrorInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dagster._core.definitions.definition_config_schema import IDefinitionConfigSchema
    from dagster._core.definitions.input import InputDefinition
    from dagster._core.definitions.output import OutputDefinition
    from dagster._core.definitions.resource_requirement import ResourceRequirement
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

C = TypeVar("C", bound=dg.Component)

# The job behind "Materialize" that Dagster makes for all assets of a location. Schedules ask it for a selection; a job
# of its own for each workflow makes loading quadratic in the number of workflows.
ASSET_JOB = IMPLICIT_ASSET_JOB_NAME

# Dagster orders the ops of a job by recursion, one or two Python frames an op of the longest chain.
_FRAMES_PER_OP = 3
_FRAMES_AROUND = 500


def allow_chains_of(length: int) -> None:
    """Let Dagster order a chain of so many assets; it fails with RecursionError at about 990 otherwise.

    Python frames of Python functions take no C stack since 3.11, so that a high limit is safe.
    """
    wanted = _FRAMES_AROUND + _FRAMES_PER_OP * length
    if wanted > sys.getrecursionlimit():
        sys.setrecursionlimit(wanted)


@contextmanager
def quiet_about_beta() -> Iterator[None]:
    """Keep Dagster's notices that code references and owners of schedules are in beta out of the user's log."""
    with warnings.catch_warnings():
        for feature in (".*CodeReference", "Parameter `owners` of initializer"):
            warnings.filterwarnings("ignore", message=feature, category=dg.BetaWarning)
        yield


def processes_of(instance: dg.DagsterInstance, run_id: str) -> tuple[tuple[int, float], ...]:
    """Return the processes that a run says it started in: number, and time of saying so in seconds since 1970.

    Dagster writes them into the metadata of engine events and offers no other way to them.
    """
    return tuple(_pids(instance, run_id))


def _pids(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[int, float]]:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            yield int(str(pid.value)), entry.timestamp


def is_bounded(instance: dg.DagsterInstance, pool: str) -> bool:
    """Tell whether an instance says how many steps of a concurrency pool may run: of this one, or of all by default."""
    limits = {limit.name for limit in instance.event_log_storage.get_pool_limits()}
    return pool in limits or instance.get_concurrency_config().pool_config.default_pool_limit is not None


def runs_in_local_processes(instance: dg.DagsterInstance) -> bool:
    """Tell whether runs of an instance are processes of the machine that evaluates its schedules."""
    return isinstance(instance.run_launcher, dg.DefaultRunLauncher)


def components_of(context: dg.ComponentLoadContext, kind: type[C]) -> Iterator[tuple[Path, C]]:
    """Yield the components of a kind in the whole `dg` project, each with the folder of its `defs.yaml`.

    Dagster offers the components without their places. One that was defined in its web application has none.
    """
    tree = context.component_tree
    for place, declared in tree._component_decl_tree().items():  # noqa: SLF001 - see above
        if isinstance(place, ComponentPath) and issubclass(declared.component_type, kind):
            yield place.file_path, tree.load_component(place, kind)


class OwnResources(dg.AssetsDefinition):
    """Assets of one job, in a location that has many resources.

    When a location is loaded, Dagster gives each asset the resources that it needs, and looks at all of them for each:
    ten thousand jobs and four hundred depots make that four million looks, and the better part of a minute. Here only
    those that the op names are looked at. None of ours needs another one, so nothing is left out.
    """

    def with_resources(self, resource_defs: Mapping[str, dg.ResourceDefinition]) -> Self:
        """Return the same assets with the resources that their op names."""
        named = self.op.required_resource_keys
        bound = copy.copy(self)
        # One that is missing is found, and told by name, when the location's requirements are checked.
        bound._resource_defs = {key: resource_defs[key] for key in named if key in resource_defs}  # noqa: SLF001 - a copy of ours
        return bound


class JobOp(dg.OpDefinition):
    """The op of one job: it only waits for its inputs, and its outputs have no value.

    While a location is loaded, Dagster asks each op three times which resources it needs, and looks up an input manager
    for each of its inputs. Nothing is ever loaded through ours, so what they need is worked out once.
    """

    _requirements: tuple[ResourceRequirement, ...] | None = None

    def get_resource_requirements(
        self,
        handle: object = None,  # noqa: ARG002 - the parameters are Dagster's
        asset_layer: object = None,  # noqa: ARG002
    ) -> Iterator[ResourceRequirement]:
        """Return the named resources, and the manager that outputs name without using it."""
        if self._requirements is None:
            self._requirements = tuple(super().get_resource_requirements(None, None))
        return iter(self._requirements)


class AssetSchedule(dg.ScheduleDefinition):
    """A schedule that asks the job of all assets for some of them, and says which.

    Dagster shows the assets of a schedule only where it makes a job of its own for the schedule; it tells that by the
    job's name, and looks at nothing but the job's selection. So this one says that it has such a job, and no job is
    ever made. (What it shows beside an asset are the schedules of its jobs, which those of all assets are none of.)
    """

    def __init__(self, *, assets: Sequence[dg.AssetKey], **known: Any) -> None:
        super().__init__(job_name=ASSET_JOB, **known)
        self._assets = assets

    @property
    def has_anonymous_job(self) -> bool:
        """Return what makes Dagster look at the selection of `job`."""
        return True

    @property
    def job(self) -> UnresolvedAssetJobDefinition:
        """Return the selection, as the job that Dagster would make of it."""
        return dg.define_asset_job(self.name, selection=dg.AssetSelection.assets(*self._assets))


class _SaidInWords(DagsterUserCodeProcessError):
    """Carries what Dagster keeps of an error from another process: here the message alone."""

    def __init__(self, description: str) -> None:
        told = SerializableErrorInfo(f"{description}\n", [], "Failure")
        super().__init__(description, user_code_process_error_infos=[told])  # type: ignore[no-untyped-call] # Dagster's


class PlainFailure(dg.Failure, _SaidInWords):
    """A failure that Dagster shows without a stack trace, for mistakes that stand in a manifest.

    Dagster looks for what it knows as errors of its own before it looks at retry policies: this one is never retried.
    """

    def __init__(self, description: str, metadata: Mapping[str, Any] | None = None) -> None:
        super().__init__(description, metadata, allow_retries=False)


def with_known_signature(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function say its signature itself: Dagster inspects the function of an op anew for each op."""
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined] # PEP 362 lets any function have one
    return function


@cache
def no_configuration() -> IDefinitionConfigSchema:
    """Return the configuration of an op that takes none in particular, to be shared by all ops."""
    return convert_user_facing_definition_config_schema(None)


def nothing_inputs(count: int) -> dict[str, Any]:
    """Return the inputs of an op that only waits for so many assets: `in_0`, `in_1` and so on.

    Ops share the definitions of their inputs, which say nothing but the name.
    """
    return {name: _nothing_input(name) for name in (f"in_{index}" for index in range(count))}


def nothing_outputs(names: Iterable[str]) -> dict[str, dg.Out]:
    """Return the outputs of an op that materializes assets and evaluates checks, by name.

    None is required: a job that fails has written and checked what came before.
    """
    return dict.fromkeys(names, _NOTHING_OUT)


@cache
def _nothing_input(name: str) -> InputDefinition:
    return dg.In(dg.Nothing).to_definition(name)


class _NothingOut(dg.Out):
    """An output without a value, whose definitions are shared by all ops."""

    def to_definition(
        self,
        annotation_type: type,  # noqa: ARG002 - the parameters are Dagster's
        name: str | None,
        description: str | None,  # noqa: ARG002
        code_version: str | None,  # noqa: ARG002
    ) -> OutputDefinition:
        return _nothing_output(name or "result")


_NOTHING_OUT = _NothingOut(dg.Nothing, is_required=False)


@cache
def _nothing_output(name: str) -> OutputDefinition:
    return dg.Out(dg.Nothing, is_required=False).to_definition(type(None), name, None, None)
