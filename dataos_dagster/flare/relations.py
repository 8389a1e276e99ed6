"""What the SQL of a step reads, found in its syntax tree, and what would reach data another way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERY_HINT = "a step is a SELECT over inputs and earlier steps; what is written stands in `outputs`"
# Functions that may stand where a relation does: they make rows from their arguments and open nothing.
_ROW_GENERATORS = frozenset(
    {
        "range", "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack",
        "json_tuple", "variant_explode", "variant_explode_outer", "unnest",
    }
)  # fmt: skip
# They call any Java method: no reading of the SQL could say what that touches.
CALLS_JAVA = frozenset({"reflect", "java_method", "try_reflect"})
_FILE_FORMATS = frozenset({"parquet", "csv", "json", "orc", "avro", "text", "delta", "iceberg", "binaryfile", "xml"})


# Code of what is right SQL for the platform's query engine, and means nothing equal here.
NOT_RUN = "query-not-run"


class SqlRefused(JobError):
    """A step's SQL is not a query over views of the job.

    Attributes:
        line: 1-based line inside the SQL.
        column: 1-based column inside the SQL.
        length: How many characters are at fault.
        code: Diagnostic code: `sql-syntax`, `sql-misplaced`, `sql-not-read` (it may well be right), `sql-refused`, or
            `query-not-run`.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        line: int = 1,
        column: int = 1,
        length: int = 1,
        code: str = "sql-refused",
    ) -> None:
        self.line = line
        self.column = column
        self.length = length
        self.code = code
        super().__init__(message, hint=hint)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view that the SQL names, other than its own common table expressions.

    Attributes:
        parts: `("orders",)` for a view, `("lakehouse", "sales", "orders")` for a dataset.
        start: 0-based offset of the first character in the SQL.
        end: Offset behind the last.
        alias: The name it is given there, if any.
    """

    parts: tuple[str, ...]
    line: int
    column: int
    start: int
    end: int
    alias: str | None = None

    @property
    def name(self) -> str:
        """Return the parts joined by dots."""
        return ".".join(self.parts)

    def refused(self, message: str, hint: str | None) -> SqlRefused:
        """Return the error of a query that may not read this relation, at its place."""
        return SqlRefused(message, hint=hint, line=self.line, column=self.column, length=self.end - self.start)


def refuse_side_doors(tree: Any) -> None:
    """Check that a query reads, writes and runs nothing that its relations do not name.

    Raises:
        SqlRefused: It does.
    """
    from sqlglot import exp

    for node in tree.find_all(exp.DML, exp.DDL, exp.Command, exp.QueryTransform, exp.Into):
        if isinstance(node, exp.Query) and not isinstance(node, exp.Into):
            continue
        raise SqlRefused(f"{type(node).__name__.upper()} is not allowed in a step", hint=QUERY_HINT)
    refuse_calls(tree)


def refuse_calls(tree: Any) -> None:
    """Check that a tree calls no Java, and that functions in the place of relations only make rows.

    Raises:
        SqlRefused: One does more.
    """
    from sqlglot import exp

    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() in CALLS_JAVA:
            raise SqlRefused(f"{call.name} calls Java, which a step may not", hint="use functions of Spark SQL")
    for lateral in tree.find_all(exp.Lateral):
        _check_generator(lateral.this)


def relations_of(tree: Any) -> tuple[Relation, ...]:
    """Return the relations of a query that are no common table expressions, in the order of its text.

    Raises:
        SqlRefused: One opens files, or a function stands in the place of a table that does more than make rows.
    """
    return tuple(sorted(_relations(tree), key=lambda relation: relation.start))


def _relations(tree: Any) -> Iterator[Relation]:
    from sqlglot import exp

    for table in tree.find_all(exp.Table):
        if table.find_ancestor(exp.Hint) is not None:
            continue  # `/*+ BROADCAST(o) */` speaks of a relation that the query itself names
        if isinstance(table.this, exp.Func):
            _check_generator(table.this)
            continue
        parts = tuple(part.name for part in table.parts)
        if len(parts) == 1 and _is_common_table(table, parts[0]):
            continue
        first, last = table.parts[0].meta, table.parts[-1].meta
        if "start" not in first:
            message = f"{table.sql('spark')} is no name of a view"
            raise SqlRefused(message, hint="write the name of an input or of an earlier step")
        relation = Relation(
            parts,
            line=first["line"],
            column=first["col"] - (first["end"] - first["start"]),
            start=first["start"],
            end=last["end"] + 1,
            alias=table.alias or None,
        )
        check_relation(relation, travels=bool(table.args.get("version") or table.args.get("when")))
        yield relation


def check_relation(relation: Relation, *, travels: bool) -> None:
    """Check that a relation is a view or a dataset, as it is now.

    Args:
        relation: The relation.
        travels: The SQL asks for an older state of it.

    Raises:
        SqlRefused: It opens files, or asks for an older state.
    """
    if len(relation.parts) == 2 and relation.parts[0].lower() in _FILE_FORMATS:  # noqa: PLR2004 - format.`path`
        raise relation.refused(
            f"{relation.name!r} opens files past the job's inputs",
            "add an input with this path, and select from its name",
        )
    if travels:
        raise relation.refused(
            f"{relation.name!r} asks for an older state in SQL",
            "read it as an input with the option `snapshot-id` or `as-of-timestamp`",
        )


def _check_generator(function: Any) -> None:
    """Refuse a function in the place of a relation, unless it only makes rows of its arguments."""
    from sqlglot import exp

    if isinstance(function, exp.Query | exp.Subquery | exp.Values):
        return
    check_generator((function.name if isinstance(function, exp.Anonymous) else function.sql_name()).lower())


def check_generator(name: str) -> None:
    """Check that a function that stands where a relation may only makes rows of its arguments.

    Args:
        name: Its name, lower case.

    Raises:
        SqlRefused: It may open something.
    """
    if name not in _ROW_GENERATORS:
        raise SqlRefused(
            f"{name}(…) in the place of a table is not allowed",
            hint=f"allowed: {', '.join(sorted(_ROW_GENERATORS))}; data comes from inputs",
        )


def _is_common_table(table: Any, name: str) -> bool:
    """Return whether a name is a common table expression that is visible where it stands.

    Inside its own definition a name means the view of that name, unless the WITH is recursive.
    """
    from sqlglot import exp

    folded, inside = name.lower(), table
    while inside.parent is not None:
        outer = inside.parent
        if isinstance(outer, exp.With):
            for common in outer.expressions:
                if common is inside:
                    if outer.args.get("recursive") and common.alias.lower() == folded:
                        return True
                    break
                if common.alias.lower() == folded:
                    return True
        elif isinstance(outer, exp.Query) and not isinstance(inside, exp.With):
            visible = {common.alias.lower() for common in outer.ctes}
            if folded in visible:
                return True
        inside = outer
    return False


def qualified_columns(tree: Any) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield the qualifier of each column that is written with a relation of several parts in front."""
    from sqlglot import exp

    for column in tree.find_all(exp.Column):
        qualifier = column.parts[:-1]
        if len(qualifier) > 1 and all("start" in part.meta for part in qualifier):
            yield (
                qualifier[0].meta["start"],
                qualifier[-1].meta["end"] + 1,
                tuple(part.name for part in qualifier),
            )


def respelt_qualifiers(tree: Any) -> Iterator[tuple[int, int, str]]:
    """Yield names in front of columns that differ in case from the relation's name: their offsets, and that name.

    SQL ignores case; Sail gives no column at all for `O.*` where the relation is called `o`, and no error.
    """
    from sqlglot import exp

    known = {table.alias_or_name for table in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    known |= {alias.name for alias in tree.find_all(exp.TableAlias)}
    by_case = {name.lower(): name for name in known}
    for column in tree.find_all(exp.Column):
        qualifier = column.parts[0]
        meant = by_case.get(qualifier.name.lower())
        if len(column.parts) == 1 or meant is None or qualifier.name in known or "start" not in qualifier.meta:
            continue
        yield qualifier.meta["start"], qualifier.meta["end"] + 1, meant
