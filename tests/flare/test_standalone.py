"""Standalone mode: every type that `inputType` and `outputType` know, and all that its connector is given."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import pytest

from dataos_dagster.depots.delta.store import DeltaStore
from dataos_dagster.depots.files.store import FileStore
from dataos_dagster.depots.lakehouse.store import LakehouseStore
from dataos_dagster.flare.inputs import plan_input
from dataos_dagster.flare.outputs import plan_output

PEM = r"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
SNOWFLAKE = {"sfURL": "acme.snowflakecomputing.com", "sfDatabase": "SHOP", "sfSchema": "PUBLIC", "dbtable": "ORDERS"}
SNOWFLAKE_SECTION = "url: acme.snowflakecomputing.com, database: SHOP, schema: PUBLIC, table: ORDERS, user: ann"
USER = {"user": "ann", "password": "hidden-word"}
SEARCH = "index: orders, nodes: ['https://h1:9200', h2], username: ann, password: hidden-word"


@dataclass(frozen=True)
class Case:
    """A type, a section of it, and what its connector is given for reading; `writing` is added for writing."""

    kind: str
    section: str
    format: str
    options: dict[str, str]
    writing: dict[str, str] = field(default_factory=dict)
    id: str = ""


def search(prefix: str, format_: str) -> Case:
    return Case(
        "elasticsearch" if prefix == "es" else "opensearch",
        f"{{{SEARCH}, options: {{{prefix}.nodes.wan.only: 'true'}}}}",
        format_,
        {
            f"{prefix}.nodes": "h1:9200,h2:9200",
            f"{prefix}.net.ssl": "true",
            f"{prefix}.net.http.auth.user": "ann",
            f"{prefix}.net.http.auth.pass": "hidden-word",
            f"{prefix}.resource": "orders",
            f"{prefix}.nodes.wan.only": "true",
        },
    )


CASES = [
    Case(
        "jdbc",
        "{url: 'jdbc:sqlserver://h;databaseName=d', username: ann, password: hidden-word, table: dbo.t}",
        "jdbc",
        {
            "url": "jdbc:sqlserver://h;databaseName=d",
            "dbtable": "dbo.t",
            "driver": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
            **USER,
        },
        {"truncate": "true"},
    ),
    Case(
        "jdbc",
        "{url: 'jdbc:oracle:thin:@//h:1521/s', username: ann, password: hidden-word, table: S.T, driver: my.Driver}",
        "jdbc",
        {"url": "jdbc:oracle:thin:@//h:1521/s", "dbtable": "S.T", "driver": "my.Driver", **USER},
        {"truncate": "true"},
        id="jdbc-driver",
    ),
    Case(
        "jdbc",
        "{url: 'jdbc:mysql://h/shop', username: ann, password: hidden-word, table: orders}",
        "jdbc",
        {"url": "jdbc:mysql://h/shop", "dbtable": "orders", "driver": "com.mysql.cj.jdbc.Driver", **USER},
        {"truncate": "true"},
        id="jdbc-mysql",
    ),
    Case(
        "bigquery",
        "{projectId: acme, dataset: sales, table: orders, options: {bigquery: {temporaryBucket: tmp}}}",
        "bigquery",
        {"parentProject": "acme", "table": "acme.sales.orders"},
        {"temporaryGcsBucket": "tmp"},
    ),
    Case(
        "snowflake",
        f"{{{SNOWFLAKE_SECTION}, snowflakeWarehouse: WH, password: hidden-word}}",
        "net.snowflake.spark.snowflake",
        SNOWFLAKE | {"sfUser": "ann", "sfPassword": "hidden-word", "sfWarehouse": "WH"},
    ),
    Case(
        "snowflake",
        f"{{{SNOWFLAKE_SECTION}, warehouse: WH, token: hidden-word}}",
        "net.snowflake.spark.snowflake",
        SNOWFLAKE | {"sfUser": "ann", "sfToken": "hidden-word", "sfAuthenticator": "oauth", "sfWarehouse": "WH"},
        id="snowflake-token",
    ),
    Case(
        "snowflake",
        f'{{{SNOWFLAKE_SECTION}, role: R, pemPrivateKey: "{PEM}"}}',
        "net.snowflake.spark.snowflake",
        SNOWFLAKE | {"sfUser": "ann", "pem_private_key": "AAAA", "sfRole": "R"},
        id="snowflake-key",
    ),
    Case(
        "redshift",
        "{jdbcUrl: 'jdbc:redshift://h/shop', username: ann, password: hidden-word, tempDir: 's3a://stage/tmp', "
        "dbTable: orders}",
        "io.github.spark_redshift_community.spark.redshift",
        {
            "url": "jdbc:redshift://h:5439/shop",
            "tempdir": "s3a://stage/tmp",
            "forward_spark_s3_credentials": "true",
            "dbtable": '"public"."orders"',
            **USER,
        },
    ),
    Case(
        "pulsar",
        "{serviceUrl: 'pulsar://h:6650', adminUrl: 'http://h:8080', tenant: t, namespace: n, topic: orders, isBatch: true}",
        "pulsar",
        {
            "service.url": "pulsar://h:6650",
            "admin.url": "http://h:8080",
            "topic": "persistent://t/n/orders",
            "startingOffsets": "earliest",
        },
    ),
    search("es", "org.elasticsearch.spark.sql"),
    search("opensearch", "org.opensearch.spark.sql"),
]


def requests_of(project, kind, section):
    """Return the read of an input of a type, and the write of an output with the same section."""
    project.write_job(
        f"inputs: [{{name: a, inputType: {kind}, {kind}: {section}}}]\n"
        f"outputs: [{{name: a, outputType: {kind}, {kind}: {section}}}]"
    )
    [node] = project.graph.nodes.values()
    spec = node.job.spec.stack_spec.job
    read = plan_input(node.job, 0, spec.inputs[0], keep_system_columns=False, settings=project.settings).request
    return read, plan_output(node.job, 0, spec.outputs[0], project.settings).request


def store_of(project, request):
    return project.context.door._opener.store_of(request, "rw")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id or case.kind)
def test_a_type_gets_exactly_these_options(sail_project, case):
    read, write = requests_of(sail_project, case.kind, case.section)
    for request, options in ((read, case.options), (write, case.options | case.writing)):
        store = store_of(sail_project, request)
        # MySQL's own connection puts rows in place; Spark's part is a connector's like the others.
        call = getattr(store, "spark", store).connector.describe(request)
        found = {key: value for key, value in call.merged(request.options).items() if key != "bigquery"}
        assert (call.format, found) == (case.format, options)
    assert "hidden-word" not in repr(read) + repr(write)


@pytest.mark.parametrize(
    ("kind", "section", "options"),
    [
        (
            "kafka",
            "{brokers: 'h:9092', topic: orders, isBatch: true}",
            {"kafka.bootstrap.servers": "h:9092", "kafka.security.protocol": "PLAINTEXT"},
        ),
        (
            "eventhub",
            "{endpoint: 'sb://acme.servicebus.windows.net/', eventhubName: orders, sasKeyName: ann, sasKey: hidden-word}",
            {
                "kafka.bootstrap.servers": "acme.servicebus.windows.net:9093",
                "kafka.security.protocol": "SASL_SSL",
                "kafka.sasl.mechanism": "PLAIN",
                "kafka.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
                'username="$ConnectionString" password="Endpoint=sb://acme.servicebus.windows.net/;'
                'SharedAccessKeyName=ann;SharedAccessKey=hidden-word";',
            },
        ),
    ],
)
def test_topics_get_exactly_these_options(sail_project, kind, section, options):
    for request in requests_of(sail_project, kind, section):
        assert store_of(sail_project, request).access.spark_options() == options
        assert str(request.target) == f"{kind}:default/orders"
        assert "hidden-word" not in repr(request)


@pytest.mark.parametrize(
    ("section", "store", "place"),
    [
        ("{path: data/orders, format: csv}", FileStore, "{folder}/data/orders"),
        ("{path: data/orders, format: delta}", DeltaStore, "{folder}/data/orders"),
        ("{path: data/orders.xlsx, format: xlsx}", FileStore, "{folder}/data/orders.xlsx"),
        ("{path: 's3a://lake/raw', format: json}", FileStore, "s3://lake/raw"),
        ("{path: 'gs://lake/raw', format: parquet}", FileStore, "gs://lake/raw"),
        (
            "{path: 'abfss://lake@acme.dfs.core.windows.net/raw', format: orc}",
            FileStore,
            "abfss://lake@acme.dfs.core.windows.net/raw",
        ),
    ],
)
def test_files_are_where_their_path_says(sail_project, section, store, place):
    for request in requests_of(sail_project, "file", section):
        found = store_of(sail_project, request)
        assert isinstance(found, store)
        assert str(found.place(request)) == place.format(folder=sail_project.folder)


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ("{warehousePath: lake, schemaName: retail, tableName: city, format: iceberg}", "lake/retail/city"),
        ("{warehousePath: lake, tableName: city, format: iceberg}", "lake/default/city"),
        ("{path: lake/retail/city, format: iceberg}", "lake/retail/city"),
    ],
)
def test_iceberg_tables_are_where_their_warehouse_says(sail_project, section, place):
    for request in requests_of(sail_project, "file", section):
        found = store_of(sail_project, request)
        assert isinstance(found, LakehouseStore)
        assert str(found.warehouse.table(request.target).place) == f"{sail_project.folder}/{place}"


def test_options_of_a_section_are_those_of_the_input_and_the_output(sail_project):
    section = "{path: data/a, format: csv, options: {header: false, saveMode: append, sep: ';'}}"
    read, write = requests_of(sail_project, "file", section)
    assert read.options == {"header": "false", "sep": ";"}
    assert (write.mode, write.options) == ("append", {"header": "false", "sep": ";"})


def test_the_documented_misspelling_of_a_project_is_read(sail_project):
    read, _ = requests_of(sail_project, "bigquery", "{projected: acme, dataset: sales, table: orders}")
    assert store_of(sail_project, read).connector.describe(read).options["table"] == "acme.sales.orders"


@pytest.mark.parametrize(
    ("url", "conf", "opened"),
    [
        (
            "s3a://lake/raw",
            {"fs.s3a.bucket.lake.access.key": "AK", "fs.s3a.secret.key": "SK", "fs.s3a.endpoint": "h:9000"},
            {"access_key": "AK", "secret_key": "SK", "endpoint": "https://h:9000", "region": None}
            | {"session_token": None, "path_style": True},
        ),
        (
            "abfss://lake@acme.dfs.core.windows.net/raw",
            {"fs.azure.account.key.acme.dfs.core.windows.net": "KEY"},
            {"account": "acme", "scheme": "abfss", "key": "KEY", "suffix": "windows.net"},
        ),
        (
            "gs://lake/raw",
            {"google.cloud.auth.service.account.json.keyfile": "key.json"},
            {"key": "{}", "project": None},
        ),
    ],
)
def test_buckets_are_opened_with_the_keys_of_spark_conf(sail_project, url, conf, opened):
    sail_project.write("key.json", "{}")
    section = f"{{path: '{url}', format: csv}}"
    properties = [{f"spark.hadoop.{key}": value} for key, value in conf.items()]
    sail_project.write_job(
        f"inputs: [{{name: a, inputType: file, file: {section}}}]\n"
        f"outputs: [{{name: a, outputType: file, file: {section}}}]",
        extra={"sparkConf": properties},
    )
    [node] = sail_project.graph.nodes.values()
    spec = node.job.spec.stack_spec.job
    settings = sail_project.settings
    for request in (
        plan_input(node.job, 0, spec.inputs[0], keep_system_columns=False, settings=settings).request,
        plan_output(node.job, 0, spec.outputs[0], settings).request,
    ):
        access = store_of(sail_project, request).root.access
        given = {each.name: getattr(access, each.name) for each in fields(access) if each.init}
        assert {
            name: getattr(value, "get_secret_value", lambda v=value: v)() for name, value in given.items()
        } == opened
        assert not any(value in repr(request) for value in ("AK", "SK", "KEY"))


def test_a_key_file_that_is_not_there_is_told(sail_project):
    sail_project.write_job(
        "inputs: [{name: a, inputType: file, file: {path: 'gs://lake/raw', format: csv}}]",
        extra={"sparkConf": [{"spark.hadoop.fs.gs.auth.service.account.json.keyfile": "none.json"}]},
    )
    [outcome] = sail_project.run().outcomes
    assert "the key of Google Cloud cannot be read from" in outcome.error.message
    assert outcome.error.location is not None
