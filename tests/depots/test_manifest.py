"""Depots of both generations, lakehouses and databases as they are written."""

from __future__ import annotations

import pytest

from dataos_dagster.depots.manifest import CREDENTIAL_KEYS, PostgresqlConnection
from dataos_dagster.depots.manifest.sources import SOURCE_TYPES
from dataos_dagster.manifests.diagnostics import Severity


def depot(body: str, *, version: str = "v2alpha") -> str:
    return f"name: ferries\nversion: {version}\ntype: depot\ndepot: {body}"


@pytest.fixture
def read(project_of):
    def load(text, **options):
        project = project_of(text, **({"allow_placeholders": True} | options))
        said = [found for found in project.diagnostics if found.severity is not Severity.INFO]
        return (project.resources[0].section if project.resources else None), said

    return load


def codes(diagnostics):
    return [found.code for found in diagnostics]


CONNECTIONS = {
    "file": "{path: ./data, format: csv}",
    "s3": "{bucket: b, relativePath: /x, format: ICEBERG, scheme: s3a, region: r, endpoint: e}",
    "abfss": "{account: a, container: c, relativePath: /x, endpointSuffix: windows.net, icebergCatalogType: Hadoop, metastoreType: rest, metastoreUrl: u}",
    "wasbs": "{account: a, container: c}",
    "gcs": "{bucket: b}",
    "jdbc": "{subprotocol: db2, host: h, port: 1, database: d, params: {a: 1}}",
    "postgresql": "{host: h, database: d, params: {sslmode: disable}}",
    "mysql": "{host: h, port: 3306, params: {tls: skip-verify}}",
    "sqlserver": "{host: h, database: d, params: {encrypt: false}}",
    "oracle": "{subprotocol: 'oracle:thin', host: h, port: 1521, service: s}",
    "redshift": "{host: h, port: 5439, database: d, bucket: b, relativePath: /x}",
    "databricks": "{host: h, params: {httpPath: /sql, ssl: 1}}",
    "snowflake": "{warehouse: w, url: u, database: d, account: a, role: r}",
    "bigquery": "{project: p, params: {a: b}}",
    "mongodb": "{subprotocol: mongodb, nodes: ['h:27017'], params: {tls: true}}",
    "elasticsearch": "{nodes: ['h:9200']}",
    "opensearch": "{nodes: 'h:9200'}",
    "kafka": "{brokers: ['h:9092'], schemaRegistryUrl: u}",
    "pulsar": "{adminUrl: a, serviceUrl: s, tenant: system}",
    "eventhub": "{endpoint: 'sb://n.servicebus.windows.net/'}",
}


def test_every_source_type_has_an_example_here():
    assert set(CONNECTIONS) == set(SOURCE_TYPES) == set(CREDENTIAL_KEYS)


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_every_source_type_is_read_in_the_present_form(read, kind):
    section, found = read(depot(f"{{type: {kind}, external: true, {kind}: {CONNECTIONS[kind]}}}"))

    assert found == []
    assert section.type == kind
    assert section.connection is getattr(section, kind)
    assert section.connection is not None


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_every_source_type_is_read_in_the_older_form(read, kind):
    section, found = read(depot(f"{{type: {kind.upper()}, external: true, spec: {CONNECTIONS[kind]}}}", version="v1"))

    assert found == []
    assert section.type == kind
    assert section.connection == read(depot(f"{{type: {kind}, {kind}: {CONNECTIONS[kind]}}}"))[0].connection


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{type: POSTGRES, postgresql: {host: h, database: d}}", "postgresql"),
        ("{type: JDBC, postgresql: {host: h, database: d}}", "postgresql"),
        ("{type: jdbc, jdbc: {subprotocol: postgresql, host: h}}", "postgresql"),
        ("{type: postgresql, jdbc: {subprotocol: postgresql, host: h}}", "postgresql"),
        ("{type: JDBC, spec: {subprotocol: 'sqlserver', host: h}}", "sqlserver"),
        ("{type: JDBC, spec: {subprotocol: 'oracle:thin', host: h}}", "oracle"),
        ("{type: JDBC, spec: {subprotocol: databricks-jdbc, host: h}}", "databricks"),
        ("{type: JDBC, spec: {subprotocol: mariadb, host: h}}", "jdbc"),
        ("{type: s3, S3: {bucket: b}}", "s3"),
        ("{type: OPENSEARCH, elasticesearch: {nodes: [h]}}", "opensearch"),
        ("{type: elasticesearch, elasticesearch: {nodes: [h]}}", "elasticsearch"),
        ("{type: BIGQUERY}", "bigquery"),
        ("{type: mssql, jdbc: {subprotocol: sqlserver, host: h}}", "sqlserver"),
        ("{type: s3, s3: {bucket: b}, spec: }", "s3"),
    ],
)
def test_other_names_of_a_source_become_one(read, body, kind):
    section, found = read(depot(body))

    assert found == []
    assert section.type == kind
    assert section.connection is not None


def test_ports_have_the_defaults_of_their_databases(read):
    section, _ = read(depot("{type: postgresql, postgresql: {host: h}}"))

    assert isinstance(section.connection, PostgresqlConnection)
    assert section.connection.port == 5432


def test_an_unknown_type_names_the_nearest(read):
    section, [wrong] = read(depot("{type: postgress, postgresql: {host: h}}"))

    assert section is None
    assert (wrong.code, wrong.hint) == ("unknown-source-type", "did you mean `postgresql`?")


