"""The cache gives what reading gives, whatever happened to it, and never keeps a secret."""

from __future__ import annotations

import multiprocessing
import sqlite3
from typing import TYPE_CHECKING

import pytest

from dataos_dagster.manifests import cache as cache_module
from dataos_dagster.manifests.cache import FILE_NAME, DocumentCache
from dataos_dagster.manifests.reader import read_file
from dataos_dagster.settings import LimitSettings

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = LimitSettings()
TEXT = "name: orders\ntype: workflow\nworkflow:\n  dag: [{name: a}]\n---\nname: late\ntype: workflow\n"


def load(files, folder, limits=LIMITS):
    """Return what a load with the cache makes of files, and how many it did not have to parse."""
    found = []
    with DocumentCache(folder, limits) as cache:
        known = 0
        for file in files:
            documents, diagnostics = read_file(file, name=file.name, limits=limits, cache=cache)
            found.append(([(d.index, d.data, d.range_of(("name",)), d.digest) for d in documents], diagnostics))
            known += cache.find(documents[0].digest, file, file.name) is not None if documents else 0
    return found, known


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "orders.yaml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".dataos" / "cache"


def content_of(folder: Path) -> bytes:
    return (folder / FILE_NAME).read_bytes()


def test_a_second_load_gives_the_same_documents_without_parsing(file, folder, monkeypatch):
    cold, known = load([file], folder)
    assert (len(cold[0][0]), known) == (2, 0)

    def parse(text):
        raise AssertionError("the file was parsed again")

    monkeypatch.setattr("dataos_dagster.manifests.reader.nodes_of", parse)
    warm, known = load([file], folder)
    assert warm == cold
    assert known == 1


def test_a_changed_file_is_read_again(file, folder):
    load([file], folder)
    file.write_text(TEXT.replace("late", "soon"))
    found, known = load([file], folder)
    assert found[0][0][1][1]["name"] == "soon"
    assert known == 0


def test_a_file_that_moved_is_known_by_its_content(file, folder, tmp_path):
    load([file], folder)
    moved = file.rename(tmp_path / "moved.yaml")
    with DocumentCache(folder, LIMITS) as cache:
        documents, _ = read_file(moved, name="moved.yaml", limits=LIMITS, cache=cache)
    assert str(documents[0].location()) == "moved.yaml:1:1"


@pytest.mark.parametrize(
    "damage",
    [b"", b"not a database", b"SQLite format 3\x00" + b"\x00" * 100],
    ids=["empty", "text", "header only"],
)
def test_a_corrupt_cache_is_read_around_and_replaced(file, folder, damage):
    cold, _ = load([file], folder)
    (folder / FILE_NAME).write_bytes(damage)
    assert load([file], folder)[0] == cold
    load([file], folder)
    assert load([file], folder) == (cold, 1)


def test_every_flipped_byte_is_noticed(file, folder):
    cold, _ = load([file], folder)
    original = content_of(folder)
    for at in range(0, len(original), 7):
        damaged = bytearray(original)
        damaged[at] ^= 0x20
        (folder / FILE_NAME).write_bytes(bytes(damaged))
        assert load([file], folder)[0] == cold, at


def test_a_table_of_another_layout_is_replaced(file, folder):
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / FILE_NAME) as database:
        database.execute("CREATE TABLE documents (content BLOB, something TEXT)")
    database.close()
    cold, _ = load([file], folder)
    load([file], folder)
    assert load([file], folder) == (cold, 1)


def test_what_another_version_wrote_is_not_used(file, folder, monkeypatch):
    load([file], folder)
    monkeypatch.setattr(cache_module, "_FORMAT", 999)
    cache_module._reader.cache_clear()
    try:
        with DocumentCache(folder, LIMITS) as cache:
            assert cache.find(read_file(file, name="x", limits=LIMITS)[0][0].digest, file, "x") is None
    finally:
        cache_module._reader.cache_clear()


def test_a_lower_limit_counts_for_known_files_too(tmp_path, folder):
    file = tmp_path / "deep.yaml"
    file.write_text("a: " + "[" * 20 + "]" * 20)
    load([file], folder)
    assert load([file], folder, LimitSettings(depth=10))[0][0][1][0].code == "too-deep"


