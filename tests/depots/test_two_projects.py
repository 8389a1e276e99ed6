"""Two projects, each with a state folder and locks of its own, that write to one catalog and one bucket."""

from __future__ import annotations

import threading

import pytest
from depot_shop import SHOP_FILES, Shop, target
from pyspark.sql.types import LongType, StructField, StructType

from dataos_dagster.depots.claims import Claim
from dataos_dagster.depots.door import Merge, ReadRequest
from dataos_dagster.depots.files.bucket import BucketWrite
from dataos_dagster.depots.files.listing import counting_files, note_names
from dataos_dagster.depots.files.write import FileWriter
from dataos_dagster.depots.lakehouse import rest
from dataos_dagster.depots.locks import Holder
from dataos_dagster.engines.session import Sessions
from dataos_dagster.errors import DatasetLocked, DatasetNotFound, WriteFailed

DEPOTS = """
name: lake
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{{name: keys}}]
  s3: {{bucket: warehouse, relativePath: /base, format: ICEBERG, region: {s3.region}, endpoint: "{s3.endpoint}"}}
---
name: raw
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{{name: keys}}]
  s3: {{bucket: raw, relativePath: /shared, format: PARQUET, region: {s3.region}, endpoint: "{s3.endpoint}"}}
---
name: keys
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: rw
  data: {{accesskeyid: {s3.access_key}, secretkey: "{s3.secret_key}"}}
"""
ID = StructType([StructField("id", LongType())])


@pytest.fixture(scope="module")
def engines():
    """Return two Sails, as two hosts have them."""
    with Sessions() as first, Sessions() as second:
        yield first, second


@pytest.fixture
def shops(engines, tmp_path, s3, iceberg_rest):
    """Return the same depots in two projects."""
    s3.create_bucket("raw")
    made = []
    for name, sessions in zip(("one", "two"), engines, strict=True):
        root = tmp_path / name
        (root / "data").mkdir(parents=True)
        (root / "depots.yaml").write_text(SHOP_FILES + "---" + DEPOTS.format(s3=s3))
        catalog = f"catalogs: {{lake: {iceberg_rest.setting}}}\n"
        (root / "dataos.yaml").write_text(catalog + "limits: {lock_seconds: 0.5}\n")
        made.append(Shop(root, "sail", sessions))
    return made


@pytest.fixture
def table(request):
    """Return an address that no other test uses: the catalog lives as long as the tests."""
    return f"dataos://lake:shared/t{abs(hash(request.node.name))}"


def table_of(shop, address):
    store = shop.door._opener.store_of(ReadRequest(target(address)), "rw")
    return store.warehouse.table(target(address))


def claim_of(shop):
    return Claim.of(Holder.this_process("ann", None, "run-7"), shop.door.catalog.settings)


