"""Connections that a job spells out: what each type of the standalone mode becomes for the door."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.requests import ReadRequest
from dataos_dagster.errors import StepError


@pytest.fixture
def spelled(sail_project):
    """Return a function that gives the request of an input, without asking which engine could serve it."""
    from dataos_dagster.flare.inputs import plan_input

    def read(kind, section):
        sail_project.write_job(
            f"inputs: [{{name: a, inputType: {kind}, {kind}: {section}}}]\n"
            "outputs: [{name: a, dataset: 'dataos://lakehouse:s/t?acl=rw'}]"
        )
        [node] = sail_project.graph.nodes.values()
        [entry] = node.job.spec.stack_spec.job.inputs
        return plan_input(node.job, 0, entry, keep_system_columns=False, settings=sail_project.settings).request

    return read


@pytest.mark.parametrize("written", ["?ssl=true&sslmode=verify-full", ";ssl=true;sslmode=verify-full"])
def test_parameters_of_a_redshift_url_reach_the_driver_and_secret_ones_stay_secret(sail_project, spelled, written):
    separator = written[0] if written[0] == ";" else "&"
    url = f"jdbc:redshift://h:5439/shop{written}{separator}user=ann{separator}sslpassword=leafy-word"
    request = spelled("redshift", f"{{jdbcUrl: '{url}', tempDir: 's3a://stage/tmp', dbTable: s.orders}}")
    call = sail_project.context.door._opener.store_of(request, "r").connector.describe(request)
    assert call.options["url"] == "jdbc:redshift://h:5439/shop?ssl=true&sslmode=verify-full"
    assert call.secrets["sslpassword"] == SecretStr("leafy-word")
    assert "leafy-word" not in repr(request) + repr(call)


def test_a_section_that_names_no_dataset_is_told_where_it_stands(spelled):
    with pytest.raises(StepError, match=r'inputs\[0\] "a" names nothing to read') as refused:
        spelled("snowflake", "{url: h, database: d}")
    assert "complete the section `snowflake`" in refused.value.hint
    assert refused.value.location is not None


def test_options_of_mongodb_and_bigquery_reach_their_connectors(sail_project):
    from dataos_dagster.flare.inputs import plan_input
    from dataos_dagster.flare.outputs import plan_output

    sail_project.write_job("""
        inputs: [{name: a, dataset: 'dataos://docs:shop/orders', format: mongodb, connectionProps: {ssl: true}}]
        outputs:
          - name: a
            dataset: dataos://dwh:sales/orders?acl=rw
            format: bigquery
            options:
              bigquery: {temporaryBucket: tmp, persistentBucket: kept}
              extraOptions: {writeMethod: indirect, intermediateFormat: orc}
        """)
    [node] = sail_project.graph.nodes.values()
    job = node.job.spec.stack_spec.job
    read = plan_input(node.job, 0, job.inputs[0], keep_system_columns=False, settings=sail_project.settings).request
    assert isinstance(read, ReadRequest)
    assert read.options == {"connectionprops.ssl": "true"}
    written = plan_output(node.job, 0, job.outputs[0], sail_project.settings).request
    assert written.options == {
        "writeMethod": "indirect",
        "intermediateFormat": "orc",
        "temporaryGcsBucket": "tmp",
        "persistentGcsBucket": "kept",
    }
