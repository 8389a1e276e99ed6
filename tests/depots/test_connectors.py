"""Depots behind Spark connectors whose servers cannot be had here: the exact options that each connector is given."""

from __future__ import annotations

import base64
import re
import socket

import pytest
from depot_shop import target
from pydantic import SecretStr
from sessions import SAIL

from dataos_dagster.depots.door import JdbcConnection, ReadRequest, Target, WriteRequest
from dataos_dagster.depots.kafka.event_hubs import kafka_options
from dataos_dagster.depots.mysql.store import MysqlStore
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import CredentialsRefused, DepotError, DepotUnsupported
from dataos_dagster.redaction import redact

SECRET = """
---
name: keys
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {data}
"""
KAFKA_DEPOT = "name: events\nversion: v2alpha\ntype: depot\ndepot: {type: kafka, kafka: {brokers: ['h:9092']}}\n"
LOGIN = "{username: ann, password: s3cret-word}"
USER = {"user": "ann", "password": "s3cret-word"}


def declare(shop, section, data=LOGIN):
    """Declare the depot `store`; its section is one line of YAML such as `mysql: {host: h}`."""
    kind = section.partition(":")[0]
    shop.declare(
        f"name: store\nversion: v2alpha\ntype: depot\ndepot: {{type: {kind}, secrets: [{{name: keys}}], {section}}}\n"
        + SECRET.format(data=data),
        "store.yaml",
    )


def store_of(shop, request):
    found = shop.door._opener.store_of(request, "rw")
    # MySQL's own connection puts rows in place; Spark's part is a connector's like the others.
    return found.spark if isinstance(found, MysqlStore) else found


def options_of(shop, path, **options):
    """Return format and options of a read."""
    request = ReadRequest(target(f"dataos://store:{path}"), options=options)
    call = store_of(shop, request).connector.describe(request)
    return call.format, call.merged(options)


JDBC = [
    (
        "mysql: {host: h, database: shop, params: {useSSL: false}}",
        {"url": "jdbc:mysql://h:3306/shop?useSSL=false", "dbtable": "`db`.`t`", "driver": "com.mysql.cj.jdbc.Driver"},
    ),
    (
        "mysql: {host: h}",
        {"url": "jdbc:mysql://h:3306/db", "dbtable": "`db`.`t`", "driver": "com.mysql.cj.jdbc.Driver"},
    ),
    (
        "sqlserver: {host: h, port: 1444, database: shop, params: {encrypt: true}}",
        {
            "url": "jdbc:sqlserver://h:1444;databaseName=shop;encrypt=true",
            "dbtable": "[db].[t]",
            "driver": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
        },
    ),
    (
        "oracle: {host: h, service: shop}",
        {
            "url": "jdbc:oracle:thin:@//h:1521/shop",
            "dbtable": '"db"."t"',
            "driver": "oracle.jdbc.driver.OracleDriver",
        },
    ),
    (
        "jdbc: {subprotocol: trino, host: h, port: 8443, database: lakehouse, params: {SSL: true}}",
        {
            "url": "jdbc:trino://h:8443/lakehouse?SSL=true",
            "dbtable": '"db"."t"',
            "driver": "io.trino.jdbc.TrinoDriver",
        },
    ),
]


@pytest.mark.parametrize(("section", "options"), JDBC)
def test_a_database_is_reached_by_its_url_and_driver(sail_shop, section, options):
    declare(sail_shop, section)
    assert options_of(sail_shop, "db/t") == ("jdbc", options | USER)
    asked = {"DRIVER": "mine", "fetchsize": "7", "partitionColumn": "id", "lowerBound": "0", "upperBound": "9"}
    asked |= {"numPartitions": "4", "rewriteBatchedStatements": "true"}
    found = options_of(sail_shop, "db/t", url="jdbc:other", dbtable="x", query="q", **asked)[1]
    kept = {key: value for key, value in options.items() if key != "driver"}
    assert found == kept | USER | asked


def test_databricks_is_opened_with_a_token(sail_shop):
    declare(sail_shop, "databricks: {host: h, database: d, params: {httpPath: /sql/1}}", "{password: dapi-token}")
    assert options_of(sail_shop, "db/t") == (
        "jdbc",
        {
            "url": "jdbc:databricks://h:443/d;httpPath=/sql/1",
            "dbtable": "`db`.`t`",
            "driver": "com.databricks.client.jdbc.Driver",
            "user": "token",
            "password": "dapi-token",
        },
    )


