"""What `dagster_compat` assumes about the installed Dagster."""

from __future__ import annotations

import inspect
import os
import sys

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import ScheduleSnap  # noqa: TID251 - what the web server gets

from dataos_dagster import dagster_compat as compat


@dg.asset
def something() -> None:
    """An asset."""


def test_dagster_makes_one_job_for_all_assets_under_this_name():
    repository = dg.Definitions(assets=[something]).get_repository_def()
    assert compat.ASSET_JOB in repository.job_names


def test_a_schedule_may_ask_that_job_for_a_selection():
    schedule = dg.ScheduleDefinition(
        name="nightly",
        cron_schedule="0 1 * * *",
        job_name=compat.ASSET_JOB,
        execution_fn=lambda _: dg.RunRequest(asset_selection=[something.key]),
    )
    repository = dg.Definitions(assets=[something], schedules=[schedule]).get_repository_def()
    [request] = repository.get_schedule_def("nightly").evaluate_tick(dg.build_schedule_context()).run_requests
    assert list(request.asset_selection) == [something.key]


def test_a_schedule_of_assets_shows_them_and_makes_no_job():
    schedule = compat.AssetSchedule(
        assets=[something.key],
        name="nightly",
        cron_schedule="0 1 * * *",
        execution_fn=lambda _: dg.RunRequest(asset_selection=[something.key]),
    )
    repository = dg.Definitions(assets=[something], schedules=[schedule]).get_repository_def()
    with pytest.warns(DeprecationWarning, match="environment_vars"):  # Dagster asks itself for what it deprecates
        shown = ScheduleSnap.from_def(repository.get_schedule_def("nightly"), repository)
    assert (shown.job_name, shown.asset_selection) == (compat.ASSET_JOB, dg.AssetSelection.assets(something.key))
    assert set(repository.job_names) == {compat.ASSET_JOB}
    [request] = repository.get_schedule_def("nightly").evaluate_tick(dg.build_schedule_context()).run_requests
    assert list(request.asset_selection) == [something.key]


def test_a_run_names_the_processes_that_it_started_in():
    with dg.instance_for_test() as instance:
        result = dg.materialize([something], instance=instance)
        found = compat.processes_of(instance, result.run_id)
    assert {pid for pid, _ in found} == {os.getpid()}


def test_runs_of_the_default_launcher_are_local_processes():
    with dg.instance_for_test() as instance:
        assert compat.runs_in_local_processes(instance)
    other = {"run_launcher": {"module": "dagster._core.test_utils", "class": "ExplodingRunLauncher"}}
    with dg.instance_for_test(overrides=other) as instance:
        assert not compat.runs_in_local_processes(instance)


def chain(length: int) -> list[dg.AssetsDefinition]:
    assets = []
    for number in range(length):
        deps = [dg.AssetKey(f"a{number - 1}")] if number else []
        ins = {f"in_{index}": dep for index, dep in enumerate(deps)}
        spec = dg.AssetSpec(f"a{number}", deps=deps, skippable=True)
        op = compat.JobOp(
            compute_fn=lambda _step, _inputs: iter(()),
            name=f"op{number}",
            ins=compat.nothing_inputs(len(deps)),
            outs=compat.nothing_outputs(["out_0"]),
            required_resource_keys={"bench"},
        )
        assets.append(
            compat.OwnResources(
                node_def=op, keys_by_input_name=ins, keys_by_output_name={"out_0": spec.key}, specs=[spec]
            )
        )
    return assets


def test_long_chains_can_be_ordered_once_they_are_allowed(monkeypatch):
    limit = sys.getrecursionlimit()
    definitions = dg.Definitions(assets=chain(1500), resources={"bench": object()})
    try:
        compat.allow_chains_of(1500)
        assert len(definitions.get_repository_def().get_job(compat.ASSET_JOB).nodes) == 1500
    finally:
        sys.setrecursionlimit(limit)


