"""The page of killed processes adds up what its scripts count, each in its own section."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kills_page.py"


@pytest.fixture
def kills_page(monkeypatch):
    spec = importlib.util.spec_from_file_location("kills_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kills_page", module)
    spec.loader.exec_module(module)
    return module


def test_each_section_has_its_own_sum_wherever_it_stands(kills_page, tmp_path):
    page = tmp_path / "KILLS.md"
    streams = kills_page.Section("Streams", "Words.", "stream", ("kills", "lost"), ("kills", "lost"))
    jobs = kills_page.Section("Jobs", "Words.", "job", ("kills", "doubled"), ("kills", "doubled"))
    kills_page.add(streams, "a", {"kills": 3}, page)
    kills_page.add(jobs, "b", {"kills": 1200, "doubled": 1}, page)
    kills_page.add(jobs, "c", {"kills": 34}, page)
    assert kills_page.said(jobs, page) == "1,234 kills, 1 doubled"
    assert kills_page.said(streams, page) == "3 kills, 0 lost"
    assert "**1,234 kills, 1 doubled**" in page.read_text()
    kills_page.forget(jobs, page)
    assert kills_page.read(jobs, page) == {}
    assert kills_page.said(streams, page) == "3 kills, 0 lost"
    assert kills_page.read(jobs, tmp_path / "none.md") == {}
