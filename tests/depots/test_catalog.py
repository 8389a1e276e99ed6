"""Which depots a project has, which credentials they open with, and what is said of those that cannot be read."""

from __future__ import annotations

import pytest
from depot_shop import target

from dataos_dagster.depots.catalog import DepotCatalog
from dataos_dagster.depots.door import Door, ReadRequest
from dataos_dagster.errors import DepotNotFound, DepotUnsupported, SecretNotFound
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings


@pytest.fixture
def catalog(tmp_path):
    """Return the depots of manifests that a test writes."""

    def build(*manifests: str, settings: str = "") -> DepotCatalog:
        for number, text in enumerate(manifests):
            (tmp_path / f"{number}.yaml").write_text(text)
        (tmp_path / "dataos.yaml").write_text(settings)
        found = load_settings(tmp_path)
        project = load_project(tmp_path, settings=found, use_cache=False, environment={})
        return DepotCatalog.from_project(project, found, environment={})

    return build


def depot(name: str, body: str) -> str:
    return f"name: {name}\nversion: v2alpha\ntype: depot\ndepot:\n{body}"


def test_every_project_has_a_lakehouse_under_both_names(catalog, tmp_path):
    depots = catalog()
    assert [found.name for found in depots] == ["lakehouse"]
    assert depots.find("icebase") is depots.find("LakeHouse")
    assert depots.find("lakehouse").connection.path == str(tmp_path / ".dataos" / "lakehouse")


def test_a_manifest_of_its_name_takes_the_lakehouses_place(catalog):
    depots = catalog(depot("icebase", "  type: file\n  file: {path: ./mine, format: ICEBERG}\n"))
    assert depots.find("lakehouse").location is not None
    assert depots.find("lakehouse").is_lakehouse


def test_settings_put_a_catalog_in_front_of_a_depot_or_make_one(catalog):
    settings = "catalogs: {shoplake: {uri: 'http://a'}, other: {uri: 'http://b'}}\n"
    s3 = depot("shoplake", "  type: S3\n  s3: {bucket: b, format: ICEBERG}\n")
    depots = catalog(s3, settings=settings)
    assert depots.find("shoplake").catalog.uri == "http://a"
    assert depots.find("shoplake").type == "s3"
    assert depots.find("other").is_lakehouse


def test_a_lakehouse_manifest_makes_a_depot(catalog):
    text = """
name: shoplake
version: v1alpha
type: lakehouse
workspace: public
lakehouse:
  type: iceberg
  iceberg:
    storage: {depotName: shopstore, type: s3, s3: {bucket: b, relativePath: /x, scheme: s3a}}
"""
    found = catalog(text).find("shopstore")
    assert (found.type, found.is_lakehouse, found.connection.bucket) == ("s3", True, "b")


def test_an_unknown_depot_is_named_with_the_nearest(catalog):
    with pytest.raises(DepotNotFound, match="no depot is named 'lakehous'") as missing:
        catalog().find("lakehous")
    assert missing.value.hint == "did you mean 'lakehouse'?"


SECRET = """
name: shopdb-r
version: v1
type: instance-secret
instance-secret: {type: key-value-properties, acl: r, data: {username: reader, password: secret-one}}
"""
DATABASE = "  type: POSTGRESQL\n  postgresql: {host: h, database: d}\n  secrets: [{name: shopdb-r, allkeys: true}]\n"


def test_a_reader_never_writes(catalog):
    depots = catalog(depot("shopdb", DATABASE), SECRET)
    found = depots.find("shopdb")
    assert depots.credentials(found, "r")["username"].get_secret_value() == "reader"
    with pytest.raises(SecretNotFound, match=r"depot 'shopdb' needs an rw secret for a write; found: shopdb-r \(r\)"):
        depots.credentials(found, "rw")


def test_inline_credentials_are_read_from_values_and_files(catalog, tmp_path):
    (tmp_path / "key").write_text("from a file")
    text = """
name: shopdb
version: v1
type: depot
depot:
  type: POSTGRESQL
  spec: {host: h, database: d, port: 5432}
  connectionSecret: [{acl: rw, type: key-value-properties, data: {username: u}, files: {password: ./key}}]
"""
    depots = catalog(text)
    found = depots.credentials(depots.find("shopdb"), "rw")
    assert found["password"].get_secret_value() == "from a file"
    (tmp_path / "key").unlink()
    with pytest.raises(SecretNotFound, match=r"takes 'password' from \./key, which cannot be read"):
        depots.credentials(depots.find("shopdb"), "r")


def test_a_database_of_the_platform_is_no_source_yet_and_says_so_at_the_check_and_at_use(catalog):
    door = Door(catalog("name: shop\nversion: v1\ntype: database\ndatabase: {}\n"))
    status = door.check("shopdatabase")
    assert status.status == "unsupported"
    assert "planned: " in status.detail
    with pytest.raises(DepotUnsupported, match="not read or written yet") as refused:
        door.requirements([ReadRequest(target("dataos://shopdatabase:a/b"))])
    assert refused.value.location.line == 1
