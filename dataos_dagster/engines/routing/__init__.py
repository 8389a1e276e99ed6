"""Which engine runs a job: what its SQL is made of, and what of that is proven equal on Sail and on Spark.

`constructs` names what a query consists of (`calls` and their literal `forms`, `expressions` with the `operands` that
matter, `clauses`), `proven` is what the parity suite has shown, and `decision` chooses.
"""

from __future__ import annotations

from dataos_dagster.engines.routing.decision import Route, Verdict, constructs_of, route, unproven, verdict

__all__ = ["Route", "Verdict", "constructs_of", "route", "unproven", "verdict"]
