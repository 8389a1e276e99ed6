"""Writes that happen exactly once: what a dataset shows of one that was begun when its process died."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from depot_manifests import postgresql_depot
from depot_shop import ANN, target
from sqlalchemy import create_engine, text

from dataos_dagster.depots.door import WriteRequest
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.settlement import Evidence, dataset_of, settled
from dataos_dagster.depots.streams import batch_mark
from dataos_dagster.errors import DataOSError, WriteFailed
from dataos_dagster.settings import Settings
from dataos_dagster.state.database import State
from dataos_dagster.state.intents import Intent

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "dataos://lakehouse:sales/orders"
FILES = "dataos://shopfiles:out/orders"
ROWS = "SELECT CAST(1 AS BIGINT) AS id"
JOB = "public/daily/load"
DELTA = {"format": "delta"}
NEVER_RAN = 2**22 + 1  # above every process number of Linux


class Account:
    """One intended write of a dataset, and the state database that knows of it."""

    def __init__(self, shop, address, mode="append", **options) -> None:
        self.shop, self.address, self.format = shop, address, options.get("format")
        self.state = State.open(Settings(project=shop.root))
        self.request = WriteRequest(target(address), mode, **options)
        self.state.intents.claim(JOB, "", "run-1")
        intent = self.state.intents.plan(Intent(JOB, "", "run-1"), [dataset_of(self.request)])
        self.token = intent.writes[0].token

    @property
    def settled(self) -> WriteRequest:
        return settled(self.request, self.state.intents, self.token)

    def write(self, query=ROWS, request=None):
        session = self.shop.session(self.request)
        return self.shop.door.write(session.spark.sql(query), request or self.settled, session, ANN)

    def write_plainly(self, query=ROWS):
        return self.write(query, settled(self.request, self.state.intents))

    def write_as_stranger(self):
        """Write as a project does that keeps another account."""
        elsewhere = State.open(Settings(project=self.shop.root / "elsewhere"))
        return self.write(request=settled(self.request, elsewhere.intents))

    def begin(self) -> None:
        """Note the write as begun, as if the process had died before it noted the end."""
        evidence = self.shop.door.evidence(self.request)
        marked = not (self.shop.engine == "sail" and self.address == TABLE)
        self.state.intents.begin(self.token, before=evidence.state, marked=marked)

    def die_in_the_lock(self) -> None:
        """Leave the lock as a process does that died while it held it."""
        holder = replace(Holder.this_process("ann", None, self.token), pid=NEVER_RAN)
        [lock] = self.shop.root.rglob("*.orders.lock")
        lock.write_text(json.dumps(asdict(holder)))

    @property
    def status(self) -> str:
        intent = self.state.intents.find(JOB)
        return intent.writes[0].status

    def settle(self) -> str:
        assert self.shop.door.settle(self.settled, ANN)
        return self.status

    def ids(self) -> list[int]:
        return [row[0] for row in self.shop.rows(self.address, format=self.format)]


CASES = [(TABLE, {}), (FILES, {"format": "parquet"}), (FILES, {"format": "csv"})]


@pytest.mark.parametrize(("address", "options"), CASES)
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_write_notes_its_beginning_and_its_end(shop, address, options, mode):
    account = Account(shop, address, mode, **options)
    account.write()
    assert account.status == "written"
    [write] = account.state.intents.find(JOB).writes
    assert write.marked == (shop.engine == "spark" or address == FILES)


@pytest.mark.parametrize(("address", "options"), CASES)
def test_a_commit_that_nobody_noted_is_found_in_the_dataset(shop, address, options):
    account = Account(shop, address, **options)
    account.write_plainly("SELECT CAST(0 AS BIGINT) AS id")
    account.begin()
    before = account.state.intents.find(JOB).writes[0]
    account.write()
    account.state.intents.begin(account.token, before=before.before, marked=before.marked)
    if address == TABLE:
        account.die_in_the_lock()
    assert account.settle() == "written"
    assert len(account.ids()) == 2


@pytest.mark.parametrize(("address", "options"), CASES)
def test_a_write_that_left_no_trace_has_not_happened(shop, address, options):
    account = Account(shop, address, **options)
    account.write_plainly()
    account.begin()
    assert account.settle() == "planned"


def test_the_first_write_of_a_table_is_found_too(shop):
    account = Account(shop, TABLE)
    account.begin()
    assert account.settle() == "planned"
    account.write()
    account.state.intents.begin(account.token, before=None, marked=shop.engine == "spark")
    account.die_in_the_lock()
    assert account.settle() == "written"


def test_whoever_writes_next_settles_first(shop):
    account = Account(shop, TABLE)
    account.write_plainly()
    account.begin()
    account.write_plainly()
    assert account.status == "planned"


def test_a_writer_that_is_no_job_settles_too(sail_shop):
    account = Account(sail_shop, TABLE)
    account.write_plainly()
    before = sail_shop.door.evidence(account.request).state
    account.write()
    account.state.intents.begin(account.token, before=before, marked=False)
    account.die_in_the_lock()
    sail_shop.write(ROWS, TABLE, "append")  # as a stream does, or `flare.save`
    assert account.status == "written"


def test_a_statement_that_fails_is_known_not_to_have_written(shop):
    account = Account(shop, TABLE)
    account.write_plainly()
    with pytest.raises(DataOSError):
        account.write("SELECT CAST(raise_error('no') AS BIGINT) AS id")
    assert account.status == "planned"
    account.write()
    assert (account.status, len(account.ids())) == ("written", 2)


def test_what_cannot_be_told_is_not_guessed(sail_shop):
    account = Account(sail_shop, TABLE)
    account.write_plainly()
    account.begin()
    account.write_as_stranger()
    with pytest.raises(WriteFailed, match="whether its rows are there cannot be told"):
        account.settle()
    account.write_plainly()  # other writers are not kept from their work
    assert account.status == "writing"


def test_a_merge_and_a_partition_overwrite_carry_the_mark_on_spark(spark_shop):
    from dataos_dagster.depots.door import Merge

    account = Account(spark_shop, TABLE)
    account.write_plainly("SELECT CAST(1 AS BIGINT) AS id, 'a' AS kind")
    merge = Merge("old.id = new.id", "MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    changes = ({"merge": merge}, {"mode": "overwrite", "dynamic_overwrite": True}, {"mode": "overwrite"})
    for change in changes:
        mark = uuid.uuid4().hex
        request = replace(account.request, mark=mark, **change)
        account.write("SELECT CAST(1 AS BIGINT) AS id, 'b' AS kind", request)
        evidence = spark_shop.door.evidence(account.request)
        assert mark in evidence.marks
    assert len(evidence.marks) == len(changes)


def test_a_mark_of_files_is_no_row_and_goes_with_an_overwrite(shop):
    account = Account(shop, FILES, format="csv")
    account.write()
    assert shop.door.evidence(account.request).marks == {account.token}
    assert account.ids() == ["1"]
    shop.write(ROWS, FILES, "overwrite", format="csv")
    assert shop.door.evidence(account.request).marks == frozenset()


@pytest.fixture
def database(shop, postgresql):
    """Return the address of a table of PostgreSQL."""
    shop.declare(postgresql_depot(postgresql, postgresql.create_database()), "shopdb.yaml")
    return "dataos://shopdb:public/orders"


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_database_has_the_mark_in_the_same_transaction(shop, database, mode):
    account = Account(shop, database, mode)
    account.write_plainly("SELECT CAST(0 AS BIGINT) AS id")
    account.begin()
    assert account.settle() == "planned"
    with pytest.raises(WriteFailed):
        account.write("SELECT CAST(raise_error('no') AS BIGINT) AS id")
    assert account.settle() == "planned"
    account.write()
    account.state.intents.begin(account.token, before=None, marked=True)
    assert account.settle() == "written"
    assert account.ids() == ([0, 1] if mode == "append" else [1])
    # A mark stands beside the table, and stays when others replace what is in it.
    shop.write("SELECT 'other' AS name", database)
    assert shop.door.evidence(account.request).marks == {account.token}


def begin_long_ago(account, days):
    """Note the write as begun so many days ago, by a process that has died since."""
    account.begin()
    url = f"sqlite:///{next(account.shop.root.glob('.dataos/*.db'))}"
    with create_engine(url).begin() as connection:
        moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
        changed = text("UPDATE intent_outputs SET changed_at = :moment WHERE status = 'writing'")
        assert connection.execute(changed, {"moment": moment}).rowcount == 1


@pytest.mark.parametrize("address", [FILES, "dataos://shopdb:public/orders"])
def test_of_a_write_that_is_older_than_the_marks_that_are_kept_nothing_is_said(sail_shop, postgresql, address):
    sail_shop.declare(postgresql_depot(postgresql, postgresql.create_database()), "shopdb.yaml")
    account = Account(sail_shop, address)
    account.write_plainly()
    begin_long_ago(account, 89)
    assert account.settle() == "planned"
    begin_long_ago(account, 91)
    with pytest.raises(WriteFailed, match="what the dataset keeps of its writes does not go back that far"):
        account.settle()
    assert account.status == "writing"
    # A mark that is there says all that is asked.
    sail_shop.write(ROWS, address, "append", mark=account.token)
    assert account.settle() == "written"


def commit_as_strangers(shop, times: int) -> Path:
    """Let others commit to the Delta table, which has commits already, and return its log."""
    log = shop.data / "out/orders/_delta_log"
    first = len(list(log.glob("*.json")))
    for version in range(first, first + times):
        (log / f"{version:020}.json").write_text(json.dumps({"commitInfo": {"userMetadata": "theirs"}}))
    return log


def test_a_commit_is_found_behind_however_many_others(sail_shop):
    account = Account(sail_shop, FILES, **DELTA)
    account.write_plainly()
    account.begin()
    before = account.state.intents.find(JOB).writes[0].before
    account.write()
    account.state.intents.begin(account.token, before=before, marked=True)
    commit_as_strangers(sail_shop, 500)
    assert account.settle() == "written"


def test_a_log_that_was_cleaned_up_tells_nothing_of_what_was_before(sail_shop):
    account = Account(sail_shop, FILES, **DELTA)
    account.write_plainly()
    account.begin()
    log = commit_as_strangers(sail_shop, 5)
    assert sail_shop.door.evidence(account.request).shows(account.token, "0") is False
    for version in range(2):
        (log / f"{version:020}.json").unlink()
    with pytest.raises(WriteFailed, match="whether its rows are there cannot be told"):
        account.settle()
    # Nothing is missing behind the state that others begin with.
    assert sail_shop.door.evidence(account.request).shows("others", "1") is False
    # A stream has not written a batch when one before it is the last that it wrote.
    (log / f"{6:020}.json").write_text(json.dumps({"commitInfo": {"userMetadata": batch_mark("a", 9)}}))
    evidence = sail_shop.door.evidence(account.request)
    shown = [evidence.shows(batch_mark(*batch)) for batch in (("a", 9), ("a", 10), ("a", 8), ("b", 10))]
    assert shown == [True, False, None, None]


def declare(shop, s3, name, format_) -> None:
    shop.declare(
        f"""