def test_a_database_nobody_knows_is_reached_with_the_driver_that_the_job_names(sail_shop):
    declare(sail_shop, "jdbc: {subprotocol: db2, host: h, port: 50000, database: d}")
    with pytest.raises(DepotError, match="nothing says which JDBC driver db2 needs"):
        options_of(sail_shop, "s/t")
    found = options_of(sail_shop, "s/t", driver="com.ibm.db2.jcc.DB2Driver")[1]
    assert found == {
        "url": "jdbc:db2://h:50000/d",
        "dbtable": '"s"."t"',
        "driver": "com.ibm.db2.jcc.DB2Driver",
        **USER,
    }


def test_an_overwrite_of_a_database_keeps_the_table_and_says_what_a_failure_leaves(sail_shop):
    declare(sail_shop, "sqlserver: {host: h, database: d}")
    request = WriteRequest(target("dataos://store:dbo/t"), "overwrite")
    call = store_of(sail_shop, request).connector.describe(request)
    assert call.merged({})["truncate"] == "true"
    [note] = sail_shop.door.requirements([request]).notes
    assert note.endswith("when the write fails its rows are gone")
    assert call.merged({"truncate": "false"})["truncate"] == "false"


def test_snowflake_gets_its_own_words_and_the_jobs_warehouse(sail_shop):
    section = "snowflake: {account: acme, database: SHOP, warehouse: READ_WH, role: ANALYST}"
    declare(sail_shop, section)
    expected = {
        "sfURL": "acme.snowflakecomputing.com",
        "sfUser": "ann",
        "sfPassword": "s3cret-word",
        "sfDatabase": "SHOP",
        "sfSchema": "PUBLIC",
        "sfWarehouse": "LOAD_WH",
        "sfRole": "ANALYST",
        "dbtable": "ORDERS",
    }
    assert options_of(sail_shop, "PUBLIC/ORDERS", sfWarehouse="LOAD_WH", driver="org.postgresql.Driver") == (
        "net.snowflake.spark.snowflake",
        expected,
    )
    key = r"-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\n"
    declare(sail_shop, section, f'{{username: ann, key: "{key}"}}')
    found = options_of(sail_shop, "PUBLIC/ORDERS")[1]
    assert (found["pem_private_key"], found["sfWarehouse"]) == ("AAAABBBB", "READ_WH")
    declare(sail_shop, section, f'{{username: ann, key: "{key}", passphrase: x}}')
    with pytest.raises(CredentialsRefused, match="cannot open a private key with a passphrase"):
        options_of(sail_shop, "PUBLIC/ORDERS")


def test_bigquery_gets_table_project_and_key(sail_shop):
    declare(sail_shop, "bigquery: {project: acme}", """{json_keyfile: '{"type": "service_account"}'}""")
    key = base64.b64encode(b'{"type": "service_account"}').decode()
    expected = {"parentProject": "acme", "table": "acme.sales.orders", "credentials": key, "writeMethod": "direct"}
    assert options_of(sail_shop, "sales/orders", writeMethod="direct") == ("bigquery", expected)


def test_redshift_gets_url_and_staging_folder_and_the_keys_of_its_bucket(sail_shop):
    section = "redshift: {host: h, database: d, bucket: stage, relativePath: /tmp/}"
    declare(sail_shop, section, "{username: ann, password: s3cret-word, awsaccesskeyid: AK, awssecretaccesskey: SK}")
    assert options_of(sail_shop, "public/orders") == (
        "io.github.spark_redshift_community.spark.redshift",
        {
            "url": "jdbc:redshift://h:5439/d",
            "tempdir": "s3a://stage/tmp",
            "forward_spark_s3_credentials": "true",
            "dbtable": '"public"."orders"',
            **USER,
        },
    )
    needed = sail_shop.door.requirements([ReadRequest(target("dataos://store:public/orders"))])
    keys = {key: value.get_secret_value() for key, value in needed.secret_conf["spark"].items()}
    prefix = "spark.hadoop.fs.s3a.bucket.stage"
    assert keys == {f"{prefix}.access.key": "AK", f"{prefix}.secret.key": "SK"}
    declare(sail_shop, "redshift: {host: h, database: d}")
    with pytest.raises(DepotError, match="names no bucket"):
        options_of(sail_shop, "public/orders")


