"""The SQL of a step, parsed before anything runs.

One step is one query over views of the job. Whatever would reach data another way is found here: a relation of
several parts, a path behind ``parquet.`…` ``, a function that opens files or calls Java, a statement that changes
something. Of a query that the parser does not know, which Spark may, this much is found in its words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.flare.misplaced import refuse_misplaced
from dataos_dagster.flare.relations import (
    QUERY_HINT,
    Relation,
    SqlRefused,
    qualified_columns,
    refuse_side_doors,
    relations_of,
    respelt_qualifiers,
)
from dataos_dagster.flare.sql_syntax import (
    NOT_READ,
    SYNTAX,
    column_of,
    comma_before_from,
    explain_syntax_error,
    left_open,
    misspelt_statement,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlglot import exp

StatementKind = Literal["query", "cache", "uncache", "analyze"]

# Words that a query begins with; everything else is refused before it is parsed.
_QUERY_WORDS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "("})
_STRUCT_AND_STAR = 2
_CACHING_WORDS: Mapping[str, StatementKind] = {"CACHE": "cache", "UNCACHE": "uncache", "ANALYZE": "analyze"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A step's SQL.

    Attributes:
        sql: Without the semicolon behind it.
        kind: `query`, or one of the statements without a result that are allowed.
        tree: Its syntax tree, that of the query for `CACHE TABLE v AS SELECT …`; None for SQL that only Spark reads.
        relations: Those that are no common table expression, in the order of the text.
        target: The view of CACHE, UNCACHE and ANALYZE; a query with a target is cached under that name.
        qualified: Spans of columns written with a dataset's full name, `(start, end, parts)`.
        doubt: Why there is no tree: what the parser does not know, and Spark may.
    """

    sql: str
    kind: StatementKind
    tree: exp.Expression | None = field(repr=False)
    relations: tuple[Relation, ...]
    target: str | None = None
    qualified: tuple[tuple[int, int, tuple[str, ...]], ...] = ()
    doubt: SqlRefused | None = None

    def repeated_name(self) -> exp.Identifier | None:
        """Return the first name of a column that an earlier column has, ignoring case; None where a `*` hides them."""
        from sqlglot import exp

        if not isinstance(self.tree, exp.Select) or self.tree.is_star:
            return None
        seen = set()
        for projection in self.tree.selects:
            name = projection.args.get("alias") if isinstance(projection, exp.Alias) else projection.this
            if not isinstance(name, exp.Identifier) or "start" not in name.meta:
                continue
            if name.name.lower() in seen:
                return name
            seen.add(name.name.lower())
        return None


def parse_statement(sql: str) -> Statement:
    """Return a step's SQL, parsed.

    Raises:
        SqlRefused: It is empty, has a syntax error, is several statements, or is no query.
    """
    tokens = _tokens(sql)
    while tokens and tokens[-1].text == ";":
        sql = sql[: tokens.pop().start]
    if not tokens:
        raise SqlRefused("the SQL is empty", hint="write a SELECT, or remove the step", code=SYNTAX)
    word = tokens[0].text.upper()
    if word in _CACHING_WORDS:
        return _caching_statement(sql, tokens, _CACHING_WORDS[word])
    if word == "TABLE":
        # `TABLE v` is Spark's short form of a query that the parser does not know.
        return _query(f"SELECT * FROM{sql[tokens[0].end + 1 :]}")
    if word not in _QUERY_WORDS:
        raise misspelt_statement(tokens[0])
    dangling = comma_before_from(tokens)
    if dangling is not None:
        raise dangling
    return _query(sql)


def parse_query(sql: str) -> Statement:
    """Return a query, parsed: a step may keep its view in memory as well, and elsewhere nothing is kept.

    Raises:
        SqlRefused: As for `parse_statement`, and where it caches.
    """
    statement = parse_statement(sql)
    if statement.kind != "query" or statement.target is not None:
        word = sql.split(maxsplit=1)[0].upper()
        raise SqlRefused(f"{word} is not a query", hint="write SELECT …; a step may cache views")
    return statement


def parse_expression(text: str) -> str:
    """Return a column expression after checking that it is one over the columns of its row.

    Raises:
        ValueError: It does not parse, or reads a relation.
    """
    try:
        statement = _query(f"SELECT *, {text}", only_parsed=True)
    except SqlRefused as refused:
        raise ValueError(refused.message) from None
    if statement.relations:
        read = statement.relations[0].name
        raise ValueError(f"an expression speaks of the columns of its rows and cannot read {read!r}")
    return text


def parse_merge(sql: str) -> exp.Merge:
    """Return the syntax tree of one MERGE.

    Raises:
        SqlRefused: It does not parse, is several statements, or something else.
    """
    from sqlglot import exp

    tree = _parse(sql)
    if not isinstance(tree, exp.Merge):
        raise SqlRefused("the clauses of the merge are none", hint="write a condition, and WHEN … THEN …")
    return tree


def columns_in_expression(text: str) -> tuple[str, ...]:
    """Return the names of the columns that an expression uses: of `payload.*` and `payload.id` it is `payload`."""
    from sqlglot import exp

    tree = _parse(f"SELECT {text}")
    return tuple(dict.fromkeys(column.parts[0].name for column in tree.find_all(exp.Column)))


def takes_all_columns(text: str) -> bool:
    """Return whether a function in an expression is given all columns of its row, as `struct(*)` is."""
    from sqlglot import exp

    stars = _parse(f"SELECT {text}").find_all(exp.Star)
    return any(not isinstance(star.parent, exp.Count | exp.Column | exp.Dot) for star in stars)