name: {name}
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{{name: {name}-rw}}]
  s3: {{bucket: warehouse, relativePath: /once, format: {format_}, scheme: s3a, region: {s3.region}, endpoint: "{s3.endpoint}"}}
---
name: {name}-rw
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {{accesskeyid: {s3.access_key}, secretkey: "{s3.secret_key}"}}
""",
        f"{name}.yaml",
    )


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_files_in_a_bucket_carry_the_mark_too(sail_shop, s3, mode):
    s3.create_bucket("warehouse")
    declare(sail_shop, s3, "raw", "PARQUET")
    address = f"dataos://raw:out/{mode}"
    account = Account(sail_shop, address, mode, format="parquet")
    account.begin()
    assert account.settle() == "planned"
    account.write()
    assert account.status == "written"
    account.state.intents.begin(account.token, before=None, marked=True)
    assert account.settle() == "written"
    assert account.ids() == [1]


def test_behind_a_catalog_a_write_that_happens_once_is_done_by_spark(sail_shop, s3, iceberg_rest):
    declare(sail_shop, s3, "lake", "ICEBERG")
    (sail_shop.root / "dataos.yaml").write_text(f"catalogs: {{lake: {iceberg_rest.setting}}}\n")
    request = WriteRequest(target("dataos://lake:once/orders"), "append", exactly_once=True)
    [reason] = sail_shop.door.requirements([request]).vetoes["sail"]
    assert reason.startswith("Sail leaves no mark of its commits")
    assert "sail" not in sail_shop.door.requirements([replace(request, exactly_once=False)]).vetoes


def test_behind_a_catalog_a_new_snapshot_need_not_be_that_of_the_writer_that_died(sail_shop, s3, iceberg_rest):
    declare(sail_shop, s3, "lake", "ICEBERG")
    (sail_shop.root / "dataos.yaml").write_text(f"catalogs: {{lake: {iceberg_rest.setting}}}\n")
    account = Account(sail_shop, f"dataos://lake:n{uuid.uuid4().hex[:8]}/orders")
    account.write_plainly()
    before = sail_shop.door.evidence(account.request).state
    account.state.intents.begin(account.token, before=before, marked=False)
    account.write_as_stranger()
    account.die_in_the_lock()
    with pytest.raises(WriteFailed, match="whether its rows are there cannot be told"):
        account.settle()


@pytest.mark.parametrize(("binding", "status"), [(True, "written"), (False, "writing")])
def test_a_failed_statement_is_told_by_a_new_snapshot_only_where_the_lock_binds_all(sail_shop, binding, status):
    account = Account(sail_shop, TABLE)
    session = sail_shop.session(account.request)
    looks = iter([Evidence("1"), Evidence("2")])
    with (
        pytest.raises(ZeroDivisionError),
        account.settled.settlement.write(lambda: next(looks), session, marked=False, binding=binding),
    ):
        raise ZeroDivisionError
    assert account.status == status
