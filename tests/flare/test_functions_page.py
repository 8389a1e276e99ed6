"""docs/flare_functions.md: its tables are those of the functions, its manifests run and write what it says."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
from pathlib import Path

import yaml
from pages import read_examples

from dataos_dagster.flare.functions.registry import FUNCTIONS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "flare_functions.md"


def as_text(columns, rows):
    return [columns, *sorted(["NULL" if value is None else str(value) for value in row] for row in rows)]


def test_the_tables_are_those_of_the_functions():
    spec = importlib.util.spec_from_file_location("write_functions", ROOT / "scripts" / "write_functions.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = PAGE.read_text("utf-8")
    assert script.with_tables(page) == page, "run: python scripts/write_functions.py"
    assert {name for name in FUNCTIONS if f"| `{name}` |" in page} == FUNCTIONS.keys()


def test_every_function_has_a_description_of_each_parameter():
    assert [
        f"{function.name}.{name}"
        for function in FUNCTIONS.values()
        for name, field in function.model_fields.items()
        if not field.description
    ] == []


def test_the_examples_use_functions_of_every_family():
    _, examples = read_examples(PAGE)
    items = [item for example in examples for step in yaml.safe_load(example.job)["steps"] for item in step["sequence"]]
    used = {call["name"] for item in items for call in item.get("functions", ())}
    # These are shown on the page about jobs, and need no rows to be understood.
    assert FUNCTIONS.keys() - used == {
        "change_column_case", "flatten", "generate_uuid", "rename_all", "set_type", "snake_case",
    }  # fmt: skip


def test_every_manifest_of_the_page_writes_what_stands_below_it(project):
    files, examples = read_examples(PAGE)
    for name, text in files.items():
        project.write(name, text)
    for number, example in enumerate(examples):
        assert example.holds
        project.run_job(example.job, name=f"example-{number}")
        for address, rows in example.holds.items():
            header, *expected = csv.reader(io.StringIO(rows))
            assert as_text(*project.table(address)) == [header, *sorted(expected)], address
    sys.modules.pop("shop_texts")