def test_mongodb_gets_one_address_with_account_and_parameters(sail_shop):
    declare(
        sail_shop, "mongodb: {nodes: ['h1:27017', h2], params: {tls: true}}", "{username: ann, password: 'p@ss/word'}"
    )
    assert options_of(sail_shop, "shop/orders", **{"connectionProps.retryReads": "true", "partitioner": "x"}) == (
        "mongodb",
        {
            "connection.uri": "mongodb://ann:p%40ss%2Fword@h1:27017,h2/?tls=true&retryReads=true",
            "database": "shop",
            "collection": "orders",
            "partitioner": "x",
        },
    )


@pytest.mark.parametrize(
    ("kind", "prefix", "format_"),
    [
        ("elasticsearch", "es", "org.elasticsearch.spark.sql"),
        ("opensearch", "opensearch", "org.opensearch.spark.sql"),
    ],
)
def test_search_clusters_get_nodes_index_and_account(sail_shop, kind, prefix, format_):
    declare(sail_shop, f"{kind}: {{nodes: ['https://h1', 'h2:9201']}}")
    wan = {f"{prefix}.nodes.wan.only": "true"}
    assert options_of(sail_shop, "default/orders", **wan) == (
        format_,
        {
            f"{prefix}.nodes": "h1:9200,h2:9201",
            f"{prefix}.net.ssl": "true",
            f"{prefix}.net.http.auth.user": "ann",
            f"{prefix}.net.http.auth.pass": "s3cret-word",
            f"{prefix}.resource": "orders",
            **wan,
        },
    )


def test_pulsar_gets_tenant_namespace_and_token(sail_shop):
    section = "pulsar: {serviceUrl: 'pulsar://h:6650', adminUrl: 'http://h:8080', tenant: system}"
    declare(sail_shop, section, "{token: tok-en}")
    assert options_of(sail_shop, "soda/checks") == (
        "pulsar",
        {
            "service.url": "pulsar://h:6650",
            "admin.url": "http://h:8080",
            "pulsar.client.authPluginClassName": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
            "pulsar.client.authParams": "token:tok-en",
            "topic": "persistent://system/soda/checks",
            "startingOffsets": "earliest",
        },
    )


def test_event_hubs_are_reached_through_their_kafka_endpoint(sail_shop):
    section = "eventhub: {endpoint: 'sb://acme.servicebus.windows.net/'}"
    declare(sail_shop, section, "{eh_shared_access_key_name: reader, eh_shared_access_key: k+y=}")
    store = store_of(sail_shop, ReadRequest(target("dataos://store:default/orders")))
    login = "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=reader;SharedAccessKey=k+y="
    assert store.access.spark_options() == {
        "kafka.bootstrap.servers": "acme.servicebus.windows.net:9093",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "PLAIN",
        "kafka.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="$ConnectionString" password="{login}";',
    }
    declare(sail_shop, section, "{eh_shared_access_key: k}")
    with pytest.raises(CredentialsRefused, match="its secret has no 'eh_shared_access_key_name'"):
        store_of(sail_shop, ReadRequest(target("dataos://store:default/orders")))


def test_positions_of_event_hubs_are_offsets_of_kafka():
    given = {
        "eventhubs.startingposition": '{"offset": "-1", "seqNo": -1}',
        "eventhubs.endingposition": '{"offset": "@latest"}',
        "eventhubs.consumergroup": "mine",
        "failOnDataLoss": "false",
    }
    assert kafka_options(given) == {
        "startingOffsets": "earliest",
        "endingOffsets": "latest",
        "kafka.group.id": "mine",
        "failOnDataLoss": "false",
    }
    with pytest.raises(DepotError, match="has no offset that Event Hubs' Kafka endpoint knows"):
        kafka_options({"eventhubs.startingposition": '{"seqNo": 7}'})


