"""Published Flare jobs mean the same when they are written otherwise: other order, quotes, case, style, older forms."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from dataos_dagster.flare.plan import JobPlan
from tests.builders.other_spellings import SPELLINGS
from tests.builders.published_jobs import CORPUS, PublishedJobs, files_with_jobs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

# Where things stand, which is all that may differ.
_PLACE = re.compile(r"[^\s\"]*\b\d+:\d+\b")


def spelling_of(file: Path) -> str:
    """Return one of the ways to write a file, always the same."""
    return random.Random(f"{file.name} 7").choice(sorted(SPELLINGS))


@pytest.mark.parametrize("file", files_with_jobs(), ids=lambda file: f"{file.name}: {spelling_of(file)}")
def test_a_job_in_other_words_is_the_same_job(file: Path, tmp_path: Path):
    text = file.read_text(encoding="utf-8")
    other = tmp_path / f"{file.stem}.yml"
    # As bytes: line ends stay as they are.
    other.write_bytes(SPELLINGS[spelling_of(file)](text).encode())

    assert plans_of(other, tmp_path) == plans_of(file, tmp_path)


def plans_of(file: Path, folder: Path) -> list[Any]:
    jobs = PublishedJobs.read(file, folder / "project", engine="auto")
    with jobs.runner:
        plans = jobs.plans().values()
    assert [plan for plan in plans if not isinstance(plan, JobPlan)] == []
    return [
        # Variables are told in the order in which they are written.
        json.loads(_PLACE.sub("", json.dumps(plan.as_json())))
        | {"environment": None, "findings": sorted(map(_said, plan.findings))}
        for plan in plans
        if isinstance(plan, JobPlan)
    ]


def _said(finding: Exception) -> str:
    return _PLACE.sub("", str(finding))
