"""Tables of plain Python, and what the functions that build, choose and turn columns make of them.

Written from what each function promises, without its code: columns are found in any letter case, a column that is set
stays in its place under the name that was given, and a new one comes last.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

Call = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Columns with their types, and rows in no order."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def schema(self) -> list[str]:
        """Return name and type of each column."""
        return [f"{name} {kind}" for name, kind in zip(self.columns, self.types, strict=True)]

    @property
    def counted(self) -> Counter[str]:
        """Return how often each row is there."""
        return Counter(map(repr, self.rows))

    def at(self, name: str) -> int | None:
        """Return where a column is, in any letter case."""
        return next((index for index, column in enumerate(self.columns) if column.lower() == name.lower()), None)

    def with_column(self, name: str, kind: str, values: list[Any]) -> Table:
        """Set a column."""
        place = self.at(name)
        if place is None:
            rows = tuple((*row, value) for row, value in zip(self.rows, values, strict=True))
            return Table((*self.columns, name), (*self.types, kind), rows)
        put = lambda items, item: (*items[:place], item, *items[place + 1 :])  # noqa: E731 - three uses, one line
        rows = tuple(put(row, value) for row, value in zip(self.rows, values, strict=True))
        return Table(put(self.columns, name), put(self.types, kind), rows)

    def taken(self, places: list[int]) -> Table:
        """Keep the columns at some places, in this order."""
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        return Table(tuple(self.columns[p] for p in places), tuple(self.types[p] for p in places), rows)

    def renamed(self, names: list[str]) -> Table:
        """Give all columns names."""
        return Table(tuple(names), self.types, self.rows)


def random_table(chance: random.Random) -> Table:
    """Return a few rows with nulls, empty texts, quotes and other letters."""
    texts = ["", "a", "it's", None, "ß \\ ü", "a b", "'", "null"]
    rows = tuple(
        (
            chance.choice([None, -3, 0, 7, 41]),
            chance.choice([None, 1, 2]),
            chance.choice(texts),
            chance.choice(["x", "y", None]),
            chance.choice([None, [], [1], [2, None, 2]]),
        )
        for _ in range(chance.randint(0, 7))
    )
    return Table(("Id", "kind", "Name", "city", "items"), ("int", "int", "string", "string", "array<int>"), rows)


def random_call(table: Table, chance: random.Random) -> tuple[Call, Table]:
    """Return a call of a function that a table admits, and the table that it makes."""
    return chance.choice([make for make in _MAKERS if _admits(make, table)])(table, chance)


def _admits(make: Callable[..., Any], table: Table) -> bool:
    need = {_fill: "string", _count_up: "int", _compute: "int", _flatten: "array<int>", _melt: "int"}.get(make)
    if make is _melt and {"k_", "v_"} & {name.lower() for name in table.columns}:
        return False
    return bool(table.columns) and (need is None or need in table.types)


def _any_case(name: str, chance: random.Random) -> str:
    return chance.choice([name, name.upper(), name.lower()])


def _column(table: Table, chance: random.Random, kind: str | None = None) -> int:
    return chance.choice([index for index, found in enumerate(table.types) if kind in {None, found}])


def _free(table: Table, chance: random.Random) -> str:
    names = chance.sample(["new", "Made", "extra 1", "käse", "with`tick", "select", "a.b", "Last"], 8)
    return next(name for name in names if table.at(name) is None)


def _constant(table: Table, chance: random.Random) -> tuple[Call, Table]:
    name = chance.choice([_free(table, chance), _any_case(chance.choice(table.columns), chance)])
    value, kind, made = chance.choice([(8, "int", 8), ("8", "int", 8), ("it's", "string", "it's"), ("x", "int", None)])
    call = {"name": "add_column", "column": name, "value": value, "type": kind}
    return call, table.with_column(name, kind, [made] * len(table.rows))


def _text(table: Table, chance: random.Random) -> tuple[Call, Table]:
    name = chance.choice([_free(table, chance), _any_case(chance.choice(table.columns), chance)])
    return {"name": "set_column", "column": name, "value": 8}, table.with_column(
        name, "string", ["8"] * len(table.rows)
    )


def _fill(table: Table, chance: random.Random) -> tuple[Call, Table]:
    place = _column(table, chance, "string")
    values = [row[place] if row[place] not in {None, ""} else "it's" for row in table.rows]
    call = {"name": "fill_null_or_empty", "columns": {_any_case(table.columns[place], chance): "it's"}}
    return call, table.with_column(table.columns[place], "string", values)


def _count_up(table: Table, chance: random.Random) -> tuple[Call, Table]:
    if chance.random() < 0.3:
        name = _free(table, chance)
        return {"name": "increment_variable", "column": name}, table.with_column(name, "int", [1] * len(table.rows))
    place = _column(table, chance, "int")
    values = [None if row[place] is None else row[place] + 1 for row in table.rows]
    call = {"name": "increment_variable", "column": _any_case(table.columns[place], chance)}
    return call, table.with_column(table.columns[place], "int", values)


def _compute(table: Table, chance: random.Random) -> tuple[Call, Table]:
    place, name = _column(table, chance, "int"), _free(table, chance)
    column = "`" + table.columns[place].replace("`", "``") + "`"
    values = [row[place] for row in table.rows]
    known = [value for value in values if value is not None]
    expression, made, kind = chance.choice(
        [
            (f"coalesce({column}, 5) * 2", [2 * (5 if value is None else value) for value in values], "int"),
            (f"MAX({column})", [max(known, default=None)] * len(values), "int"),
            (f"COUNT({column})", [len(known)] * len(values), "bigint"),
        ]
    )
    return {"name": "set_variable", "column": name, "expression": expression}, table.with_column(name, kind, made)


def _select(table: Table, chance: random.Random) -> tuple[Call, Table]:
    places = chance.sample(range(len(table.columns)), chance.randint(1, len(table.columns)))
    names = [_any_case(table.columns[place], chance) for place in places]
    return {"name": "select", "columns": [*names, names[0]]}, table.taken(places)


def _drop(table: Table, chance: random.Random) -> tuple[Call, Table]:
    gone = set(chance.sample(range(len(table.columns)), chance.randint(0, len(table.columns) - 1)))
    names = [_any_case(table.columns[place], chance) for place in sorted(gone)]
    kept = [place for place in range(len(table.columns)) if place not in gone]
    return {"name": "drop", "columns": [*names, "absent"]}, table.taken(kept)


def _copy(table: Table, chance: random.Random) -> tuple[Call, Table]:
    place = _column(table, chance)
    name = chance.choice([_free(table, chance), _any_case(chance.choice(table.columns), chance)])
    call = {"name": "copy", "fromColumn": _any_case(table.columns[place], chance), "toColumn": name}
    return call, table.with_column(name, table.types[place], [row[place] for row in table.rows])


def _rename(table: Table, chance: random.Random) -> tuple[Call, Table]:
    place, name = _column(table, chance), _free(table, chance)
    names = [name if index == place else column for index, column in enumerate(table.columns)]
    old = _any_case(table.columns[place], chance)
    one = {"name": "rename", "column": old, "asColumn": name}
    return chance.choice([one, {"name": "rename_all", "columns": {old: name}}]), table.renamed(names)


def _swap(table: Table, chance: random.Random) -> tuple[Call, Table]:
    a, b = (chance.choice(range(len(table.columns))) for _ in range(2))
    if a == b:
        return _rename(table, chance)
    names = list(table.columns)
    names[a], names[b] = names[b], names[a]
    call = {"name": "swap", "columnA": _any_case(table.columns[a], chance), "columnB": table.columns[b]}
    return call, table.renamed(names)


def _change_case(table: Table, chance: random.Random) -> tuple[Call, Table]:
    case = chance.choice(["lower", "upper"])
    return {"name": "change_column_case", "case": case}, table.renamed([getattr(n, case)() for n in table.columns])


def _flatten(table: Table, chance: random.Random) -> tuple[Call, Table]:
    place, name, outer = _column(table, chance, "array<int>"), _free(table, chance), chance.random() < 0.5
    rows = tuple((*row, item) for row in table.rows for item in (row[place] or ([None] if outer else [])))
    call = {"name": "flatten_outer" if outer else "flatten", "column": table.columns[place], "asColumn": name}
    return call, Table((*table.columns, name), (*table.types, "int"), rows)


def _melt(table: Table, chance: random.Random) -> tuple[Call, Table]:
    melted = [index for index, kind in enumerate(table.types) if kind == "int"]
    kept = [index for index in range(len(table.columns)) if index not in melted]
    rows = tuple(
        (*(row[place] for place in kept), table.columns[place], row[place]) for row in table.rows for place in melted
    )
    names = [table.columns[place] for place in melted]
    others = chance.choice(["*", [table.columns[place] for place in kept]]) if kept else "*"
    call = {"name": "unpivot", "columns": names, "pivotColumns": others, "keyColumnName": "k_", "valueColumnName": "v_"}
    columns = (*(table.columns[place] for place in kept), "k_", "v_")
    return call, Table(columns, (*(table.types[place] for place in kept), "string", "int"), rows)


_MAKERS = (
    _constant, _text, _fill, _count_up, _compute, _select, _drop, _copy, _rename, _swap, _change_case, _flatten, _melt
)  # fmt: skip


def pivoted(table: Table, group: int, turned: int, values: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each value of one column, with the number of rows for each value of another; none is null."""
    found = Counter((row[group], row[turned]) for row in table.rows)
    for key in dict.fromkeys(row[group] for row in table.rows):
        yield (key, *(found.get((key, value)) for value in values))
