"""Sail and Apache Spark agree on what the list says they agree on, and on no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from parity.publish import BEGIN, DOCUMENT, END, PROVEN_FILE, proven_source, table
from parity.suite import cases, findings, proofs
from parity.vectors import tables

from dataos_dagster.engines.routing import proven

if TYPE_CHECKING:
    from parity.suite import Finding, Proof

    from dataos_dagster.engines.session import EngineSession

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


def test_at_least_150_functions_and_operators_are_proven() -> None:
    functions = [name for name in proven.PROVEN if "/" in name]
    assert len(functions) >= 150


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