@pytest.mark.parametrize(
    "text",
    [
        "type: secret\nsecret: {data: {a: hunter2}}",
        "type: instance-secret\ninstance-secret: {data: {a: hunter2}}",
        "type: Depot\ndepot: {type: x, connectionSecret: [{data: {a: hunter2}}]}",
        "type: '${{type}}'\nsecret: {data: {a: hunter2}}",
        "type: bundle\nbundle: {resources: [{id: a, spec: {type: secret, secret: {data: {a: hunter2}}}}]}",
        "type: workflow\nworkflow: {envs: {DB_PASSWORD: hunter2}}",
        "- type: workflow\n- type: secret\n  secret: {data: {a: hunter2}}",
    ],
)
def test_secrets_are_never_kept(tmp_path, folder, file, text):
    secret = tmp_path / "secret.yaml"
    secret.write_text(text)
    load([file, secret], folder)
    assert b"orders" in content_of(folder)
    assert b"hunter2" not in content_of(folder)


def test_what_is_kept_is_not_interpolated(tmp_path, folder):
    file = tmp_path / "a.yaml"
    file.write_text("name: ${NAME}\n")
    load([file], folder)
    assert b"${NAME}" in content_of(folder)


def test_files_with_warnings_are_told_them_every_time(tmp_path, folder):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\na: 2\n")
    for _ in range(2):
        found, _ = load([file], folder)
        assert [one.code for one in found[0][1]] == ["duplicate-key"]


def test_a_folder_that_cannot_be_written_is_no_error(file, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    assert len(load([file], blocked / "cache")[0][0][0]) == 2


def test_entries_that_nobody_uses_are_dropped(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(cache_module, "_SPARE", 2)
    files = []
    for number in range(8):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(f"name: n{number}\n")
    load(files, folder)
    load(files[:1], folder)
    with sqlite3.connect(folder / FILE_NAME) as database:
        assert database.execute("SELECT count(*) FROM documents").fetchone() == (1,)
    database.close()


def _load_many(folder: Path, files: list[Path], barrier, results) -> None:
    barrier.wait()
    found, _ = load(files, folder)
    results.put([[data for _, data, _, _ in documents] for documents, _ in found])


def test_processes_that_load_at_once_do_not_disturb_each_other(tmp_path, folder):
    files = []
    for number in range(200):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(f"name: n{number}\n")
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_load_many, args=(folder, files, barrier, results)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert found == [[[{"name": f"n{number}"}] for number in range(200)]] * 2
    assert load(files, folder)[1] == 200


def test_what_a_text_says_is_known_to_the_next_load(folder):
    with DocumentCache(folder, LIMITS) as cache:
        assert cache.find_reading("SELECT 1") is None
        cache.keep_reading("SELECT 1", "[]")
        assert cache.find_reading("SELECT 1") == "[]"
    with DocumentCache(folder, LIMITS) as cache:
        assert (cache.find_reading("SELECT 1"), cache.find_reading("SELECT 2")) == ("[]", None)


def test_a_damaged_reading_is_none(folder):
    with DocumentCache(folder, LIMITS) as cache:
        cache.keep_reading("SELECT 1", "[]")
    with sqlite3.connect(folder / FILE_NAME) as database:
        database.execute("UPDATE texts SET reading = '[1]'")
    with DocumentCache(folder, LIMITS) as cache:
        assert cache.find_reading("SELECT 1") is None


def test_readings_that_nobody_asks_for_any_more_are_dropped(folder, monkeypatch):
    monkeypatch.setattr(cache_module, "_SPARE", 0)
    with DocumentCache(folder, LIMITS) as cache:
        for number in range(3):
            cache.keep_reading(f"SELECT {number}", "[]")
    with DocumentCache(folder, LIMITS) as cache:
        cache.find_reading("SELECT 1")
    with DocumentCache(folder, LIMITS) as cache:
        assert [cache.find_reading(f"SELECT {number}") for number in range(3)] == [None, "[]", None]
