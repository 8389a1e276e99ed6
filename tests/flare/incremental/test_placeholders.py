"""Placeholders are replaced by values that come out of data, and that stay inside their literals."""

from __future__ import annotations

import pytest

from dataos_dagster.flare.incremental.placeholders import PlaceholderRefused, substitute
from dataos_dagster.flare.sql import parse_statement

NAMES = ["O'Brien", 'say "no"', "back\\slash\\", "x' OR '1'='1", "\\' OR 1 = 1 -- ", "a`b", "two\nlines"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("k > '$|k|'", r"k > 'it\'s \"\\`'".replace(r"\"", '"')),
        ('k > "$|k|"', r"""k > "it's \"\\`" """.rstrip()),
        ("`$|k|` > 1", r"""`it's "\``` > 1"""),
        ("k > $|k|", r"""k > it's "\`"""),
        (r"'it\'s $|k|', '\\', $|k|", r"""'it\'s it\'s "\\`', '\\', it's "\`"""),
        ("'a''$|k|'", r"""'a''it\'s "\\`'"""),
        ("-- don't $|other|\n$|k|", "-- don't $|other|\nit's \"\\`"),
        ("/* don't $|other| */ '$|k|'", r"""/* don't $|other| */ 'it\'s "\\`'"""),
        ("/*+ COALESCE($|n|) */", "/*+ COALESCE(3) */"),
        (r"r'\' + $|n|", r"r'\' + 3"),
        (r"'$|n|-- ' || $|n|", r"'3-- ' || 3"),
    ],
)
def test_a_value_is_escaped_by_what_it_stands_in(sql, expected):
    assert substitute(sql, {"k": "it's \"\\`", "n": "3"}) == expected


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("r'$|k|'", "holds a ', which a raw literal cannot hold"),
        ("'$|key|'", r"\$\|key\| stands for no key"),
        ("'$|k'", "a placeholder is not closed"),
    ],
)
def test_what_cannot_be_replaced_is_refused(sql, said):
    with pytest.raises(PlaceholderRefused, match=said):
        substitute(sql, {"k": "it's"})


@pytest.mark.parametrize("quote", ["'", '"'])
def test_engines_read_a_value_in_quotes_as_it_was(rows_of, quote):
    columns = ", ".join(f"{quote}$|{index}|{quote} AS c{index}" for index in range(len(NAMES)))
    text = substitute(f"SELECT {columns}", {str(index): name for index, name in enumerate(NAMES)})
    _names, [row] = rows_of(parse_statement(text).sql)
    assert list(row) == NAMES
