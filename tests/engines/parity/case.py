"""One case of the parity suite: expressions or queries that show one construct, and on which the engines agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["rows", "groups", "query"]


@dataclass(frozen=True)
class Case:
    """Vectors of one construct.

    Attributes:
        construct: Name as `constructs_of` gives it, such as `round/2`, `+`, `left join`.
        equal: Expressions over the columns of `t` (evaluated per row, or per group of `k`) or whole queries, on which
            the engines agree.
        different: Those on which they are known to differ; the suite fails as soon as one does not any more.
        because: What differs.
        shape: How a vector becomes a query.
        digits: Significant digits to which floating point results agree (libm against StrictMath); None: all bits.
        ordered: The order of the rows is part of the result.
    """

    construct: str
    equal: tuple[str, ...]
    different: tuple[str, ...] = ()
    because: str = ""
    shape: Shape = "rows"
    digits: int | None = None
    ordered: bool = False

    def query(self, vector: str) -> str:
        """Return the query that a vector stands for."""
        if self.shape == "rows":
            return f"select id, {vector} from t"
        if self.shape == "groups":
            return f"select k, {vector} from t group by k"
        return vector


def rows(
    construct: str, *equal: str, different: tuple[str, ...] = (), because: str = "", digits: int | None = None
) -> Case:
    """Return a case whose expressions give one value a row."""
    return Case(construct, equal, different, because, "rows", digits=digits)


def groups(
    construct: str, *equal: str, different: tuple[str, ...] = (), because: str = "", digits: int | None = None
) -> Case:
    """Return a case whose expressions give one value a group."""
    return Case(construct, equal, different, because, "groups", digits=digits)


def query(
    construct: str, *equal: str, different: tuple[str, ...] = (), because: str = "", ordered: bool = False
) -> Case:
    """Return a case of whole queries."""
    return Case(construct, equal, different, because, "query", ordered=ordered)