def test_a_connection_spelled_out_in_a_job_needs_no_depot(sail_shop):
    jdbc = JdbcConnection("jdbc:sqlserver://h;databaseName=d;user=ann;password=s3cret-word", "dbo.t", driver="a.Driver")
    request = ReadRequest(Target(jdbc=jdbc))
    call = store_of(sail_shop, request).connector.describe(request)
    assert call.merged({}) == {
        "url": "jdbc:sqlserver://h;databaseName=d",
        "dbtable": "dbo.t",
        "driver": "a.Driver",
        **USER,
    }


def test_jobs_go_to_spark_with_the_connector_and_no_plan_shows_a_secret(sail_shop):
    declare(sail_shop, "mysql: {host: h, database: d}")
    request = ReadRequest(target("dataos://store:db/t"))
    needed = sail_shop.door.requirements([request])
    assert coordinate_of("mysql") in needed.packages
    assert needed.vetoes["sail"] == ("Sail has no connector for mysql (dataos://store:db/t)",)
    pattern = needed.conf["spark"]["spark.sql.redaction.options.regex"]
    assert all(word in pattern for word in ("url", "user", "pass", "token", "key", "credential"))
    call = store_of(sail_shop, request).connector.describe(request)
    assert call.secrets["password"] == SecretStr("s3cret-word")
    assert "s3cret-word" not in repr(needed) + repr(call)


def test_a_mysql_server_is_one_however_it_is_named(sail_shop):
    declare(sail_shop, "jdbc: {subprotocol: mysql, host: h, port: 3306}")
    depot = sail_shop.door._opener.store_of(ReadRequest(target("dataos://store:db/t")), "r")
    assert isinstance(depot, MysqlStore)
    for url, table in [("jdbc:mysql://h/db", "t"), ("jdbc:mysql://h:3306/other?sslMode=VERIFY_CA", "`db`.`t`")]:
        spelled = ReadRequest(Target(jdbc=JdbcConnection(url, table)))
        store = sail_shop.door._opener.store_of(spelled, "r")
        assert isinstance(store, MysqlStore)
        assert (store.connection.host, store.connection.port, store.table) == ("h", 3306, ("db", "t"))
    assert store.connection.ssl_mode == "VERIFY_CA"


@pytest.mark.parametrize("url", ["jdbc:mysql://a:1,b:2/db", "jdbc:mysql:loadbalance://a,b/db"])
def test_a_list_of_mysql_servers_is_written_by_spark_alone_and_the_plan_says_what_that_means(sail_shop, url):
    request = WriteRequest(Target(jdbc=JdbcConnection(url, "t")), "overwrite")
    store = sail_shop.door._opener.store_of(request, "rw")
    assert not isinstance(store, MysqlStore)
    assert "Spark empties the table before it writes" in store.requirements(request).notes[0]


def test_a_semicolon_in_a_parameter_begins_no_other_parameter(sail_shop):
    declare(sail_shop, "sqlserver: {host: h, database: 'd;encrypt=false', params: {applicationName: 'a}b;c=1'}}")
    _, options = options_of(sail_shop, "dbo/t")
    assert options["url"] == "jdbc:sqlserver://h:1433;databaseName={d;encrypt=false};applicationName={a}}b;c=1}"
    declare(sail_shop, "databricks: {host: h, params: {httpPath: '/sql;ssl=0'}}")
    with pytest.raises(DepotError, match="the value of the parameter httpPath has one of"):
        options_of(sail_shop, "s/t")


def test_the_names_of_hidden_options_are_those_of_all_sources_together(sail_shop):
    sail_shop.declare(KAFKA_DEPOT, "events.yaml")
    declare(sail_shop, "mysql: {host: h, database: d}")
    reads = [ReadRequest(target("dataos://store:db/t")), ReadRequest(target("dataos://events:default/orders"))]
    patterns = {
        sail_shop.door.requirements(order).conf["spark"]["spark.sql.redaction.options.regex"]
        for order in (reads, reads[::-1])
    }
    assert len(patterns) == 1
    hidden = ("sfToken", "pem_private_key", "credentials", "connection.uri", "authParams", "kafka.sasl.jaas.config")
    assert all(re.search(pattern, option) for pattern in patterns for option in hidden)


