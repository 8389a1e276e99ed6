"""Secrets of tests never meet those of whoever runs them."""

from __future__ import annotations

import os

import pytest

from dataos_dagster.settings import Settings


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path_factory):
    """Return the folder that stands for the user's configuration; no variable of this machine is seen."""
    folder = tmp_path_factory.mktemp("config")
    for name in list(os.environ):
        if name.startswith("DATAOS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    # A keyring of the desktop would be asked before the key files.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return folder


@pytest.fixture
def settings(tmp_path):
    return Settings(project=tmp_path)
