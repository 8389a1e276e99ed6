"""Connections that a job spells out: what each type of the standalone mode becomes for the door."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.requests import ReadRequest
from dataos_dagster.errors import StepError
from dataos_dagster.redaction import redact

SNOWFLAKE = """{url: acme.snowflakecomputing.com, database: SHOP, schema: PUBLIC, table: ORDERS, user: ann,
    snowflakeWarehouse: WH, password: frosty-word}"""
CASES = {
    "bigquery": ("{projectId: acme, dataset: sales, table: orders}", "bigquery", {"table": "acme.sales.orders"}),
    "snowflake": (
        SNOWFLAKE,
        "net.snowflake.spark.snowflake",
        {
            "sfURL": "acme.snowflakecomputing.com",
            "sfSchema": "PUBLIC",
            "dbtable": "ORDERS",
            "sfPassword": "frosty-word",
        },
    ),
    "redshift": (
        "{jdbcUrl: 'jdbc:redshift://h:5439/shop?user=ann&password=rosy-word', tempDir: 's3a://stage/tmp', dbTable: s.orders}",
        "io.github.spark_redshift_community.spark.redshift",
        {"url": "jdbc:redshift://h:5439/shop", "tempdir": "s3a://stage/tmp", "dbtable": '"s"."orders"', "user": "ann"},
    ),
    "pulsar": (
        "{serviceUrl: 'pulsar://h:6650', adminUrl: 'http://h', tenant: t, namespace: n, topic: orders}",
        "pulsar",
        {"topic": "persistent://t/n/orders", "admin.url": "http://h"},
    ),
    "elasticsearch": (
        "{index: orders, nodes: 'h:9200', username: ann, password: stretchy-word, options: {es.nodes.wan.only: 'true'}}",
        "org.elasticsearch.spark.sql",
        {"es.resource": "orders", "es.nodes": "h:9200", "es.net.http.auth.pass": "stretchy-word"},
    ),
    "jdbc": (
        "{url: 'jdbc:mysql://h/shop', username: ann, password: jolly-word, table: orders, driver: com.mysql.cj.jdbc.Driver}",
        "jdbc",
        {"url": "jdbc:mysql://h/shop", "dbtable": "orders", "user": "ann", "password": "jolly-word"},
    ),
}


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


@pytest.mark.parametrize("kind", CASES)
def test_a_connection_spelled_out_gets_the_options_that_a_depot_would(sail_project, spelled, kind):
    section, format_, options = CASES[kind]
    request = spelled(kind, section)
    store = sail_project.context.door._opener.store_of(request, "r")
    # MySQL's own connection puts rows in place; Spark's part is a connector's like the others.
    call = getattr(store, "spark", store).connector.describe(request)
    found = call.merged(request.options)
    assert call.format == format_
    assert options.items() <= found.items()
    secrets = [value.get_secret_value() for value in call.secrets.values()]
    assert not [secret for secret in secrets if secret.endswith("-word") and secret in repr(request) + redact(secret)]


@pytest.mark.parametrize("written", ["?ssl=true&sslmode=verify-full", ";ssl=true;sslmode=verify-full"])
def test_parameters_of_a_redshift_url_reach_the_driver_and_secret_ones_stay_secret(sail_project, spelled, written):
    separator = written[0] if written[0] == ";" else "&"
    url = f"jdbc:redshift://h:5439/shop{written}{separator}user=ann{separator}sslpassword=leafy-word"
    request = spelled("redshift", f"{{jdbcUrl: '{url}', tempDir: 's3a://stage/tmp', dbTable: s.orders}}")
    call = sail_project.context.door._opener.store_of(request, "r").connector.describe(request)
    assert call.options["url"] == "jdbc:redshift://h:5439/shop?ssl=true&sslmode=verify-full"
    assert call.secrets["sslpassword"] == SecretStr("leafy-word")
    assert "leafy-word" not in repr(request) + repr(call)


def test_topics_spelled_out_are_those_of_a_cluster(sail_project, spelled):
    request = spelled("kafka", "{brokers: 'h:9092', topic: orders}")
    store = sail_project.context.door._opener.store_of(request, "r")
    assert store.access.spark_options()["kafka.bootstrap.servers"] == "h:9092"
    assert str(request.target) == "kafka:default/orders"
    hub = "{endpoint: 'sb://acme.servicebus.windows.net/', eventhubName: orders, sasKeyName: reader, sasKey: humming-word}"
    request = spelled("eventhub", hub)
    assert request.target.source.credentials["eh_shared_access_key"] == SecretStr("humming-word")
    store = sail_project.context.door._opener.store_of(request, "r")
    assert store.access.brokers == "acme.servicebus.windows.net:9093"


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
            options: {bigquery: {temporaryBucket: tmp}, extraOptions: {writeMethod: indirect}}
        """)
    [node] = sail_project.graph.nodes.values()
    job = node.job.spec.stack_spec.job
    read = plan_input(node.job, 0, job.inputs[0], keep_system_columns=False, settings=sail_project.settings).request
    assert isinstance(read, ReadRequest)
    assert read.options == {"connectionprops.ssl": "true"}
    written = plan_output(node.job, 0, job.outputs[0], sail_project.settings).request
    assert written.options == {"writeMethod": "indirect", "temporaryGcsBucket": "tmp"}
