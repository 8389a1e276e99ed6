"""Tables: whole rows in pipes, nothing cut on terminals."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from dataos_dagster.cli.tables import Column, print_table

COLUMNS = (Column("job"), Column("engine", rank=1), Column("rows", right=True), Column("written", rank=2, below=True))
ROW = ("a/long-name-of-a-job", "connect", "12,345", "dataos://lakehouse:shop/orders_by_customer")


def printed(columns, *rows, width: int | None, indent: str = "") -> list[str]:
    """Return the lines of a table on a terminal of some width, or in a pipe."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=width is not None, width=width or 80, highlight=False)
    print_table(columns, [[Text(cell) for cell in row] for row in rows], console, indent=indent)
    return re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines()


def test_in_a_pipe_each_row_is_one_line():
    head, row = printed(COLUMNS, (*ROW[:3], "x" * 300), width=None)
    assert head.split() == ["job", "engine", "rows", "written"]
    assert re.split(" {2,}", row) == [*ROW[:3], "x" * 300]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (90, ["job                   engine     rows  written", "  ".join(ROW)]),
        (60, ["job                   engine     rows", "  ".join(ROW[:3]), f"    {ROW[3]}"]),
        (30, ["job                     rows", f"{ROW[0]}  {ROW[2]}", f"    {ROW[3]}"]),
    ],
    ids=["wide", "moved below", "left out"],
)
def test_columns_give_way_by_rank(width, expected):
    assert printed(COLUMNS, ROW, width=width) == expected


def test_where_no_row_fits_rows_become_lists():
    columns = (Column("id"), Column("note"))
    lines = printed(columns, ("1", "a note that is longer than the line"), ("2", "b"), width=20)
    assert lines == ["id    1", "note  a note that is longer than the line", "", "id    2", "note  b"]


def test_lists_are_as_far_to_the_right_as_the_table_would_be():
    lines = printed((Column("id"), Column("note")), ("1", "b" * 20, "because"), width=20, indent="    ")
    assert lines == ["    id    1", f"    note  {'b' * 20}", "        because"]


def test_a_remark_stands_below_its_row():
    assert printed((Column("a"),), ("1", "because"), ("2",), width=80) == ["a", "1", "    because", "2"]


def test_line_breaks_and_wide_characters_keep_their_row():
    lines = printed((Column("a"), Column("b")), ("x\ny", "1"), ("日本", "2"), width=None)
    assert lines == ["a     b", "x\\ny  1", "日本  2"]
