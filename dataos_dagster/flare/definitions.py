"""What a Flare manifest says about a dataset that a job writes, for its asset in Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.manifest import FlareSpec
from dataos_dagster.workflows.translator import CheckDescription, OutputDescription

if TYPE_CHECKING:
    from dataos_dagster.address import Address
    from dataos_dagster.flare.manifest import FlareOutput
    from dataos_dagster.workflows.jobs import Job


def describe_output(job: Job, address: Address) -> OutputDescription:
    """Return description, format and tags of the outputs of a Flare job that go to a dataset."""
    outputs = [output for output in _outputs(job) if output.address == address]
    said = [text for output in outputs for text in (output.description, output.title) if text]
    return OutputDescription(
        description=said[0] if said else None,
        kinds=tuple(dict.fromkeys(output.format for output in outputs if output.format)),
        tags=tuple(dict.fromkeys(tag for output in outputs for tag in output.tags)),
    )


def describe_checks(job: Job) -> tuple[CheckDescription, ...]:
    """Return the tests of a Flare job; those in front of an output are about its dataset."""
    spec = job.spec.stack_spec
    if not isinstance(spec, FlareSpec) or not (
        spec.job.assertions or any(each.assertions for each in spec.job.outputs)
    ):
        return ()
    from dataos_dagster.flare.assertions.naming import named_tests

    return tuple(
        CheckDescription(
            test.name,
            f"{test.assertion.column}: {test.text}" if test.assertion.column else test.text,
            None if test.output is None else spec.job.outputs[test.output].address,
        )
        for test in named_tests(spec.job)
    )


def _outputs(job: Job) -> tuple[FlareOutput, ...]:
    return job.spec.stack_spec.job.outputs if isinstance(job.spec.stack_spec, FlareSpec) else ()
