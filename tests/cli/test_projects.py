"""Which project a path belongs to."""

from __future__ import annotations

from dataos_dagster.cli.projects import project_folder


def test_settings_make_a_project_of_everything_below_them(tmp_path):
    (tmp_path / "dataos.yaml").touch()
    file = tmp_path / "a" / "b" / "wf.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    assert project_folder(file) == tmp_path
    assert project_folder(file.parent) == tmp_path


def test_without_settings_the_folder_itself_is_the_project(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / ".dataos").mkdir()
    assert project_folder(inner) == inner


def test_the_working_folder_is_the_project_of_its_files_once_it_has_state(tmp_path, monkeypatch):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / ".dataos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert project_folder(inner) == tmp_path
