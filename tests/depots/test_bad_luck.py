"""Processes that are killed, disks that are full, writers that meet: a dataset is as before or as after, never between."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dataos_dagster.errors import DataOSError, EngineCrashed, WriteFailed

WRITER = Path(__file__).parents[1] / "builders" / "kill_a_writer.py"
TABLE = "dataos://lakehouse:sales/orders"
FILES = "dataos://shopfiles:out/orders"
SEED = 20261122
# How often each writer is killed; `make kills` does it more often than a build has time for.
KILLS = int(os.environ.get("DATAOS_KILLS", "3"))


def start_writer(shop, address, format_, mode, first):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(WRITER.parents[1] / name) for name in ("engines", "builders"))
    }
    process = subprocess.Popen(
        [sys.executable, WRITER, shop.root, address, format_, mode, str(first)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    return process, int(process.stdout.readline())


def rounds(shop, address, format_):
    """Return how many rows each round has; nothing while nothing was committed."""
    try:
        found = shop.frame(address, format=format_).groupBy("round").count().collect()
    except DataOSError:
        return {}
    return {row["round"]: row["count"] for row in found}


@pytest.mark.parametrize(
    ("address", "format_", "mode"),
    [
        (TABLE, "iceberg", "overwrite"),
        (TABLE, "iceberg", "append"),
        (FILES, "parquet", "overwrite"),
        (FILES, "parquet", "append"),
    ],
    ids=["iceberg-overwrite", "iceberg-append", "parquet-overwrite", "parquet-append"],
)
@pytest.mark.parametrize("victim", ["ours", "engine"])
def test_a_kill_at_any_moment_leaves_whole_rounds_and_the_next_write_succeeds(
    sail_shop, address, format_, mode, victim
):
    chance = random.Random(f"{SEED}{address}{mode}{victim}")
    first = 0
    for _ in range(KILLS):
        process, engine = start_writer(sail_shop, address, format_, mode, first)
        time.sleep(chance.uniform(0.0, 0.6))
        os.kill(process.pid if victim == "ours" else engine, signal.SIGKILL)
        if victim == "engine":
            # Between two writes nobody notices, and the next one starts another engine.
            time.sleep(1)
            process.kill()
        process.wait(30)
        process.stdout.close()
        found = rounds(sail_shop, address, format_)
        assert set(found.values()) <= {2000}
        assert mode == "append" or len(found) <= 1
        first = max(found, default=-1) + 1
        sail_shop.write(f"SELECT id, CAST({first} AS BIGINT) AS round FROM range(2000)", address, mode, format=format_)
        after = rounds(sail_shop, address, format_)
        assert after == ({first: 2000} if mode == "overwrite" else found | {first: 2000})
        first += 1
    if path := os.environ.get("DATAOS_KILLS_RESULTS"):
        Path(path).write_text(json.dumps({"kills": KILLS, "torn or refused": 0}), "utf-8")


def test_an_engine_that_is_killed_under_a_write_is_named_and_the_table_stays(project):
    from depot_shop import Shop

    from dataos_dagster.engines.session import Sessions

    with Sessions() as own:
        shop = Shop(project, "sail", own)
        shop.write("SELECT CAST(1 AS BIGINT) AS id", TABLE)
        engine = shop.session().process
        threading.Timer(0.5, lambda: os.kill(engine.pid, signal.SIGKILL)).start()
        slow = "SELECT a.id * b.id AS id FROM range(100000) a CROSS JOIN range(20000) b ORDER BY 1"
        with pytest.raises(EngineCrashed, match="SIGKILL") as crashed:
            shop.write(slow, TABLE)
        assert crashed.value.retryable
        assert shop.rows(TABLE) == [(1,)]
        assert shop.write("SELECT CAST(2 AS BIGINT) AS id", TABLE).rows == 1


@pytest.mark.parametrize(("address", "format_"), [(TABLE, "iceberg"), (FILES, "parquet"), (FILES, "csv")])
def test_a_full_disk_fails_the_write_and_keeps_the_rows(project, address, format_):
    from depot_shop import Shop

    from dataos_dagster.engines.session import Sessions

    with Sessions() as own:
        shop = Shop(project, "sail", own)
        shop.write("SELECT CAST(1 AS BIGINT) AS id, 'x' AS note", address, format=format_)
        before = shop.rows(address, format=format_)
        # No file of the engine may grow beyond 300 kB: what it meets is what a full disk gives.
        resource.prlimit(shop.session().process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
        with pytest.raises((WriteFailed, EngineCrashed)):
            shop.write("SELECT id, concat(uuid(), uuid(), uuid()) AS note FROM range(300000)", address, format=format_)
    with Sessions() as fresh:
        shop = Shop(project, "sail", fresh)
        assert shop.rows(address, format=format_) == before
        shop.write("SELECT CAST(2 AS BIGINT) AS id, 'y' AS note", address, "append", format=format_)
        assert len(shop.rows(address, format=format_)) == 2


def test_a_full_disk_under_spark_fails_the_write_and_keeps_the_rows(spark_shop):
    spark_shop.write("SELECT CAST(1 AS BIGINT) AS id, 'x' AS note", TABLE)
    before = spark_shop.rows(TABLE)
    process = spark_shop.session().process.pid
    limits = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
    try:
        with pytest.raises(WriteFailed, match="File too large"):
            spark_shop.write("SELECT id, concat(uuid(), uuid(), uuid()) AS note FROM range(300000)", TABLE)
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, limits)
    assert spark_shop.rows(TABLE) == before
    assert spark_shop.write("SELECT CAST(2 AS BIGINT) AS id, 'y' AS note", TABLE, "append").rows == 1


def test_a_full_disk_for_our_own_files_fails_the_write_and_keeps_the_rows(sail_shop):
    sail_shop.write("SELECT 1 AS id", TABLE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(WriteFailed, match="lock file"):
            sail_shop.write("SELECT 2 AS id", TABLE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sail_shop.rows(TABLE) == [(1,)]


@pytest.mark.parametrize(("address", "format_"), [(TABLE, "iceberg"), (FILES, "parquet"), (FILES, "json")])
def test_many_writers_at_once_lose_nothing(sail_shop, address, format_):
    errors = []

    def append(number):
        try:
            sail_shop.write(
                f"SELECT CAST({number} AS BIGINT) AS round FROM range(100)", address, "append", format=format_
            )
        except DataOSError as error:
            errors.append(error)

    sail_shop.session()
    threads = [threading.Thread(target=append, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert rounds(sail_shop, address, format_) == dict.fromkeys(range(6), 100)