def test_the_limit_is_only_ever_raised():
    before = sys.getrecursionlimit()
    compat.allow_chains_of(1)
    assert sys.getrecursionlimit() == before


def test_assets_get_the_resources_that_they_name_and_no_others():
    definitions = dg.Definitions(assets=chain(1), resources={"bench": object(), "depot__other": object()})
    [bound] = definitions.get_repository_def().assets_defs_by_key.values()
    assert set(bound.resource_defs) == {"bench"}


def test_a_resource_that_is_not_there_is_told_by_name():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="bench"):
        dg.Definitions.validate_loadable(dg.Definitions(assets=chain(1)))


def test_ops_with_shared_inputs_run_in_order():
    ran = []

    def compute(step, _inputs):
        ran.append(step.op_def.name)
        yield dg.MaterializeResult(asset_key=step.selected_asset_keys and next(iter(step.selected_asset_keys)))

    specs = [dg.AssetSpec("a", skippable=True), dg.AssetSpec("b", deps=["a"], skippable=True)]
    assets = []
    for spec in reversed(specs):
        deps = [dep.asset_key for dep in spec.deps]
        op = compat.JobOp(
            compute_fn=compute,
            name=f"op_{spec.key.path[0]}",
            ins=compat.nothing_inputs(len(deps)),
            outs=compat.nothing_outputs(["out_0"]),
        )
        ins = {f"in_{index}": key for index, key in enumerate(deps)}
        assets.append(
            compat.OwnResources(
                node_def=op, keys_by_input_name=ins, keys_by_output_name={"out_0": spec.key}, specs=[spec]
            )
        )
    assert dg.materialize(assets).success
    assert ran == ["op_a", "op_b"]


def test_what_is_in_beta_is_used_without_a_warning():
    with compat.quiet_about_beta():
        dg.LocalFileCodeReference(file_path="wf.yaml", line_number=3, label="job")
        dg.ScheduleDefinition(name="s", cron_schedule="@daily", job_name=compat.ASSET_JOB, owners=["team:x"])


def op_of(number: int, function=None) -> compat.JobOp:
    return compat.JobOp(
        compute_fn=function or (lambda _step, _inputs: iter(())),
        name=f"op{number}",
        ins=compat.nothing_inputs(1),
        outs=compat.nothing_outputs(["out_0"]),
        config_schema=compat.no_configuration(),
        required_resource_keys={"bench"},
    )


def test_an_op_of_ours_needs_what_dagster_says_without_managers_of_inputs():
    theirs = dg.OpDefinition.get_resource_requirements(op_of(1), None, None)
    assert [need.key for need in op_of(1).get_resource_requirements()] == [need.key for need in theirs]
    assert {need.key for need in op_of(1).get_resource_requirements()} == {"bench", "io_manager"}


def test_ops_of_ours_share_a_configuration_that_takes_anything():
    assert op_of(1).config_schema is op_of(2).config_schema
    assert op_of(1).config_schema.config_type.given_name == "Any"


def test_a_function_that_says_its_signature_is_taken_as_it_is():
    def compute(step, _inputs):
        yield step

    known = compat.with_known_signature(compute)
    assert inspect.signature(known).parameters.keys() == {"step", "_inputs"}
    assert op_of(1, known).compute_fn is known


def test_a_plain_failure_is_shown_without_a_stack_trace_and_not_tried_again():
    tries = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def broken() -> None:
        tries.append(1)
        raise compat.PlainFailure("wf.yaml:3:1: no", {"hint": "write it"})

    with dg.instance_for_test() as instance:
        result = dg.materialize([broken], instance=instance, raise_on_error=False)
    [failed] = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.error.to_string().rstrip() == "wf.yaml:3:1: no"
    assert failed.user_failure_data.description == "wf.yaml:3:1: no"
    assert failed.user_failure_data.metadata == {"hint": dg.TextMetadataValue("write it")}
    assert len(tries) == 1