def test_a_missing_connection_is_refused(read):
    _, found = read(depot("{type: s3}"))

    assert codes(found) == ["missing-section"]
    assert "`s3`" in found[0].message


def test_two_connections_are_refused(read):
    _, found = read(depot("{type: s3, s3: {bucket: b}, spec: {bucket: c}}"))

    assert codes(found) == ["conflicting-keys"]


def test_connection_fields_in_the_depot_itself_are_moved(read):
    section, found = read(depot("{type: JDBC, subprotocol: postgresql, host: h, port: 5432, database: d}"))

    assert set(codes(found)) == {"misplaced-key"}
    assert (section.type, section.connection.host) == ("postgresql", "h")


def test_keys_of_the_envelope_in_the_depot_are_moved(project_of):
    project = project_of(depot("{type: s3, owner: mira, s3: {bucket: b}}"))

    assert codes(project.diagnostics) == ["misplaced-key"]
    assert project.resources[0].envelope.owner == "mira"


def test_a_misplaced_value_is_reported_where_it_was_written(read):
    _, [wrong] = read(
        "name: a\nversion: v1\ntype: depot\ndepot:\n  type: JDBC\n  spec:\n    subprotocol: mysql\n    host: h\n    port: x"
    )

    assert (wrong.code, wrong.line, wrong.column) == ("wrong-type", 9, 11)


class TestSecrets:
    @pytest.mark.parametrize("key", ["secrets", "dataosSecrets", "secret"])
    def test_references_have_three_names(self, read, key):
        section, found = read(depot(f"{{type: s3, s3: {{bucket: b}}, {key}: [{{name: ferries-r, allkeys: true}}]}}"))

        assert codes(found) == ["unknown-secret"] if key == "secrets" else ["old-form", "unknown-secret"]
        assert section.secrets[0].all_keys

    def test_a_reference_may_be_a_name(self, read):
        section, _ = read(depot("{type: s3, s3: {bucket: b}, secrets: ferries-r}"))

        assert section.secrets[0].name == "ferries-r"

    def test_its_own_name_as_the_key_means_all_keys(self, read):
        section, _ = read(
            depot("{type: s3, s3: {bucket: b}, secrets: [{name: a-r, keys: [a-r]}, {name: b, keys: [k]}]}")
        )

        assert [reference.selected for reference in section.secrets] == [None, ("k",)]

    def test_inline_credentials_are_secret_and_told(self, read):
        section, found = read(
            depot(
                "{type: JDBC, spec: {subprotocol: mysql, host: h}, connectionSecret: [{acl: rw, data: {username: u, password: geheim}}]}"
            )
        )

        assert codes(found) == ["inline-credentials"]
        assert section.connection_secrets[0].data["password"].get_secret_value() == "geheim"
        assert "geheim" not in repr(section)

    @pytest.mark.parametrize(
        "entry", ["{acl: r, values: {username: u, password: p}}", "{acl: r, username: u, password: p}"]
    )
    def test_other_places_of_inline_credentials_are_read(self, read, entry):
        section, found = read(depot(f"{{type: mysql, mysql: {{host: h}}, connectionSecret: [{entry}]}}"))

        assert set(codes(found)) <= {"old-form", "misplaced-key", "inline-credentials"}
        assert set(section.connection_secrets[0].data) == {"username", "password"}

    def test_the_first_missing_key_is_named(self, read):
        _, found = read(depot("{type: mysql, mysql: {host: h}, connectionSecret: [{data: {username: u}}]}"))

        assert codes(found) == ["inline-credentials", "missing-credential"]
        assert "`password`" in found[1].message

    @pytest.mark.parametrize("kind", ["s3", "snowflake"])
    def test_there_are_several_ways_to_authenticate(self, kind):
        for way in CREDENTIAL_KEYS[kind].required:
            assert CREDENTIAL_KEYS[kind].missing(way) is None


class TestManagedStores:
    def test_a_lakehouse_is_read(self, read):
        section, found = read("""
            name: dock
            version: v1alpha
            type: lakehouse
            lakehouse:
              type: iceberg
              compute: runnable-default
              iceberg:
                storage:
                  type: s3
                  s3: {bucket: b, relativePath: /x}
                  secrets: [{name: dock-r, allkeys: true}]
                metastore: {type: iceberg-rest-catalog}
              queryEngine: {type: themis}
        """)

        assert [code for code in codes(found) if code != "no-effect"] == ["unknown-secret", "misplaced-key"]
        assert section.depot_name("dock", "public") == "dock0public0storage"
        assert section.iceberg.storage.connection.bucket == "b"
        assert section.iceberg.query_engine == {"type": "themis"}

    def test_a_storage_without_its_section_is_refused(self, read):
        text = "name: a\nversion: v1alpha\ntype: lakehouse\nlakehouse: {iceberg: {storage: {type: s3}}}"

        assert codes(read(text, allow_placeholders=False)[1]) == ["missing-section"]

    def test_a_database_is_read(self, read):
        section, found = read(
            "name: a\nversion: v1\ntype: database\ndatabase: {migrate: {includes: [./migrations], command: UP}, manageAsUser: mira}"
        )

        assert [each.code for each in found] == ["no-effect"]
        assert section.migrate.command == "up"
