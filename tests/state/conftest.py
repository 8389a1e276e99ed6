"""Every test of the state database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from dataos_dagster.settings import Settings
from dataos_dagster.state.database import State


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    """Return the settings of a project without a state database yet."""
    if request.param == "sqlite":
        return Settings(project=tmp_path)
    server = request.getfixturevalue("postgresql")
    return Settings(project=tmp_path, state={"url": server.url(server.create_database(), driver="postgresql")})


@pytest.fixture
def state(settings):
    """Return an open, empty state database."""
    return State.open(settings)
