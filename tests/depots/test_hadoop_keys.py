"""Credentials of buckets among the properties of Hadoop that a job without a depot gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from dataos_dagster.depots.hadoop_keys import with_keys
from dataos_dagster.depots.lakehouse.configuration import requirements as lakehouse_requirements
from dataos_dagster.depots.lakehouse.tables import Warehouse
from dataos_dagster.depots.object_stores import requirements
from dataos_dagster.depots.storage import Place

TEMPORARY = {"fs.s3a.access.key": "AK", "fs.s3a.secret.key": "SK", "fs.s3a.session.token": "TOKEN"}


def opened(**properties):
    place = Place.parse("s3a://lake/raw", base=Path("/"))
    return with_keys(place, {name: SecretStr(value) for name, value in properties.items()}, Path("/"))


@pytest.mark.parametrize(
    ("properties", "endpoint", "encrypted"),
    [
        ({"fs.s3a.endpoint": "minio:9000"}, "https://minio:9000", "true"),
        ({"fs.s3a.endpoint": "minio:9000", "fs.s3a.connection.ssl.enabled": "false"}, "http://minio:9000", "false"),
        (
            {"fs.s3a.endpoint": "minio:9000", "fs.s3a.connection.ssl.enabled": "false"}
            | {"fs.s3a.bucket.lake.connection.ssl.enabled": "true"},
            "https://minio:9000",
            "true",
        ),
        ({"fs.s3a.endpoint": "https://minio", "fs.s3a.connection.ssl.enabled": "false"}, "https://minio", "true"),
    ],
)
def test_an_endpoint_without_a_scheme_is_encrypted_unless_the_job_says_no(properties, endpoint, encrypted):
    place = opened(**properties)
    assert place.s3.endpoint == endpoint
    conf = requirements(place).conf["spark"]
    assert conf["spark.hadoop.fs.s3a.bucket.lake.endpoint"] == endpoint
    assert conf["spark.hadoop.fs.s3a.bucket.lake.connection.ssl.enabled"] == encrypted


def test_temporary_keys_keep_their_token_on_every_way_to_the_bucket():
    place = opened(**TEMPORARY)
    assert place.s3.session_token == SecretStr("TOKEN")
    found = requirements(place)
    assert found.secret_conf["spark"]["spark.hadoop.fs.s3a.bucket.lake.session.token"] == SecretStr("TOKEN")
    assert found.environment["sail"]["AWS_SESSION_TOKEN"] == SecretStr("TOKEN")
    tables = lakehouse_requirements(Warehouse.standalone(place))
    assert any(key.endswith("fs.s3a.bucket.lake.session.token") for key in tables.secret_conf["spark"])
    assert "TOKEN" not in repr(place)


def test_a_store_whose_buckets_are_hosts_is_not_asked_for_paths():
    place = opened(**{"fs.s3a.endpoint": "https://store", "fs.s3a.path.style.access": "false"})
    found = requirements(place)
    assert found.conf["spark"]["spark.hadoop.fs.s3a.bucket.lake.path.style.access"] == "false"
    assert found.environment["sail"]["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] == SecretStr("true")
    assert place.s3.filesystem() is not None