@pytest.mark.parametrize(
    ("section", "data", "option"),
    [
        ("snowflake: {url: h, database: D, warehouse: W}", '{username: ann, key: "%s"}', "pem_private_key"),
        ("bigquery: {project: p}", '{json_keyfile: "%s"}', "credentials"),
    ],
)
def test_a_key_is_masked_also_in_the_form_that_its_connector_takes(sail_shop, section, data, option):
    key = f"-----BEGIN PRIVATE KEY-----\\n{option[:5]}Body0\\nSecondLine\\n-----END PRIVATE KEY-----\\n"
    declare(sail_shop, section, data % key)
    request = ReadRequest(target("dataos://store:s/t"))
    given = store_of(sail_shop, request).connector.describe(request).secrets[option].get_secret_value()
    assert redact(f"|{given}|") == "|***|"


@pytest.mark.parametrize(
    ("section", "data", "connectors"),
    [
        ("snowflake: {url: h, database: D, warehouse: W}", LOGIN, "snowflake"),
        ("bigquery: {project: p}", "{json_keyfile: k}", "bigquery"),
        (
            "redshift: {host: h, database: d, bucket: b, relativePath: t}",
            "{username: ann, password: word, awsaccesskeyid: k, awssecretaccesskey: s}",
            "redshift,redshift-jdbc,hadoop-aws",
        ),
        ("mongodb: {nodes: [h]}", LOGIN, "mongodb"),
        ("elasticsearch: {nodes: [h]}", LOGIN, "elasticsearch"),
        ("opensearch: {nodes: [h]}", LOGIN, "opensearch"),
        ("pulsar: {serviceUrl: 'pulsar://h:6650'}", "{token: word}", "pulsar"),
        (
            "eventhub: {endpoint: 'sb://h.servicebus.windows.net/'}",
            "{eh_shared_access_key_name: n, eh_shared_access_key: k}",
            "kafka",
        ),
        ("kafka: {brokers: ['h:9092']}", LOGIN, "kafka"),
        ("sqlserver: {host: h, database: d}", LOGIN, "sqlserver"),
        ("databricks: {host: h, params: {httpPath: /sql}}", "{password: word}", "databricks"),
    ],
)
def test_the_check_says_how_to_get_what_each_store_needs(sail_shop, monkeypatch, tmp_path, section, data, connectors):
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path / "empty"))
    declare(sail_shop, section, data)
    status = sail_shop.door.check("store")
    assert status.status == "unsupported"
    assert all(f"{name} ({coordinate_of(name)})" in status.detail for name in connectors.split(","))
    assert status.detail.endswith(f"not installed (dataos engines install spark --with {connectors})")


def test_the_check_names_a_missing_connector_and_how_to_get_it(sail_shop, monkeypatch, tmp_path):
    declare(sail_shop, "oracle: {host: 127.0.0.1, port: 1, service: s}")
    with monkeypatch.context() as empty:
        empty.setenv("DATAOS_CACHE", str(tmp_path / "empty"))
        status = sail_shop.door.check("store")
    assert status.status == "unsupported"
    assert f"oracle ({coordinate_of('oracle')}) is not installed" in status.detail
    assert "dataos engines install spark --with oracle" in status.detail
    monkeypatch.setattr("dataos_dagster.depots.spark_connectors.is_cached", lambda _: True)
    assert "depot 'store' does not answer: 127.0.0.1:1: Connection refused" in sail_shop.door.check("store").detail
    with socket.create_server(("127.0.0.1", 0)) as server:
        declare(sail_shop, f"oracle: {{host: 127.0.0.1, port: {server.getsockname()[1]}, service: s}}")
        status = sail_shop.door.check("store")
    assert status.status == "active"
    assert "accepts connections; connector oracle; credentials are tried by the first job" in status.found


def test_on_sail_such_a_depot_is_refused_with_where_to_run_the_job(sail_shop):
    declare(sail_shop, "mysql: {host: h, database: d}")
    request = ReadRequest(target("dataos://store:db/t"))
    session = sail_shop.sessions.get(SAIL)
    with pytest.raises(DepotUnsupported, match="Sail has no connector for mysql") as refused:
        store_of(sail_shop, request).read(request, session)
    assert "--engine spark" in refused.value.hint
