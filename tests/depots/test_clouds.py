"""Object stores of Azure and Google, whose servers cannot be had here: the exact properties that Spark is given."""

from __future__ import annotations

import json

import pytest
from depot_shop import target
from pyarrow import fs

from dataos_dagster.depots.access import AzureAccess, GcsAccess
from dataos_dagster.depots.door import ReadRequest, Target, WriteRequest
from dataos_dagster.depots.storage import Place
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import CredentialsRefused, DepotUnsupported

KEY = {"type": "service_account", "client_email": "ann@acme", "private_key": "-----BEGIN", "private_key_id": "k1"}
AZURE_KEY = "a2V5LW9mLXRoZS1hY2NvdW50"
SECRET = """
---
name: keys
version: v1
type: instance-secret
instance-secret: {type: key-value-properties, acl: rw, data: %s}
"""
GS = "spark.hadoop.fs.gs"
AUTH = f"{GS}.auth.service.account"
GCS_CONF = {
    f"{GS}.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
}


def declare(shop, section, data="{}"):
    kind = section.partition(":")[0]
    secrets = "" if data == "{}" else "secrets: [{name: keys}], "
    shop.declare(
        f"name: cloud\nversion: v2alpha\ntype: depot\ndepot: {{type: {kind}, {secrets}{section}}}\n" + SECRET % data,
        "cloud.yaml",
    )


def spark_of(shop, *requests):
    """Return properties, secret properties and packages, without what every Spark has."""
    needed = shop.door.requirements(requests or [ReadRequest(target("dataos://cloud:raw/orders"), format="orc")])
    conf = {key: value for key, value in needed.conf["spark"].items() if key != "spark.sql.extensions"}
    secret = {key: value.get_secret_value() for key, value in needed.secret_conf["spark"].items()}
    return conf, secret, set(needed.packages) - {coordinate_of("iceberg")}


def url_of(shop, address="dataos://cloud:raw/orders"):
    request = ReadRequest(target(address), format="csv")
    return shop.door._opener.store_of(request, "r").place(request).url("spark")


@pytest.mark.parametrize(
    ("section", "data", "url", "property_"),
    [
        (
            "abfss: {account: acme, container: lake, relativePath: /base/}",
            f"{{azurestorageaccountname: acme, azurestorageaccountkey: {AZURE_KEY}}}",
            "abfss://lake@acme.dfs.core.windows.net/base/raw/orders",
            "spark.hadoop.fs.azure.account.key.acme.dfs.core.windows.net",
        ),
        (
            "abfss: {account: acme, container: lake, endpointSuffix: core.chinacloudapi.cn}",
            f"{{azurestorageaccountname: acme, azurestorageaccountkey: {AZURE_KEY}}}",
            "abfss://lake@acme.dfs.core.chinacloudapi.cn/raw/orders",
            "spark.hadoop.fs.azure.account.key.acme.dfs.core.chinacloudapi.cn",
        ),
        (
            "wasbs: {account: acme, container: lake}",
            f"{{azurestorageaccountkey: {AZURE_KEY}, azurestorageaccountname: acme, azureendpointsuffix: usgovcloudapi.net}}",
            "wasbs://lake@acme.blob.core.usgovcloudapi.net/raw/orders",
            "spark.hadoop.fs.azure.account.key.acme.blob.core.usgovcloudapi.net",
        ),
    ],
)
def test_azure_is_opened_by_the_accounts_key(sail_shop, section, data, url, property_):
    declare(sail_shop, section, data)
    assert spark_of(sail_shop) == ({}, {property_: AZURE_KEY}, {coordinate_of("abfss")})
    assert url_of(sail_shop) == url


def test_azure_without_a_key_is_opened_by_the_machines_identity(sail_shop):
    declare(sail_shop, "abfss: {account: acme, container: lake}")
    assert spark_of(sail_shop) == ({}, {}, {coordinate_of("abfss")})


def test_google_is_opened_by_the_key_of_a_service_account(sail_shop):
    declare(
        sail_shop, "gcs: {bucket: lake, relativePath: base}", f"{{projectid: acme, gcskey_json: '{json.dumps(KEY)}'}}"
    )
    assert spark_of(sail_shop) == (
        GCS_CONF | {f"{GS}.project.id": "acme", f"{AUTH}.enable": "true", f"{AUTH}.email": "ann@acme"},
        {f"{AUTH}.private.key.id": "k1", f"{AUTH}.private.key": "-----BEGIN"},
        {coordinate_of("gcs")},
    )
    assert url_of(sail_shop) == "gs://lake/base/raw/orders"
    needed = sail_shop.door.requirements([ReadRequest(target("dataos://cloud:raw/orders"), format="orc")])
    assert "-----BEGIN" not in repr(needed)


def test_google_without_a_key_is_opened_by_the_machines_identity(sail_shop):
    declare(sail_shop, "gcs: {bucket: lake}")
    assert spark_of(sail_shop) == (GCS_CONF, {}, {coordinate_of("gcs")})


def test_a_key_that_is_none_is_told(sail_shop):
    declare(sail_shop, "gcs: {bucket: lake}", "{gcskey_json: '{}'}")
    with pytest.raises(CredentialsRefused, match="is no JSON key of a service account"):
        spark_of(sail_shop)


