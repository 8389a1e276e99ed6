"""Run the parity suite, and make the list of what is proven out of it.

`python tests/engines/parity` runs it on both engines, writes `dataos_dagster/engines/proven.py` and the table in
`docs/engines.md`, and says which vectors are filed wrongly.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlglot
from parity.comparison import differences, run
from parity.vectors import register

from dataos_dagster.engines.calls import calls_of
from dataos_dagster.engines.constructs import OPERATORS, constructs_of
from dataos_dagster.engines.operands import family_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parity.case import Case

    from dataos_dagster.engines.session import EngineSession

AREAS = {
    "numbers": "Numbers",
    "text": "Text",
    "dates": "Dates and times",
    "conditions": "Conditions and casts",
    "nested": "Arrays, maps, structs, JSON",
    "aggregates": "Aggregates and windows",
    "queries": "Forms of a query",
}

Columns = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Finding:
    """What both engines made of one vector.

    Attributes:
        area: Module of the case.
        operands: Families of the operands of the construct, as the vector uses it.
        result: Family of what came out, `various` for whole queries.
        differences: How the engines differ; empty when they agree.
        error: Message of the engines when both refuse.
        used: Whether the vector uses the construct at all.
    """

    area: str
    case: Case
    vector: str
    operands: tuple[str, ...]
    result: str
    differences: tuple[str, ...]
    error: str | None
    used: bool

    @property
    def problem(self) -> str | None:
        """Return what is wrong with how the vector is filed, or None."""
        if not self.used:
            return f"the vector does not use {self.case.construct!r}"
        if self.error:
            return f"both engines refuse it: {self.error}"
        if self.vector in self.case.equal and self.differences:
            return f"filed as equal, but {'; '.join(self.differences[:3])}"
        if self.vector in self.case.different and not self.differences:
            return "filed as different, but the engines agree now: file it as equal and publish the list"
        return None


@dataclass
class Proof:
    """What the suite shows of one construct: sets of operand families on which engines agree, and those where not."""

    area: str
    equal: set[tuple[str, ...]] = field(default_factory=set)
    different: set[tuple[str, ...]] = field(default_factory=set)
    results: dict[tuple[str, ...], set[str]] = field(default_factory=lambda: defaultdict(set))
    because: list[str] = field(default_factory=list)
    vectors: int = 0

    @property
    def proven(self) -> set[tuple[str, ...]]:
        return self.equal - self.different


def cases() -> Iterator[tuple[str, Case]]:
    """Return all cases with the name of their area."""
    for area in AREAS:
        for case in importlib.import_module(f"parity.{area}").CASES:
            yield area, case


def findings(sail: EngineSession, spark: EngineSession) -> Iterator[Finding]:
    """Run every vector on both engines."""
    columns = register(sail.spark)
    assert columns == register(spark.spark)
    for area, case in cases():
        for vector in (*case.equal, *case.different):
            yield finding(area, case, vector, columns, sail, spark)


def finding(area: str, case: Case, vector: str, columns: Columns, sail: EngineSession, spark: EngineSession) -> Finding:
    """Run one vector on both engines."""
    sql = case.query(vector)
    on_sail, on_spark = run(sail, sql, ordered=case.ordered), run(spark, sql, ordered=case.ordered)
    operands, used = operands_of(case, vector, columns)
    result = "various" if case.shape == "query" or on_spark.error else family_of(on_spark.types[-1])
    return Finding(
        area=area,
        case=case,
        vector=vector,
        operands=operands,
        result=result,
        differences=tuple(differences(on_sail, on_spark, digits=case.digits)),
        error=on_spark.error if on_sail.error else None,
        used=used,
    )


def operands_of(case: Case, vector: str, columns: Columns) -> tuple[tuple[str, ...], bool]:
    """Return the operand families with which a vector uses its construct, and whether it uses it."""
    uses = [found for found in constructs_of(case.query(vector), columns) if found.name == case.construct]
    operands = {family for use in uses for family in use.operands} - {"null"}
    return tuple(sorted(operands)), bool(uses)


def is_whole(construct: str, vector: str) -> bool:
    """Return whether an expression is one use of a construct: `upper(s)` of `upper/1`, `n + 1` of `+`."""
    [projection] = sqlglot.parse_one(f"select {vector}", dialect="spark").expressions
    if OPERATORS.get(type(projection)) == construct:
        return True
    tokens = sqlglot.tokenize(vector, dialect="spark")
    call = next(calls_of(tokens), None)
    if call is None or call.start != 0 or call.construct != construct:
        return False
    behind = call.arguments[-1].end + 1 if call.arguments else 3
    return behind >= len(tokens) or tokens[behind].text.upper() in {"OVER", "FILTER"}


def proofs(found: list[Finding]) -> dict[str, Proof]:
    """Return what the findings show, by construct."""
    shown: dict[str, Proof] = {}
    for item in found:
        proof = shown.setdefault(item.case.construct, Proof(item.area))
        proof.vectors += 1
        if item.differences:
            proof.different.add(item.operands)
            if item.case.because and item.case.because not in proof.because:
                proof.because.append(item.case.because)
        else:
            proof.equal.add(item.operands)
            # Only where the construct is the whole vector is the vector's result the construct's.
            if item.result != "various" and is_whole(item.case.construct, item.vector):
                proof.results[item.operands].add(item.result)
    return dict(sorted(shown.items()))
