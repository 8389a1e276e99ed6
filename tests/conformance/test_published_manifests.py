"""Manifests as DataOS users publish them: all load, or say what is wrong with them.

They are third-party documentation and no part of this repository: the tests read them from a folder beside it, or from
the one that `DATAOS_CORPUS` names, and are skipped where there is none.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from dataos_dagster.manifests.codes import CODES
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import Settings

CORPUS = Path(os.environ.get("DATAOS_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
UNPARSED = "_unparsed"
TYPED = {name for name, kind in KINDS.items() if kind.rules}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published manifests in {CORPUS}")

# Manifests of typed kinds that are refused, each with the reason why it has to be.
REFUSED = {
    "workflow/wfl-enriched-table.yaml": "the page shows the beginning of a Flare job only: it has no stackSpec",
}


def files(folder: str = "*") -> list[Path]:
    found = (file for file in CORPUS.glob(f"{folder}/*") if file.suffix in {".yaml", ".yml", ".txt"})
    return sorted(found) if CORPUS.is_dir() else []


def published() -> list[Path]:
    return [file for file in files() if file.parent.name != UNPARSED]


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    settings = Settings(project=tmp_path_factory.mktemp("project"))

    def load_file(file: Path, **options):
        options = {"allow_placeholders": True} | options
        return load_project(file, settings=settings, environment={}, use_cache=False, **options)

    return load_file


@pytest.mark.parametrize("file", published(), ids=name_of)
def test_a_published_manifest_loads(file: Path, load):
    project = load(file)

    if name_of(file) in REFUSED:
        assert project.errors
    else:
        assert [str(error) for error in project.errors] == []


@pytest.mark.parametrize("file", files(UNPARSED), ids=name_of)
def test_broken_yaml_is_answered_with_a_place_and_a_hint(file: Path, load):
    project = load(file)
    lines = file.read_text(encoding="utf-8").splitlines()

    assert project.diagnostics
    for found in project.diagnostics:
        assert 1 <= found.line <= len(lines) + 1
        assert found.column >= 1
        assert found.hint
    if not project.resources:
        assert project.errors


def test_at_least_99_of_100_manifests_of_typed_kinds_load(load):
    typed = [file for file in published() if file.parent.name in TYPED]
    refused = [name_of(file) for file in typed if load(file).errors]

    assert len(refused) <= len(typed) / 100, refused
    assert set(refused) == {name for name in REFUSED if (CORPUS / name).exists()}


def test_manifests_that_load_are_resources_of_the_kind_of_their_folder(load):
    missing = [
        name_of(file)
        for file in published()
        if file.parent.name in TYPED
        and name_of(file) not in REFUSED
        and file.parent.name not in {resource.kind for resource in load(file).resources}
    ]

    assert missing == []


@pytest.mark.parametrize("allow_placeholders", [True, False])
def test_every_diagnostic_is_located_and_explained(load, allow_placeholders: bool):
    for file in files():
        for found in load(file, allow_placeholders=allow_placeholders).diagnostics:
            assert found.code in CODES
            assert (found.line, found.column) >= (1, 1)
            assert (found.end_line, found.end_column) >= (found.line, found.column)
            assert found.message


def test_whole_folders_load_as_one_project(load):
    project = load(CORPUS)
    codes = Counter(found.code for found in project.diagnostics if found.severity is Severity.WARNING)

    assert len(project.files) >= len([file for file in published() if file.suffix != ".txt"])
    # Pages repeat names; each repetition is left out and said so.
    assert codes["duplicate-resource"] > 0


def test_templates_are_refused_unless_they_are_checked_as_templates(load):
    depots = [file for file in published() if file.parent.name == "depot"]
    open_ones = [file for file in depots if "${{" in file.read_text(encoding="utf-8")]

    assert all(load(file, allow_placeholders=False).errors for file in open_ones)