def at_once(*works):
    """Run functions at the same time; return what each raised."""
    errors = [None] * len(works)

    def run(index):
        try:
            works[index]()
        except (DatasetLocked, WriteFailed) as error:
            errors[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_a_table_that_a_dead_writer_of_this_project_began_is_made_anew(shops, table):
    rest.create_table(table_of(shops[0], table), ID, (), {}, claim_of(shops[0]))
    with pytest.raises(DatasetNotFound):
        shops[0].frame(table)
    assert shops[0].write("SELECT 'x' AS other", table).created
    assert shops[0].rows(table) == [("x",)]


def test_a_table_that_another_project_is_creating_is_left_alone_and_its_creator_named(shops, table):
    other, claim = table_of(shops[1], table), claim_of(shops[1])
    rest.create_table(other, ID, (), {}, claim)
    with pytest.raises(DatasetLocked, match=r"is being created by process \d+ on .* operation run-7") as locked:
        shops[0].write("SELECT 1 AS id", table)
    assert locked.value.retryable
    rest.confirm_creation(other, claim)
    assert not shops[0].write("SELECT CAST(1 AS BIGINT) AS id", table, "append").created
    assert shops[1].rows(table) == [(1,)]


def test_a_copied_project_is_another_one(shops, table):
    import shutil

    from dataos_dagster.depots.claims import project_token

    claim = claim_of(shops[0])
    copy = shops[0].root.with_name("copy")
    shutil.copytree(shops[0].root, copy)
    assert claim.project == project_token(shops[0].root / ".dataos") != project_token(copy / ".dataos")


def test_a_creation_that_was_taken_over_is_not_confirmed_and_nothing_of_others_dropped(shops, table):
    place, mine, theirs = table_of(shops[0], table), claim_of(shops[0]), claim_of(shops[1])
    rest.create_table(place, ID, (), {}, theirs)
    rest.drop_creation(place, mine)
    assert rest.creation_of(place) == theirs
    with pytest.raises(WriteFailed, match="somebody dropped its new table"):
        rest.confirm_creation(place, mine)
    with pytest.raises(DatasetLocked, match="another writer has just created it"):
        rest.create_table(place, ID, (), {}, mine)


def test_two_projects_that_create_one_table_lose_no_row_that_was_reported(shops, table):
    errors = at_once(
        *(lambda i=i: shops[i].write(f"SELECT CAST({i} AS BIGINT) AS id", table, "append") for i in (0, 1))
    )
    assert shops[0].rows(table) == [(i,) for i in (0, 1) if errors[i] is None]
    assert [error for error in errors if error is not None and not error.retryable] == []


def test_merges_of_two_projects_never_lose_an_update(shops, table):
    shops[0].write("SELECT 1 AS id, CAST(0 AS BIGINT) AS n", table)
    done = [0, 0]
    told = []

    def add(i):
        merge = Merge("old.id = new.id", "MATCHED THEN UPDATE SET old.n = old.n + 1")
        for _ in range(6):
            try:
                shops[i].write("SELECT 1 AS id, CAST(1 AS BIGINT) AS n", table, merge=merge)
                done[i] += 1
            except DatasetLocked as error:
                told.append(error)

    assert at_once(lambda: add(0), lambda: add(1)) == [None, None]
    assert shops[1].rows(table) == [(1, sum(done))]
    assert all("another writer has committed to it meanwhile" in error.message for error in told)


@pytest.fixture
def files(request):
    """Return an address in the bucket that no other test uses."""
    return f"dataos://raw:out/f{abs(hash(request.node.name))}"


def write_of(shop, address):
    """Return a write of this project to a dataset of the bucket."""
    store = shop.door._opener.store_of(ReadRequest(target(address)), "rw")
    return BucketWrite(store.place(ReadRequest(target(address))), claim_of(shop))


def keys_of(s3, address):
    return [key for key in s3.keys("raw", "shared/out/") if address.rpartition("/")[2] in key and key[-1] != "/"]


def put(s3, address, name):
    """Put a copy of the dataset's first file beside it, as somebody who knows nothing of us."""
    source = next(key for key in keys_of(s3, address) if key.endswith(".parquet"))
    s3.client().copy_object(
        Bucket="raw", Key=f"{source.rpartition('/')[0]}/{name}", CopySource={"Bucket": "raw", "Key": source}
    )


def test_files_that_a_note_hides_do_not_count_and_a_dead_write_of_this_project_is_undone(shops, files, s3):
    shops[0].write("SELECT CAST(1 AS BIGINT) AS id", files)
    dead = write_of(shops[0], files)
    dead.hide(["part-of-the-dead.parquet"])
    put(s3, files, "part-of-the-dead.parquet")
    put(s3, files, "of-somebody-else.parquet")
    assert shops[0].rows(files) == shops[1].rows(files) == [(1,), (1,)]
    shops[0].write("SELECT CAST(2 AS BIGINT) AS id", files, "append")
    assert shops[1].rows(files) == [(1,), (1,), (2,)]
    assert not [key for key in keys_of(s3, files) if "of-the-dead" in key or key.endswith(".json")]


def test_a_writer_writes_no_note_twice_and_its_newest_counts(shops, files, s3):
    shops[0].write("SELECT CAST(1 AS BIGINT) AS id", files)
    dead = write_of(shops[0], files)
    dead.hide(["part-new.parquet"])
    name, text = dead.name, dead.place.join(dead.name).read()
    put(s3, files, "part-new.parquet")
    dead.hide([info.base_name for info in dead.place.data_files() if info.base_name != "part-new.parquet"])
    assert [each for each in note_names(dead.place) if each != dead.name] == []
    # As if it had died before it removed the older one.
    dead.place.join(name).write(text)
    assert shops[1].rows(files) == [(1,)]
    shops[0].write("SELECT CAST(2 AS BIGINT) AS id", files, "append")
    assert shops[1].rows(files) == [(1,), (2,)]
    assert note_names(dead.place) == []


def test_an_overwrite_whose_writer_died_before_it_had_removed_the_old_files_is_finished(shops, files, s3):
    shops[0].write("SELECT CAST(1 AS BIGINT) AS id", files)
    dead = write_of(shops[0], files)
    old = [info.base_name for info in dead.place.data_files()]
    put(s3, files, "part-new.parquet")
    dead.hide(old)
    assert shops[1].rows(files) == [(1,)]
    shops[0].write("SELECT CAST(2 AS BIGINT) AS id", files, "append")
    assert shops[0].rows(files) == [(1,), (2,)]
    assert not [key for key in keys_of(s3, files) if key.endswith(tuple(old))]


def test_a_writer_of_another_project_is_waited_for_and_named_and_its_files_stay(shops, files, s3):
    shops[0].write("SELECT CAST(1 AS BIGINT) AS id", files)
    other = write_of(shops[1], files)
    other.hide(["part-coming.parquet"])
    put(s3, files, "part-coming.parquet")
    with pytest.raises(DatasetLocked, match=r"is being written by process \d+ .* of another project") as locked:
        shops[0].write("SELECT CAST(2 AS BIGINT) AS id", files, "append")
    assert other.name in locked.value.hint
    assert shops[0].rows(files) == [(1,)]
    other.hide(())
    other.end()
    shops[0].write("SELECT CAST(2 AS BIGINT) AS id", files, "append")
    assert shops[1].rows(files) == [(1,), (1,), (2,)]


def test_what_somebody_puts_into_a_bucket_while_a_write_fails_stays(shops, files, s3, monkeypatch):
    shops[0].write("SELECT CAST(1 AS BIGINT) AS id", files)
    engine_writes = FileWriter._write_with_engine

    def meanwhile(self, *arguments, **keywords):
        put(s3, files, "of-somebody-else.parquet")
        engine_writes(self, *arguments, **keywords)

    monkeypatch.setattr(FileWriter, "_write_with_engine", meanwhile)
    with pytest.raises(WriteFailed, match="boom"):
        shops[0].write("SELECT CAST(raise_error('boom') AS BIGINT) AS id FROM range(3)", files, "append")
    assert shops[0].rows(files) == [(1,), (1,)]


def test_appends_of_two_projects_all_arrive_in_a_bucket(shops, files):
    for shop in shops:
        (shop.root / "dataos.yaml").write_text("limits: {lock_seconds: 60}\n")
    works = [
        lambda i=i, n=n: shops[i].write(f"SELECT CAST({i * 10 + n} AS BIGINT) AS id", files, "append")
        for i in (0, 1)
        for n in range(3)
    ]
    assert at_once(*works) == [None] * 6
    assert shops[0].rows(files) == [(0,), (1,), (10,), (11,), (12,), (2,)]


def test_a_reader_never_sees_half_of_an_overwrite_in_a_bucket(shops, files):
    shops[0].write("SELECT CAST(0 AS BIGINT) AS round, id FROM range(40)", files)
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            listing = counting_files(write_of(shops[1], files).place)
            seen.append(len(listing.files))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 5):
        shops[0].write(f"SELECT CAST({number} AS BIGINT) AS round, id FROM range(40)", files)
    stop.set()
    reader.join()
    assert set(seen) == {1}