def spread_column(text: str) -> str | None:
    """Return the column that an expression spreads, as `payload.*` does; None for every other expression."""
    from sqlglot import exp

    [item] = _parse(f"SELECT {text}").selects
    is_spread = isinstance(item, exp.Column) and isinstance(item.this, exp.Star) and len(item.parts) == _STRUCT_AND_STAR
    return item.parts[0].name if is_spread else None


def replace_spans(sql: str, spans: Mapping[tuple[int, int], str]) -> str:
    """Return the SQL with the text between offsets replaced; the rest stays as its author wrote it."""
    for (start, end), text in sorted(spans.items(), reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql


def qualifiers(clause: str) -> Iterator[tuple[str, int, int]]:
    """Yield the names in front of a dot in a clause, with the offsets of their first and behind their last character.

    Raises:
        SqlRefused: A quote is left open.
    """
    tokens = _tokens(clause)
    for name, dot in pairwise(tokens):
        if dot.text == "." and name.token_type.name in {"VAR", "IDENTIFIER"}:
            yield name.text, name.start, name.end + 1


@cache
def _dialect() -> Any:
    from sqlglot.dialects.dialect import Dialect

    return Dialect.get_or_raise("spark")


def _tokens(sql: str) -> list[Any]:
    from sqlglot.errors import TokenError

    try:
        return list(_dialect().tokenize(sql))
    except TokenError as error:
        raise left_open(sql, str(error)) from None


def _parses(sql: str) -> bool:
    from sqlglot.errors import SqlglotError

    try:
        return any(tree is not None for tree in _dialect().parse(sql))
    except SqlglotError:
        return False


def _parse(sql: str) -> Any:
    from sqlglot.errors import ParseError

    try:
        trees = [tree for tree in _dialect().parse(sql) if tree is not None]
    except ParseError as error:
        raise explain_syntax_error(sql, _tokens(sql), error, _parses) from None
    if len(trees) != 1:
        raise SqlRefused(
            f"one step is one query, and this is {len(trees)} statements",
            hint="make each a step of its own in the sequence",
        )
    return trees[0]


def _query(sql: str, *, only_parsed: bool = False) -> Statement:
    from sqlglot import exp

    try:
        tree = _parse(sql)
    except SqlRefused as refused:
        if refused.code != NOT_READ or only_parsed:
            raise
        return _query_in_words(sql, refused)
    if not isinstance(tree, exp.Query | exp.Values):
        raise SqlRefused(f"{type(tree).__name__.upper()} is not a query, and a step is one query", hint=QUERY_HINT)
    refuse_side_doors(tree)
    refuse_misplaced(sql, _tokens(sql), tree)
    qualified = tuple(qualified_columns(tree))
    return Statement(_in_one_case(sql.rstrip(), tree), "query", tree, relations_of(tree), qualified=qualified)


def _in_one_case(sql: str, tree: Any) -> str:
    """Return a query in which names in front of columns are spelt as their relations are; positions stay."""
    found = {}
    for start, end, name in respelt_qualifiers(tree):
        written = sql[start:end]
        found[start, end] = name if len(written) == len(name) else f"{written[0]}{name}{written[-1]}"
    return replace_spans(sql, {span: text for span, text in found.items() if len(text) == span[1] - span[0]})


def _query_in_words(sql: str, doubt: SqlRefused) -> Statement:
    """Return a query that the parser does not know and Spark may: what it reads is found in its words."""
    from dataos_dagster.flare.sql_words import qualifiers_in_words, relations_in_words

    tokens = _tokens(sql)
    relations = relations_in_words(tokens)
    qualified = qualifiers_in_words(tokens, relations)
    return Statement(sql.rstrip(), "query", None, relations, qualified=qualified, doubt=doubt)


def _caching_statement(sql: str, tokens: list[Any], kind: StatementKind) -> Statement:
    """Return CACHE, UNCACHE or ANALYZE; a query behind the view's name makes it a query of that name."""
    from sqlglot import exp

    head, body = _cached_query(tokens) if kind == "cache" else (None, None)
    tree = _parse(sql[: head.start] if head else sql)
    named = tree.find(exp.Table)
    if named is None or len(named.parts) != 1:
        place = tokens[min(2, len(tokens) - 1)]
        raise SqlRefused(
            f"{kind.upper()} is for views of the job",
            hint=f"write {kind.upper()} TABLE <view>",
            line=place.line,
            column=column_of(place),
            length=len(place.text),
        )
    if body is None:
        return Statement(sql, kind, tree, (), target=named.name)
    # Blanks in place of the head keep the positions of everything behind it.
    blank = "".join(character if character == "\n" else " " for character in sql[: body.start])
    return replace(_query(blank + sql[body.start :]), target=named.name)


def _cached_query(tokens: list[Any]) -> tuple[Any, Any]:
    """Return the words at which the head of `CACHE TABLE v [OPTIONS (…)] [AS] SELECT …` ends and its query begins.

    Both are None where no query follows: then a view is kept that is there already.
    """
    depth = 0
    for before, token, behind in zip(tokens[2:], tokens[3:], [*tokens[4:], None], strict=False):
        if depth == 0 and before.text.upper() not in {"TABLE", "OPTIONS"}:
            if token.text.upper() == "AS":
                return token, behind
            if token.text.upper() in _QUERY_WORDS:
                return token, token
        depth += (token.text == "(") - (token.text == ")")
    return None, None
