"""Column lineage: which columns of which datasets each column of an output is computed from.

Followed through the SQL of every step and its functions, without asking an engine. What cannot be followed is said so
instead of being guessed: a column is either traced completely or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.flare.query_lineage import Untraceable, trace_query
from dataos_dagster.flare.trace import sources_by_name
from dataos_dagster.workflows.results import ColumnLineage, ColumnSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from dataos_dagster.flare.inputs import PlannedInput
    from dataos_dagster.flare.steps import PlannedStep
    from dataos_dagster.flare.trace import Trace


class Lineage:
    """The traces of a job's views, as they are registered one after the other."""

    def __init__(self) -> None:
        self._traces: dict[str, Trace] = {}
        self._reasons: dict[str, str] = {}

    def add_input(self, planned: PlannedInput, columns: Iterable[str]) -> None:
        """Register an input: each of its columns comes from the dataset's column of that name."""
        address, dataset = planned.address, planned.dataset
        self._traces[planned.view.lower()] = {column: (ColumnSource(address, dataset, column),) for column in columns}

    def add_step(self, step: PlannedStep, results: Iterable[DataFrame]) -> None:
        """Register a step.

        Args:
            step: The step.
            results: The frame behind each function, in order; only their schemas are looked at, and only by
                functions whose columns the engine names.
        """
        name = step.name.lower()
        try:
            trace = self._of_query(step)
            for function, frame in zip(step.functions, results, strict=True):
                trace = function.trace(trace, frame)
        except Untraceable as reason:
            self._traces.pop(name, None)
            self._reasons[name] = f"{step.label}: {reason}"
        else:
            self._traces[name] = trace
            self._reasons.pop(name, None)

    def of_output(self, view: str, columns: Iterable[str]) -> ColumnLineage:
        """Return the lineage of the dataset that a view is written to.

        Args:
            view: The view.
            columns: The dataset's columns.
        """
        names = tuple(columns)
        trace = self._traces.get(view.lower())
        if trace is None:
            return ColumnLineage({}, (self._reasons.get(view.lower(), f"{view}: not a traced view"),))
        sources = sources_by_name(trace)
        found = {name: sources.get(name.lower()) for name in names}
        known = {name: columns_of for name, columns_of in found.items() if columns_of is not None}
        missing = [name for name in names if name not in known]
        return ColumnLineage(known, (f"{view}: could not follow {', '.join(missing)}",) if missing else ())

    def _of_query(self, step: PlannedStep) -> Trace:
        from dataos_dagster.flare.sql import parse_statement

        # Implicit inputs, and views in another spelling, stand in `step.sql` only.
        statement = step.statement if step.sql == step.statement.sql else parse_statement(step.sql)
        if statement.tree is None:
            raise Untraceable("the SQL has forms that only Spark reads")
        known = {}
        for relation in statement.relations:
            name = relation.name.lower()
            trace = self._traces.get(name)
            if trace is None:
                raise Untraceable(self._reasons.get(name, f"the columns of {relation.name} are not known"))
            known[name] = trace
        return trace_query(statement.tree, known)
