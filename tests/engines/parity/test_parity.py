"""Sail and Apache Spark agree on what the list says they agree on, and on no more."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlglot
import yaml
from parity.publish import BEGIN, DOCUMENT, END, FUNCTIONS_FILE, PROVEN_FILE, functions_source, proven_source, table
from parity.suite import cases, findings, proofs
from parity.vectors import tables

from dataos_dagster.engines.routing import proven
from dataos_dagster.engines.routing.builtin import FUNCTIONS
from dataos_dagster.engines.routing.calls import calls_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parity.suite import Finding, Proof

    from dataos_dagster.engines.session import EngineSession

CORPUS = Path(os.environ.get("DATAOS_CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))
PUBLISH = "run `python tests/engines/parity` and read the change"


@pytest.fixture(scope="module")
def found(sail_session: EngineSession, spark_session: EngineSession) -> list[Finding]:
    return list(findings(sail_session, spark_session))


@pytest.fixture(scope="module")
def shown(found: list[Finding]) -> dict[str, Proof]:
    return proofs(found)


def test_every_vector_is_filed_as_what_the_engines_make_of_it(found: list[Finding]) -> None:
    wrong = [f"{item.case.construct}: {item.vector}: {item.problem}" for item in found if item.problem]
    assert wrong == []


def test_the_list_holds_exactly_what_the_suite_shows_equal(shown: dict[str, Proof]) -> None:
    assert PROVEN_FILE.read_text("utf-8") == proven_source(shown), PUBLISH


def test_the_documentation_shows_the_list(shown: dict[str, Proof]) -> None:
    text = DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert text == table(shown), PUBLISH


def test_the_functions_that_spark_has_are_those_of_the_list(spark_session: EngineSession) -> None:
    names = [name for [name] in spark_session.spark.sql("SHOW SYSTEM FUNCTIONS").collect()]
    assert FUNCTIONS_FILE.read_text("utf-8") == functions_source(names), PUBLISH


def test_at_least_300_functions_are_proven() -> None:
    assert len({name.partition("/")[0] for name in proven.PROVEN if "/" in name}) >= 300


def test_every_function_of_the_published_manifests_is_proven() -> None:
    if not CORPUS.exists():
        pytest.skip(f"the published manifests are not in {CORPUS}")
    used = {call.name for sql in published_statements(CORPUS) for call in calls_of(sqlglot.tokenize(sql, "spark"))}
    proven_names = {re.split(r"[/ ]", name)[0] for name in proven.PROVEN}
    assert len(used & FUNCTIONS) >= 15
    assert (used & FUNCTIONS) - proven_names == set()


def published_statements(folder: Path) -> Iterator[str]:
    """Yield the SQL of every workflow in a folder of manifests."""
    for file in sorted(folder.rglob("*.y*ml")):
        try:
            documents = list(yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader))
        except yaml.YAMLError:
            continue  # placeholders of templates
        yield from (sql for document in documents for sql in _statements(document))


def _statements(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _statements(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "sql" and isinstance(item, str):
                yield item
            else:
                yield from _statements(item)


def test_each_vector_stands_once() -> None:
    seen = [(case.construct, vector) for _, case in cases() for vector in (*case.equal, *case.different)]
    assert len(seen) == len(set(seen))


def test_every_column_of_the_vectors_has_a_null_and_distinct_values() -> None:
    rows = tables()["t"]
    for column in rows.column_names:
        if column != "id":
            assert rows[column].null_count >= 1, column
            assert len(set(map(str, rows[column].to_pylist()))) > 2, column


def test_what_is_known_to_differ_says_how() -> None:
    assert [case.construct for _, case in cases() if case.different and not case.because] == []
