"""Settings: where they come from, and what is said about wrong ones."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from privileges import open_folder, without_privileges

from dataos_dagster.errors import Location, SettingsError
from dataos_dagster.redaction import redact
from dataos_dagster.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DATAOS_"):
            monkeypatch.delenv(name)


def project(folder: Path, text: str) -> Path:
    (folder / "dataos.yaml").write_text(text)
    return folder


def failure(folder: Path, text: str = "") -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(project(folder, text))
    return caught.value


def test_a_folder_without_a_file_has_the_defaults(tmp_path):
    settings = load_settings(tmp_path)
    assert settings.engines.default == "auto"
    assert settings.project == tmp_path.resolve()
    assert settings.state_folder == tmp_path.resolve() / ".dataos"


def test_the_file_sets_and_variables_win(tmp_path, monkeypatch):
    project(tmp_path, "identity: ann\nengines: {default: spark, spark: {master: 'local[2]'}}\n")
    monkeypatch.setenv("DATAOS_ENGINES__DEFAULT", "sail")
    settings = load_settings(tmp_path)
    assert settings.identity == "ann"
    assert settings.engines.default == "sail"
    assert settings.engines.spark.master == "local[2]"


def test_a_section_may_be_given_as_json(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOS_OWNERS", '{"ann": "team:shop"}')
    assert load_settings(tmp_path).owners == {"ann": "team:shop"}


def test_parts_of_a_mapping_may_be_given_one_variable_each(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOS_CATALOGS__LAKEHOUSE__URI", "http://localhost:8181")
    assert load_settings(tmp_path).catalogs["lakehouse"].uri == "http://localhost:8181"


def test_variables_that_are_no_settings_are_left_alone(tmp_path, monkeypatch):
    for name in ("SECRET__FERRYDB_RW__PASSWORD", "CACHE", "SECRETS_KEY", "RUN_ID", "SOMETHING__ELSE"):
        monkeypatch.setenv(f"DATAOS_{name}", "x")
    assert load_settings(tmp_path) == Settings(project=tmp_path.resolve())


def test_an_empty_file_and_one_of_comments_are_no_settings(tmp_path):
    for text in ("", "# nothing yet\n", "---\n"):
        assert load_settings(project(tmp_path, text)).on_error == "quarantine"


def test_properties_take_numbers_and_booleans_as_text(tmp_path):
    settings = load_settings(project(tmp_path, "engines: {spark: {conf: {spark.ui.enabled: false, spark.port: 7077}}}"))
    assert settings.engines.spark.conf == {"spark.ui.enabled": "false", "spark.port": "7077"}


def test_properties_of_a_catalog_that_sound_secret_are_hidden(tmp_path):
    text = (
        "catalogs: {lake: {uri: 'http://lake', properties: {credential: 'client:hush-hush', s3.access-key-id: AKIAHIDDEN,"
        " token-refresh-enabled: true, s3.endpoint: 'http://s3', oauth2-server-uri: 'http://login'}}}"
    )
    catalog = load_settings(project(tmp_path, text)).catalogs["lake"]
    assert list(catalog.secret_properties) == ["credential", "s3.access-key-id"]
    assert catalog.plain_properties["token-refresh-enabled"] == "true"
    for secret in ("client:hush-hush", "AKIAHIDDEN"):
        assert secret not in repr(catalog)
        assert redact(f"({secret})") == "(***)"


def test_an_unknown_setting_is_located_with_the_one_that_was_meant(tmp_path):
    error = failure(tmp_path, "identity: ann\nengines:\n  defalt: spark\n")
    assert str(error.location) == "dataos.yaml:3:3"
    assert error.message == "unknown setting 'engines.defalt': did you mean 'default'?"


def test_an_unknown_setting_that_resembles_none_is_told_those_that_exist(tmp_path):
    error = failure(tmp_path, "limits:\n  colour: red\n")
    assert error.message == "unknown setting 'limits.colour': there are: file_bytes, depth, lock_seconds"


def test_an_unknown_setting_below_a_free_name_is_found_too(tmp_path):
    error = failure(tmp_path, "bundles:\n  shop: {isolatoin: process}\n")
    assert error.message == "unknown setting 'bundles.shop.isolatoin': did you mean 'isolation'?"


def test_a_wrong_value_is_located_with_what_is_allowed(tmp_path):
    error = failure(tmp_path, "engines:\n  default: sparky\n")
    assert error.location == Location("dataos.yaml", 2, 12)
    assert error.message == (
        "setting 'engines.default': it must be 'auto', 'sail', 'spark' or 'connect'; did you mean 'spark'?"
    )
    assert error.hint == "auto: Sail where it is proven equal, Spark otherwise."


def test_a_value_in_the_place_of_a_section_is_told_what_belongs_there(tmp_path):
    error = failure(tmp_path, "limits: 3\n")
    assert (
        error.message == "setting 'limits': it has parts of its own, written below it: file_bytes, depth, lock_seconds"
    )


def test_all_wrong_settings_are_reported_at_once_in_the_order_of_the_file(tmp_path):
    error = failure(tmp_path, "on_error: explode\nidentiy: ann\nlimits:\n  depth: 0\n")
    assert str(error).splitlines() == [
        "dataos.yaml:1:11: 3 settings are wrong:",
        "  dataos.yaml:1:11: setting 'on_error': it must be 'quarantine' or 'fail'",
        "  dataos.yaml:2:1: unknown setting 'identiy': did you mean 'identity'?",
        "  dataos.yaml:4:10: setting 'limits.depth': it must be greater than 0",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATAOS_SCHEDULES", "later", "setting 'schedules' (variable DATAOS_SCHEDULES): it must be"),
        ("DATAOS_ENGINES__DEFLT", "x", "unknown setting 'engines.deflt' (variable DATAOS_ENGINES__DEFLT): did you"),
        ("DATAOS_LIMITS__DEPTH", "deep", "setting 'limits.depth' (variable DATAOS_LIMITS__DEPTH): it must be"),
        ("DATAOS_OWNERS", "{ann", "the variable DATAOS_OWNERS is not JSON"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path, monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)
    error = failure(tmp_path)
    assert error.message.startswith(message)
    assert error.location is None


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: [", "2:1|1:5", "not YAML"),
        ("engines:\n\tdefault: spark\n", "2:1", "not YAML: a tab in the indentation"),
        ("- engines\n", "1:1", "a settings file holds `key: value` lines"),
        ("on_error: fail\n1: x\n", "2:1", "the name of a setting is a text"),
        ("identity: ann\nidentity: bob\n", "2:1", "'identity' is given twice, first in line 1"),
        ("engines:\n  spark:\n    master: a\n    master: b\n", "4:5", "'master' is given twice, first in line 3"),
    ],
)
def test_a_file_that_is_no_settings_file_is_located(tmp_path, text, place, message):
    error = failure(tmp_path, text)
    assert f"{error.location.line}:{error.location.column}" in place.split("|")
    assert error.message.startswith(message)


def test_a_file_that_is_nested_too_deep_is_refused_before_it_can_do_harm(tmp_path):
    error = failure(tmp_path, "a: " + "[" * 100_000)
    assert (str(error.location), error.message) == ("dataos.yaml:1:23", "nested more than 20 levels deep")


@pytest.mark.parametrize("text", ["a: &a [x]\nb: &b [*a, *a]\n", "b: &b\n - *b\n"])
def test_aliases_are_refused_because_they_may_grow_without_bound(tmp_path, text):
    error = failure(tmp_path, text)
    assert error.location.line == 2
    assert error.message in {"*a is an alias", "*b is an alias"}


def test_a_file_that_is_too_large_is_refused(tmp_path):
    assert "1000010 bytes" in failure(tmp_path, "#" * 1_000_009 + "\n").message


@given(text=st.text(alphabet=st.sampled_from("engisdfault: -[]{}#&*!|>'\"%@`,?\n\t\x00\x85é0"), max_size=200))
@examples(max_examples=300, deadline=None)
def test_no_text_gets_past_the_reader_unless_it_is_settings(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    (folder / "dataos.yaml").write_text(text, encoding="utf-8")
    with contextlib.suppress(SettingsError):
        assert load_settings(folder).project == folder.resolve()


@given(
    values=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
        max_leaves=5,
    ),
    name=st.sampled_from([*Settings.model_fields, "engines.spark.conf", "limits.depth", "catalogs.x"]),
)
@examples(max_examples=300, deadline=None)
def test_no_value_of_any_setting_gets_past_the_model_unless_it_fits(tmp_path_factory, values, name):
    folder = tmp_path_factory.mktemp("any")
    content = values
    for step in reversed(name.split(".")):
        content = {step: content}
    (folder / "dataos.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    outcome = None
    try:
        load_settings(folder)
    except SettingsError as error:
        outcome = error
    assert outcome is None or outcome.location is not None


def test_a_binary_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "dataos.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load_settings(tmp_path)
    (tmp_path / "dataos.yaml").unlink()
    (tmp_path / "dataos.yaml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


def test_secret_settings_are_shown_nowhere(tmp_path):
    settings = load_settings(
        project(tmp_path, "state: {url: 'postgresql://u:hunter22@h/d'}\nengines: {connect: {token: s3cr3t-token}}\n")
    )
    assert "hunter22" not in repr(settings)
    assert "s3cr3t-token" not in repr(settings)
    assert "s3cr3t-token" not in str(failure(tmp_path, "engines: {connect: {token: [s3cr3t-token]}}\n"))


def test_the_state_folder_is_never_committed(tmp_path):
    folder = load_settings(tmp_path).make_state_folder()
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_file_in_the_place_of_the_state_folder_is_refused(tmp_path):
    (tmp_path / ".dataos").write_text("mine")
    with pytest.raises(SettingsError, match=r"\.dataos is no folder"):
        load_settings(tmp_path)


def test_a_state_folder_of_somebody_else_is_refused():
    with open_folder() as folder:
        (folder / ".dataos").mkdir(mode=0)
        with without_privileges(), pytest.raises(SettingsError, match=r"this user may not open .*\.dataos"):
            load_settings(folder)
        (folder / ".dataos").chmod(0o755)


def test_a_state_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path):
    settings = load_settings(tmp_path)
    (tmp_path / ".dataos").write_text("mine")
    with pytest.raises(SettingsError, match="cannot be used: file exists"):
        settings.make_state_folder()


def test_the_documentation_lists_the_settings_as_they_are():
    rendered = subprocess.run(
        [sys.executable, ROOT / "scripts" / "settings_reference.py"], capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs" / "settings.md").read_text() == rendered, (
        "run: python scripts/settings_reference.py > docs/settings.md"
    )
