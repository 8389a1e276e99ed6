"""The real servers come up, do their work, and are really the ones that tests think they are."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from servers import ENGINES
from servers.process import ServerFailed, ServerProcess, port_is_open

INSTALL = Path(__file__).parent / "install.py"


def test_postgresql_gives_each_test_an_empty_database(postgresql):
    first, second = postgresql.create_database(), postgresql.create_database()
    postgresql.execute("CREATE TABLE t (a int)", database=first)
    assert postgresql.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=second) == [(0,)]


def test_postgresql_refuses_a_wrong_password(postgresql):
    url = postgresql.url(driver="postgresql").replace(postgresql.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_s3_lists_what_was_put(s3):
    bucket = s3.create_bucket("listing")
    s3.put(bucket, "2024/orders.csv", b"id\n1\n")
    assert list(s3.keys(bucket, "2024/")) == ["2024/orders.csv"]
    assert s3.create_bucket("listing") == bucket


def test_s3_refuses_a_wrong_key(s3):
    import boto3
    from botocore.exceptions import ClientError

    stranger = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key="x",
        region_name=s3.region,
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_buckets()


def test_the_rest_catalog_keeps_its_tables_in_the_bucket(iceberg_rest, s3):
    catalog = load_catalog("lake", **iceberg_rest.pyiceberg_properties)
    catalog.create_namespace("shop")
    table = catalog.create_table("shop.orders", pa.schema([("id", pa.int64())]))
    table.append(pa.table({"id": [1, 2]}))
    assert catalog.load_table("shop.orders").scan().to_arrow()["id"].to_pylist() == [1, 2]
    assert any(key.endswith(".parquet") for key in s3.keys("warehouse", "shop/orders/data/"))


def test_kafka_gives_back_what_was_written_and_holds_it_while_it_is_down(kafka):
    topic = kafka.create_topic(partitions=2)
    assert kafka.produce(topic, [f"m{n}" for n in range(20)]) == 20
    assert sorted(value for _, value in kafka.consume(topic)) == sorted(f"m{n}".encode() for n in range(20))
    kafka.down()
    assert not port_is_open(kafka.port)
    kafka.up()
    assert len(kafka.consume(topic)) == 20


def test_kafka_asks_for_the_password_on_its_other_listener(kafka):
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    def listed(password: str) -> int:
        account = {"sasl.mechanism": "PLAIN", "sasl.username": kafka.username, "sasl.password": password}
        settings = {"bootstrap.servers": kafka.sasl_bootstrap, "security.protocol": "SASL_PLAINTEXT", "log_level": 0}
        return len(AdminClient(settings | account).list_topics(timeout=3).brokers)

    assert listed(kafka.password) == 1
    with pytest.raises(KafkaException):
        listed("wrong")


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path):
    server = ServerProcess.start("broken", [sys.executable, "-c", "exit('no such option')"], log=tmp_path / "log")
    with pytest.raises(ServerFailed, match=r"broken ended with 1:\nno such option"):
        server.wait_until(lambda: False)


def test_a_server_that_never_answers_is_stopped(tmp_path):
    server = ServerProcess.start("mute", [sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "log")
    with pytest.raises(ServerFailed, match="mute does not answer after 0 s"):
        server.wait_until(lambda: False, seconds=0.2)
    assert server.process.poll() is not None


def test_servers_listen_on_one_loopback_address(postgresql, s3, kafka):
    # A server that listens on all interfaces would answer at 127.0.0.2 as well. The Iceberg REST server has no setting
    # for the interface and is not in this list.
    for port in (postgresql.port, s3.port, kafka.port, kafka.sasl_port):
        assert port_is_open(port)
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_installing_again_changes_nothing():
    present = [name for name in ENGINES if importlib.import_module(f"servers.{ENGINES[name]}").missing() is None]
    for _ in range(2):
        done = subprocess.run([sys.executable, INSTALL, *present], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [f"{name}: present" for name in present]


@pytest.mark.parametrize(("ci", "outcome", "code"), [("", "1 skipped", 0), ("true", "1 error", 1)])
def test_an_engine_that_is_not_installed_skips_with_its_reason_and_fails_in_ci(tmp_path, ci, outcome, code):
    test = f"{__file__}::test_s3_lists_what_was_put"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    variables = {**os.environ, "DATAOS_CACHE": str(tmp_path), "CI": ci}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == code
    assert outcome in done.stdout
    assert "s3: versitygw v1.8.0 is not built; install it with: python tests/engines/install.py s3" in done.stdout


def test_an_unknown_engine_is_refused_with_those_that_exist():
    done = subprocess.run([sys.executable, INSTALL, "oracle"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        "unknown: oracle; there are java, postgresql, mariadb, s3, iceberg_rest, kafka, mongodb, spark_jars, chromium"
        in done.stderr
    )
