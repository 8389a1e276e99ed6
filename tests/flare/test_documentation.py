"""Every manifest of docs/flare.md runs, on both engines, and gives what stands below it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "flare.md"
_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
_FILE = re.compile(r"`(?P<name>[^`]+)`:")
_HOLDS = re.compile(r"`(?P<address>dataos://[^`]+)` then holds:")


@dataclass
class Example:
    """A manifest of the page, and the dataset it is said to write with its rows as text."""

    text: str
    whole: bool
    address: str = ""
    rows: str = ""


def read_page() -> tuple[dict[str, str], list[Example]]:
    files: dict[str, str] = {}
    examples: list[Example] = []
    for block in _BLOCK.finditer(PAGE.read_text("utf-8")):
        file, holds = _FILE.fullmatch(block["before"]), _HOLDS.search(block["before"])
        if holds:
            examples[-1].address, examples[-1].rows = holds["address"], block["text"]
        elif file and "type: workflow" in block["text"]:
            files[file["name"]] = block["text"]
            examples.append(Example(block["text"], whole=True))
        elif file:
            files[file["name"]] = block["text"]
        elif block["language"] == "yaml":
            examples.append(Example(block["text"], whole=False))
    return files, examples


def as_text(columns: list[str], rows: list[tuple[object, ...]]) -> list[list[str]]:
    return [columns, *sorted(["NULL" if value is None else str(value) for value in row] for row in rows)]


def test_the_page_has_examples_and_every_one_says_what_it_writes():
    files, examples = read_page()
    assert {"depot.yaml", "data/orders.csv", "data/events.json", "first.yaml"} == files.keys()
    assert len(examples) == 13
    assert all(example.address and example.rows for example in examples)


def test_every_manifest_of_the_page_gives_what_stands_below_it(project):
    files, examples = read_page()
    for name, text in files.items():
        project.write(name, text)
    for number, example in enumerate(examples):
        if example.whole:
            [outcome] = project.run(yaml.safe_load(example.text)["name"]).outcomes
            assert outcome.error is None, outcome.error
        else:
            project.run_job(example.text, name=f"example-{number}")
        header, *rows = csv.reader(io.StringIO(example.rows))
        assert as_text(*project.table(example.address)) == [header, *sorted(rows)], example.address
