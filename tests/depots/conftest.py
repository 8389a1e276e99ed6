"""Fixtures: a project with depots, on Sail, on Apache Spark, or on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from depot_shop import SHOP_FILES, Shop

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.engines.session import Sessions


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project with a depot of files, a lakehouse of its own, and nothing else."""
    (tmp_path / "shopfiles.yaml").write_text(SHOP_FILES)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture(params=["sail", "spark"])
def shop(request: pytest.FixtureRequest, project: Path, sessions: Sessions) -> Shop:
    """Run the test on Sail and on Apache Spark."""
    if request.param == "spark":
        request.getfixturevalue("spark_jars")
    return Shop(project, request.param, sessions)


@pytest.fixture
def sail_shop(project: Path, sessions: Sessions) -> Shop:
    """Run the test on Sail."""
    return Shop(project, "sail", sessions)


@pytest.fixture
def spark_shop(project: Path, sessions: Sessions, spark_jars: None) -> Shop:
    """Run the test on Apache Spark."""
    return Shop(project, "spark", sessions)
