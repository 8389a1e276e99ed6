"""Steps that join two views without SQL: `classpath: io.dataos.flare.step.codes.Joiner`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.relations import SqlRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

JOINER = "io.dataos.flare.step.codes.Joiner"
_PARAMETERS = ("join", "inputs", "joinExpr")
# The words that Spark's join takes, to those of its SQL (`JoinType`, Spark 4.1).
_JOINS = {
    "inner": "INNER",
    # With a condition, which Spark takes for one of an inner join and Sail refuses.
    "cross": "INNER",
    "left": "LEFT",
    "leftouter": "LEFT",
    "right": "RIGHT",
    "rightouter": "RIGHT",
    "full": "FULL",
    "fullouter": "FULL",
    "outer": "FULL",
    "leftsemi": "LEFT SEMI",
    "semi": "LEFT SEMI",
    "leftanti": "LEFT ANTI",
    "anti": "LEFT ANTI",
}


def join_query(params: Mapping[str, Any]) -> str:
    """Return the query that a declared join means: all columns of both sides.

    Args:
        params: `join` is its kind, `inputs` are two views, `joinExpr` is the condition.

    Raises:
        SqlRefused: A parameter is missing, unknown or wrong.
    """
    wrong = [key for key in params if key not in _PARAMETERS] or [
        key for key in _PARAMETERS if not str(params.get(key) or "").strip()
    ]
    if wrong:
        raise SqlRefused(
            f"the join {'has no parameter' if wrong[0] in params and params[wrong[0]] else 'needs the parameter'} "
            f"{wrong[0]!r}",
            hint="params: join (such as LEFT), inputs (two views), joinExpr (such as a.id = b.id)",
        )
    join = _JOINS.get("".join(character for character in str(params["join"]).lower() if character.isalpha()))
    if join is None:
        raise SqlRefused(f"{params['join']!r} is no join", hint=f"joins: {', '.join(_JOINS)}")
    left, right = _sides(params["inputs"])
    return f"SELECT *\nFROM {quoted(left)}\n{join} JOIN {quoted(right)}\nON {params['joinExpr']}"


def _sides(inputs: Any) -> tuple[str, str]:
    names = inputs.split(",") if isinstance(inputs, str) else inputs
    sides = [str(name).strip() for name in names] if isinstance(names, list | tuple) else []
    if len(sides) != 2 or not all(sides):  # noqa: PLR2004 - left and right
        raise SqlRefused(f"a join has two inputs, and `inputs` is {inputs!r}", hint="write inputs: left, right")
    return sides[0], sides[1]
