"""Every diagnostic is explained, and its example gets it."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from dataos_dagster.manifests.codes import CODES, TOPICS
from dataos_dagster.manifests.interpolation import interpolate
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

ROOT = Path(__file__).parents[2]
# What reports a diagnostic, by the name it is called with.
REPORTERS = {
    "Diagnostic", "Finding", "Problem", "Unreadable", "diagnostic", "error", "warn", "info", "_report", "_error",
    "_warning", "_odd", "_moved", "_quote", "_replaced", "refuse", "unresolved", "_at", "SqlRefused", "at",
    "MisreadLine", "_Rule",
}  # fmt: skip
READ_TOPICS = (
    "Files",
    "YAML that does not parse",
    "Indentation",
    "YAML that means something else",
    "Variables and placeholders",
)
EXAMPLES = [entry for topic in READ_TOPICS for entry in TOPICS[topic] if entry.wrong and "…" not in entry.wrong]


def reported_codes() -> dict[str, str]:
    """Return each code that the source reports, with a file that does."""
    codes = {}
    for file in (ROOT / "dataos_dagster").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in REPORTERS:
                continue
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if isinstance(argument, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", str(argument.value)):
                    codes[argument.value] = str(file.relative_to(ROOT))
    return codes


def found_in(text: str):
    documents, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LimitSettings())
    for document in documents:
        diagnostics += interpolate(document, document.data, {}).diagnostics
    return diagnostics


def test_every_code_that_is_reported_is_explained():
    reported = reported_codes()
    assert len(reported) > 40
    assert {code: file for code, file in reported.items() if code not in CODES} == {}


def test_codes_are_unique():
    assert len(CODES) == sum(len(entries) for entries in TOPICS.values())


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_an_entry_is_a_title_sentences_and_a_pair_of_examples(entry):
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", entry.code)
    assert not entry.title.endswith(".")
    assert entry.explanation.endswith(".")
    assert entry.wrong
    assert entry.right
    assert entry.wrong != entry.right


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry.code)
def test_the_wrong_example_gets_the_code_and_the_right_one_nothing(entry):
    assert entry.code in {found.code for found in found_in(entry.wrong)}
    # Braces in quotes are right as YAML, and still a placeholder.
    assert {found.code for found in found_in(entry.right)} <= {"placeholder"}


def test_the_page_of_diagnostics_says_what_the_catalogue_says():
    path = ROOT / "scripts/write_diagnostics.py"
    spec = importlib.util.spec_from_file_location("write_diagnostics", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.DOCUMENT.read_text(encoding="utf-8") == script.render(), "run: python scripts/write_diagnostics.py"
