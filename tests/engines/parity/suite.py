"""Run the parity suite, and make the list of what is proven out of it.

`python tests/engines/parity` runs it on both engines, writes `dataos_dagster/engines/routing/proven.py` and the table in
`docs/engines.md`, and says which vectors are filed wrongly.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlglot
from parity.comparison import Outcome, differences, run
from parity.vectors import register

from dataos_dagster.engines.routing.calls import calls_of
from dataos_dagster.engines.routing.constructs import constructs_of
from dataos_dagster.engines.routing.expressions import OPERATORS
from dataos_dagster.engines.routing.operands import RESULTS, family_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parity.case import Case

    from dataos_dagster.engines.session import EngineSession

AREAS = {
    "arithmetic": "Numbers",
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
        result: Family of what came out, `various` for whole queries.
        differences: How the engines differ; empty when they agree.
        error: Message of the engines when both refuse.
        columns: Types of the vectors' columns, by view.
    """

    area: str
    case: Case
    vector: str
    result: str
    differences: tuple[str, ...]
    error: str | None
    columns: Columns

    @property
    def operands(self) -> tuple[str, ...]:
        """Return the families of the operands of the construct, as the vector uses it."""
        return operands_of(self.case, self.vector, self.columns)[0]

    @property
    def used(self) -> bool:
        """Return whether the vector uses the construct at all."""
        return operands_of(self.case, self.vector, self.columns)[1]

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
        together = _equal_together(case, sail, spark)
        for vector in case.equal:
            outcome = together.get(vector) or _each(case, vector, sail, spark)
            yield _finding(area, case, vector, columns, *outcome)
        for vector in case.different:
            yield _finding(area, case, vector, columns, *_each(case, vector, sail, spark))


def _equal_together(case: Case, sail: EngineSession, spark: EngineSession) -> dict[str, tuple[Outcome, Outcome]]:
    """Return the outcomes of the vectors that should agree, from one query on each engine.

    Most of a small query's time is not its rows'. Where the query fails as a whole, each vector is run on its own.
    """
    if case.shape == "query" or len(case.equal) < 2:
        return {}
    sql = case.query(", ".join(f"{vector} as v{number}" for number, vector in enumerate(case.equal)))
    outcomes = [run(engine, sql) for engine in (sail, spark)]
    if any(outcome.error for outcome in outcomes):
        return {}
    on_sail, on_spark = ([outcome.column(number + 1) for number in range(len(case.equal))] for outcome in outcomes)
    return dict(zip(case.equal, zip(on_sail, on_spark, strict=True), strict=True))


def _each(case: Case, vector: str, sail: EngineSession, spark: EngineSession) -> tuple[Outcome, Outcome]:
    sql = case.query(vector)
    return run(sail, sql, ordered=case.ordered), run(spark, sql, ordered=case.ordered)


def _finding(area: str, case: Case, vector: str, columns: Columns, on_sail: Outcome, on_spark: Outcome) -> Finding:
    result = "various" if case.shape == "query" or on_spark.error else family_of(on_spark.types[-1])
    return Finding(
        area=area,
        case=case,
        vector=vector,
        result=result,
        differences=tuple(differences(on_sail, on_spark, digits=case.digits)),
        error=on_spark.error if on_sail.error else None,
        columns=columns,
    )


def operands_of(case: Case, vector: str, columns: Columns) -> tuple[tuple[str, ...], bool]:
    """Return the operand families with which a vector uses its construct, and whether it uses it."""
    uses = [found for found in constructs_of(case.query(vector), columns) if found.name == case.construct]
    operands = {family for use in uses for family in use.operands} - {"null"}
    return tuple(sorted(operands)), bool(uses)


def settled_proofs(found: list[Finding]) -> dict[str, Proof]:
    """Return the proofs with operands told by these proofs' own results, where those of the last list are out of date.

    Of what family `sum(n * x)` has its operand is told by what the suite shows of `*`.
    """
    while True:
        shown = proofs(found)
        results = results_of(shown)
        if results == dict(RESULTS):
            return shown
        RESULTS.clear()
        RESULTS.update(results)


def results_of(shown: dict[str, Proof]) -> dict[str, dict[str, str]]:
    """Return the family of each construct's result by its operands, where it is always the same."""
    table = {
        name: {
            ",".join(operands): next(iter(kinds))
            for operands, kinds in sorted(proof.results.items())
            if len(kinds) == 1
        }
        for name, proof in shown.items()
        if proof.proven
    }
    return {name: results for name, results in table.items() if results}


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


def proofs(found: Iterable[Finding]) -> dict[str, Proof]:
    """Return what the findings show, by construct."""
    shown: dict[str, Proof] = {}
    for item in found:
        proof = shown.setdefault(item.case.construct, Proof(item.area))
        proof.vectors += 1
        operands = item.operands
        if item.differences:
            proof.different.add(operands)
            if item.case.because and item.case.because not in proof.because:
                proof.because.append(item.case.because)
        else:
            proof.equal.add(operands)
            # Only where the construct is the whole vector is the vector's result the construct's.
            known = item.result != "various" and "unknown" not in operands
            if known and is_whole(item.case.construct, item.vector):
                proof.results[operands].add(item.result)
    return dict(sorted(shown.items()))
