"""The encrypted file and its key: nothing readable on disk, nothing lost, nothing half written."""

from __future__ import annotations

import base64
import os
import resource
import signal
import stat
import subprocess
import sys

import pytest
from pydantic import SecretStr

from dataos_dagster.errors import SecretBackendError, SecretNotFound
from dataos_dagster.secrets.encryption import Key, decrypt, encrypt
from dataos_dagster.secrets.keys import KeyFiles
from dataos_dagster.secrets.store import encrypted_backend

VALUE = "tulip-mania-1637"


def secret(**values: str) -> dict[str, SecretStr]:
    return {key: SecretStr(value) for key, value in values.items()}


def content(store) -> dict[str, dict[str, str]]:
    return {
        found.name: {key: value.get_secret_value() for key, value in found.values.items()} for found in store.secrets()
    }


@pytest.fixture
def store(settings):
    """Return a store with one secret in it."""
    store = encrypted_backend(settings)
    store.set("ferrydb-rw", secret(password=VALUE))
    return store


def keys_in(home) -> list[str]:
    return sorted(file.name for file in (home / "dataos-dagster" / "keys").glob("*"))


def test_what_is_set_is_found_by_another_process_of_the_user(store, settings):
    assert content(encrypted_backend(settings)) == {"ferrydb-rw": {"password": VALUE}}


def test_nothing_on_disk_shows_names_or_values(store):
    text = store.file.read_text()
    for hidden in (VALUE, "ferrydb", "password", base64.b64encode(VALUE.encode()).decode()):
        assert hidden not in text
    assert text.startswith("DATAOS-SECRETS 1\nkey ")


def test_file_and_key_are_for_their_owner_only(store, home):
    [key] = (home / "dataos-dagster" / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600


def test_the_key_lies_outside_of_the_project(store, settings, home):
    assert not any(file.suffix == ".key" for file in settings.project.rglob("*"))
    assert len(keys_in(home)) == 1


def test_setting_again_adds_and_replaces_keys_and_keeps_the_others(store):
    store.set("ferrydb-rw", secret(username="svc"))
    store.set("ferrydb-rw", secret(password="new"))
    store.set("other", secret(a="1"))
    assert content(store) == {"ferrydb-rw": {"password": "new", "username": "svc"}, "other": {"a": "1"}}


def test_a_level_is_kept_until_another_is_given(store):
    store.set("plain", secret(a="1"), acl="rw")
    store.set("plain", secret(b="2"))
    assert store.find("plain", None).acl == "rw"
    assert store.find("ferrydb-rw", None).acl == "rw"


def test_removing_takes_a_key_or_the_whole_secret(store):
    store.set("ferrydb-rw", secret(username="svc"))
    store.remove("ferrydb-rw", ("username",))
    assert content(store) == {"ferrydb-rw": {"password": VALUE}}
    store.remove("ferrydb-rw", ("password",))
    assert content(store) == {}


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("ferrydb-r", (), r"has no secret 'ferrydb-r'(.|\n)*it has: ferrydb-rw"),
        ("ferrydb-rw", ("passwort",), r"has no key 'passwort'(.|\n)*it has: password"),
    ],
)
def test_removing_what_is_not_there_removes_nothing(store, name, keys, message):
    with pytest.raises(SecretNotFound, match=message):
        store.remove(name, keys)
    assert content(store) == {"ferrydb-rw": {"password": VALUE}}


def test_without_a_file_there_is_nothing(settings):
    store = encrypted_backend(settings)
    assert store.secrets() == []
    assert store.find("a", None) is None
    for change in (lambda: store.remove("a"), store.rotate):
        with pytest.raises(SecretNotFound, match="there is no encrypted store"):
            change()
    assert not store.file.exists()


def test_rotation_changes_the_key_and_nothing_else(store, home):
    before = store.file.read_text(), keys_in(home)
    key = store.rotate()
    assert store.file.read_text() != before[0]
    assert keys_in(home) == [f"{key.id}.key"] != before[1]
    assert content(store) == {"ferrydb-rw": {"password": VALUE}}