def test_a_lakehouse_behind_a_catalog_is_opened_with_the_depots_credentials(sail_shop):
    section = (
        "abfss: {account: acme, container: lake, format: ICEBERG, metastoreType: rest, metastoreUrl: 'http://cat'}"
    )
    declare(sail_shop, section, f"{{azurestorageaccountkey: {AZURE_KEY}, azurestorageaccountname: acme}}")
    sail_shop.door.catalog.find("cloud")
    warehouse = sail_shop.door._opener.store_of(ReadRequest(target("dataos://cloud:raw/orders")), "r").warehouse
    from dataos_dagster.depots.lakehouse.configuration import requirements

    needed = requirements(warehouse)
    catalog = "spark.sql.catalog.cloud"
    assert needed.conf["spark"][f"{catalog}.uri"] == "http://cat"
    assert needed.conf["spark"][f"{catalog}.io-impl"] == "org.apache.iceberg.hadoop.HadoopFileIO"
    assert set(needed.secret_conf["spark"]) == {"spark.hadoop.fs.azure.account.key.acme.dfs.core.windows.net"}
    assert coordinate_of("abfss") in needed.packages


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("gs://lake/raw/orders", Place("lake/raw/orders", GcsAccess())),
        ("abfss://lake@acme.dfs.core.windows.net/raw", Place("lake/raw", AzureAccess("acme"))),
        ("wasbs://lake@acme.blob.core.windows.net/raw", Place("lake/raw", AzureAccess("acme", "wasbs"))),
    ],
)
def test_a_standalone_url_is_a_place_and_its_name(tmp_path, url, place):
    assert Place.parse(url, base=tmp_path) == place
    assert place.url("spark") == place.url("sail") == str(place) == url


@pytest.mark.parametrize("url", ["abfss://lake/raw", "wasbs://acme.blob.core.windows.net/raw", "abfss://c@acme/raw"])
def test_an_azure_url_without_container_or_account_is_told(tmp_path, url):
    with pytest.raises(DepotUnsupported, match="names no container of an Azure account"):
        Place.parse(url, base=tmp_path)


def test_arrow_opens_the_same_places():
    from pydantic import SecretStr

    assert isinstance(AzureAccess("acme", key=SecretStr(AZURE_KEY)).filesystem(), fs.AzureFileSystem)
    assert isinstance(GcsAccess().filesystem(), fs.GcsFileSystem)


def test_a_token_of_google_is_asked_for_once_while_it_holds(monkeypatch):
    from dataclasses import replace
    from datetime import UTC, datetime, timedelta

    from google.oauth2.service_account import Credentials
    from pydantic import SecretStr

    asked = []

    def refreshed(credentials, _):
        asked.append(credentials.service_account_email)
        credentials.token = f"token {len(asked)}"
        credentials.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)

    monkeypatch.setattr(Credentials, "refresh", refreshed)
    account = KEY | {"private_key": _private_key(), "token_uri": "https://oauth2.example/token"}
    place = Place("lake/raw", GcsAccess(SecretStr(json.dumps(account))))
    for each in (place, place.join("orders"), replace(place, path="lake")):
        assert isinstance(each.filesystem, fs.GcsFileSystem)
    assert asked == ["ann@acme"]
    assert "token 1" not in repr(place)
    place.access.tokens._credentials.expiry -= timedelta(minutes=25)
    assert place.filesystem.type_name == "gcs"
    assert len(asked) == 1
    # Who copies files for long could not renew it: a token with less than half of its hour left is given to nobody.
    place.access.tokens._credentials.expiry -= timedelta(minutes=10)
    assert [place.filesystem.type_name for _ in range(2)] == ["gcs", "gcs"]
    assert len(asked) == 2


def _private_key():
    """Return a new key as a service account has it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def test_jobs_go_to_spark_and_say_why(sail_shop):
    for section, said in (
        ("gcs: {bucket: lake}", "Sail is not proven on Google Cloud Storage (gs://lake/raw/orders)"),
        (
            "wasbs: {account: a, container: c}",
            "Sail is not proven on Azure (wasbs://c@a.blob.core.windows.net/raw/orders)",
        ),
    ):
        declare(sail_shop, section)
        request = WriteRequest(target("dataos://cloud:raw/orders"), "append", format="parquet")
        assert sail_shop.door.requirements([request]).vetoes["sail"] == (said,)


def test_two_accounts_of_google_are_not_opened_by_one_session(sail_shop):
    from pydantic import SecretStr

    from dataos_dagster.depots import object_stores
    from dataos_dagster.depots.requirements import join

    keys = [SecretStr(json.dumps(KEY | {"client_email": name})) for name in ("ann", "bob")]
    needed = join([object_stores.requirements(Place("lake", GcsAccess(key))) for key in keys])
    assert "parts of the job need different values" in needed.vetoes["spark"][0]


@pytest.mark.parametrize(
    ("section", "wanted"),
    [
        ("gcs: {bucket: lake}", "gcs"),
        ("abfss: {account: a, container: c}", "abfss"),
        ("wasbs: {account: a, container: c, format: DELTA}", "wasbs"),
        ("gcs: {bucket: lake, format: ICEBERG}", "gcs"),
    ],
)
def test_the_check_says_which_connector_is_missing_and_how_to_get_it(sail_shop, tmp_path, monkeypatch, section, wanted):
    monkeypatch.setenv("DATAOS_CACHE", str(tmp_path / "empty"))
    declare(sail_shop, section)
    status = sail_shop.door.check("cloud")
    assert status.status == "unsupported"
    assert status.detail.endswith(
        f"({coordinate_of(wanted)}) is not installed (dataos engines install spark --with {wanted})"
    )


def test_an_iceberg_table_in_a_bucket_without_a_catalog_is_not_written(sail_shop):
    request = WriteRequest(Target(warehouse="gs://lake/w", namespace="n", table="t"), "append", format="iceberg")
    with pytest.raises(DepotUnsupported, match="in a bucket without a catalog"):
        sail_shop.door._opener.store_of(request, "rw")._refuse_object_store(
            sail_shop.door._opener.store_of(request, "rw").warehouse.table(request.target), request
        )
