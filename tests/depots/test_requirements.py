"""What several requests need of one session."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from dataos_dagster.address import Address
from dataos_dagster.depots.access import S3Access
from dataos_dagster.depots.door import Door, ReadRequest, Target, WriteRequest, beside
from dataos_dagster.depots.lakehouse.configuration import requirements
from dataos_dagster.depots.lakehouse.tables import Warehouse
from dataos_dagster.depots.requests import Requirements
from dataos_dagster.depots.requirements import join, session_configuration, veto
from dataos_dagster.depots.storage import Place
from dataos_dagster.settings import CatalogSettings

KEYS = S3Access(SecretStr("the-key"), SecretStr("the-secret"), "http://127.0.0.1:7070", "eu-west-1")


def catalog(name, s3=KEYS):
    return requirements(Warehouse(name, None, CatalogSettings(uri=f"http://{name}", token=SecretStr("the-token")), s3))


def test_a_catalog_is_configured_without_a_secret_in_the_open():
    found = catalog("lake")
    assert found.conf["spark"]["spark.sql.catalog.lake.uri"] == "http://lake"
    assert found.secret_conf["spark"]["spark.sql.catalog.lake.s3.secret-access-key"] == SecretStr("the-secret")
    for secret in ("the-key", "the-secret", "the-token"):
        assert secret not in repr(found)
        assert secret not in repr(session_configuration("spark", found))


def test_two_catalogs_stand_in_one_list_of_sail():
    found = join([catalog("one"), catalog("two"), catalog("one")])
    assert found.vetoes == {}
    listed = found.environment["sail"]["SAIL_CATALOG__LIST"].get_secret_value()
    assert listed.count("iceberg-rest") == 2
    assert listed.startswith('[{type="memory", name="sail"')


def test_two_identities_veto_sail_only():
    other = S3Access(SecretStr("another"), SecretStr("x"), KEYS.endpoint, KEYS.region)
    found = join([catalog("one"), catalog("two", other)])
    assert list(found.vetoes) == ["sail"]
    assert "more than one identity" in found.vetoes["sail"][0]


def test_secret_properties_of_a_catalog_are_no_open_configuration():
    rest = CatalogSettings(uri="http://lake", properties={"credential": "hush-hush", "s3.endpoint": "http://s3"})
    found = requirements(Warehouse("lake", None, rest, KEYS))
    assert found.secret_conf["spark"]["spark.sql.catalog.lake.credential"] == SecretStr("hush-hush")
    assert "spark.sql.catalog.lake.credential" not in found.conf["spark"]
    assert "hush-hush" not in repr(found)


def test_sail_is_vetoed_for_properties_of_a_catalog_that_it_is_not_given():
    given = {"credential": "hush-hush", "s3.endpoint": "http://s3", "type": "rest", "rest.sigv4-enabled": "true"}
    found = requirements(Warehouse("lake", None, CatalogSettings(uri="http://lake", properties=given), KEYS))
    assert found.vetoes["sail"] == (
        "Sail's REST catalog does not follow catalogs.lake.properties: credential",
        "Sail's REST catalog does not follow catalogs.lake.properties: rest.sigv4-enabled",
    )


@pytest.mark.parametrize("other", [S3Access(None, None, None, "eu-west-1"), S3Access(None, None, None, None)])
def test_a_bucket_without_keys_is_not_opened_with_those_of_another_one(other):
    found = join([catalog("one"), catalog("two", other)])
    assert "more than one identity" in found.vetoes["sail"][0]
    assert join([catalog("one"), catalog("two", None)]).vetoes == {}


def test_a_bucket_is_opened_by_keys_of_its_own_on_spark():
    found = requirements(Warehouse("lake", Place("bucket/base", KEYS), s3=KEYS))
    assert found.conf["spark"]["spark.hadoop.fs.s3a.bucket.bucket.endpoint"] == "http://127.0.0.1:7070"
    assert found.secret_conf["spark"]["spark.hadoop.fs.s3a.bucket.bucket.access.key"] == SecretStr("the-key")


def test_parts_that_want_different_values_of_one_setting_are_refused():
    one = Requirements(conf={"spark": {"k": "1", "same": "x"}}, secret_conf={"spark": {"s": SecretStr("a-word")}})
    other = Requirements(conf={"spark": {"k": "2", "same": "x"}}, secret_conf={"spark": {"s": SecretStr("b-word")}})
    assert join([one, one]).vetoes == {}
    assert join([one, other]).vetoes == {
        "spark": (
            "parts of the job need different values of k, and a session has one",
            "parts of the job need different values of s, and a session has one",
        )
    }


def test_reasons_are_told_once():
    assert join([veto("sail", "a"), veto("sail", "a", "b"), veto("spark")]).vetoes == {"sail": ("a", "b")}


def test_what_a_session_writes_to_is_read_with_the_credentials_for_writing():
    address, other = Address.parse("dataos://shopdb:public/orders"), Address.parse("dataos://lake:shop/orders")
    writes = [WriteRequest(Target(Address.parse("dataos://shopdb:public/daily")), mode="append")]
    assert beside(ReadRequest(Target(address)), writes).acl == "rw"
    assert beside(ReadRequest(Target(other)), writes).acl == "r"


@pytest.mark.parametrize("acl", ["r", "rw"])
def test_a_read_opens_the_depot_with_the_credentials_that_were_planned(monkeypatch, acl):
    opened = []

    class Opened(Exception):
        pass

    def store_of(_, request, acl):
        opened.append(acl)
        raise Opened

    monkeypatch.setattr("dataos_dagster.depots.opening.Opener.store_of", store_of)
    request = ReadRequest(Target(Address.parse("dataos://shopdb:public/orders")), acl=acl)
    with pytest.raises(Opened):
        Door(None).read(request, None, None)
    assert opened == [acl]