def test_a_rotation_that_is_interrupted_leaves_a_store_that_opens(store, monkeypatch, home):
    def stop(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        store.rotate()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    assert len(keys_in(home)) == 2
    assert content(store) == {"ferrydb-rw": {"password": VALUE}}


def test_a_project_may_be_moved(store, settings, tmp_path):
    from dataos_dagster.settings import Settings

    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    settings.project.rename(moved)
    assert content(encrypted_backend(Settings(project=moved))) == {"ferrydb-rw": {"password": VALUE}}


class TestTheKeyInAVariable:
    """For machines without a home of their own: containers, continuous integration."""

    def test_is_used_and_not_written_anywhere(self, settings, home):
        variables = {"DATAOS_SECRETS_KEY": Key.generate().text, "XDG_CONFIG_HOME": str(home)}
        encrypted_backend(settings, variables).set("a", secret(b=VALUE))
        assert content(encrypted_backend(settings, variables)) == {"a": {"b": VALUE}}
        assert keys_in(home) == []

    def test_must_be_the_key_of_the_file(self, store, settings, home):
        variables = {"DATAOS_SECRETS_KEY": Key.generate().text, "XDG_CONFIG_HOME": str(home)}
        with pytest.raises(SecretBackendError, match=r"is encrypted with key [0-9a-f]{16}, and the key that was found"):
            encrypted_backend(settings, variables).secrets()

    @pytest.mark.parametrize("text", ["hunter22", "é" * 43, base64.urlsafe_b64encode(bytes(16)).decode()])
    def test_is_refused_without_being_shown_when_it_is_no_key(self, settings, text):
        with pytest.raises(
            SecretBackendError, match="DATAOS_SECRETS_KEY is not a key: it must be the URL-safe"
        ) as caught:
            encrypted_backend(settings, {"DATAOS_SECRETS_KEY": text})
        assert text not in str(caught.value)

    def test_is_replaced_by_the_one_in_another_variable(self, settings):
        old, new = Key.generate(), Key.generate()
        encrypted_backend(settings, {"DATAOS_SECRETS_KEY": old.text}).set("a", secret(b=VALUE))
        with pytest.raises(SecretBackendError, match="the new one must be given by DATAOS_SECRETS_NEW_KEY"):
            encrypted_backend(settings, {"DATAOS_SECRETS_KEY": old.text}).rotate()
        both = {"DATAOS_SECRETS_KEY": old.text, "DATAOS_SECRETS_NEW_KEY": new.text}
        assert encrypted_backend(settings, both).rotate() == new
        assert content(encrypted_backend(settings, {"DATAOS_SECRETS_KEY": new.text})) == {"a": {"b": VALUE}}


def test_a_keyring_keeps_the_key_where_there_is_one(settings, monkeypatch, home):
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    class Memory(KeyringBackend):
        priority = 1
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012 - one keyring for the test

        def get_password(self, service, username):
            return self.kept.get((service, username))

        def set_password(self, service, username, password):
            self.kept[service, username] = password

        def delete_password(self, service, username):
            if self.kept.pop((service, username), None) is None:
                raise PasswordDeleteError

    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        store = encrypted_backend(settings)
        store.set("a", secret(b=VALUE))
        first = store.rotate()
        assert content(encrypted_backend(settings)) == {"a": {"b": VALUE}}
    finally:
        keyring.set_keyring(before)
    assert list(Memory.kept) == [("dataos-dagster", first.id)]
    assert keys_in(home) == []


def test_a_lost_key_is_said_with_the_places_that_were_searched(store, home):
    for file in (home / "dataos-dagster" / "keys").iterdir():
        file.unlink()
    with pytest.raises(
        SecretBackendError, match=r"nowhere to be found; looked in: variable DATAOS_SECRETS_KEY, key files"
    ):
        store.secrets()


def test_a_key_file_that_others_may_read_is_refused(store, home):
    [file] = (home / "dataos-dagster" / "keys").iterdir()
    file.chmod(0o640)
    with pytest.raises(SecretBackendError, match=r"may be read by others\n  hint: chmod 600"):
        store.secrets()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("SECRETS 1", "SECRETS 2"), "has version 2 of the format"),
        (lambda _text: "name: a\n", "is not an encrypted secret store"),
        (lambda _text: "", "is not an encrypted secret store"),
        (lambda text: text[:-9] + "AAAA" + text[-5:], "was damaged or changed"),
        (lambda text: text[:-30], "was damaged or changed"),
    ],
)
def test_a_file_that_was_changed_is_refused_and_left_alone(store, change, message):
    changed = change(store.file.read_text())
    store.file.write_text(changed)
    with pytest.raises(SecretBackendError, match=message):
        store.secrets()
    with pytest.raises(SecretBackendError, match=message):
        store.set("a", secret(b="c"))
    assert store.file.read_text() == changed


def test_two_encryptions_of_one_content_differ():
    key = Key.generate()
    assert encrypt({"a": 1}, key) != encrypt({"a": 1}, key)
    assert decrypt(encrypt({"a": 1}, key), key, "file") == {"a": 1}


def test_a_key_shows_its_id_only():
    key = Key.generate()
    assert repr(key) == str(key) == f"Key({key.id})"
    assert key.text not in f"{key!r}{[key]}"


def test_key_files_forget_what_they_do_not_have(tmp_path):
    KeyFiles(tmp_path / "none").forget("0123")
    assert KeyFiles(tmp_path / "none").load("0123") is None


def test_a_write_that_finds_no_room_changes_nothing(store):
    before = store.file.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel then refuses to write further, as it does on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(SecretBackendError, match=r"cannot be written: .*; it is as it was before"):
            store.set("big", secret(value="x" * 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.file.read_text() == before
    assert sorted(file.name for file in store.file.parent.iterdir()) == ["secrets.enc", "secrets.enc.lock"]


def script(settings, body: str) -> list[str]:
    head = (
        "import os, sys; from pathlib import Path; from pydantic import SecretStr\n"
        "from dataos_dagster.settings import Settings\n"
        "from dataos_dagster.secrets.store import encrypted_backend\n"
        f"store = encrypted_backend(Settings(project=Path({str(settings.project)!r})))\n"
    )
    return [sys.executable, "-c", head + body]


def test_processes_that_set_at_once_lose_nothing(store, settings):
    processes = [
        subprocess.Popen(
            script(settings, f"for i in range(10): store.set(f'p{number}-{{i}}', {{'key': SecretStr('v')}})")
        )
        for number in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert len(content(store)) == 41


def test_a_writer_that_is_killed_leaves_a_whole_file(store, settings):
    body = "while True: store.set('a', {'key': SecretStr('v' * 100_000)}); os.write(1, b'.')"
    for _ in range(5):
        writer = subprocess.Popen(script(settings, body), stdout=subprocess.PIPE)
        assert os.read(writer.stdout.fileno(), 1) == b"."
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert content(store)["ferrydb-rw"] == {"password": VALUE}
