"""Split the lines of a CSV file into columns of texts, by the rules of the parser inside Spark (univocity).

Three ways, so that plain data is split at the speed of Arrow and odd data is still split right: lines without a quote,
lines whose quoted fields are regular, and the rest, character by character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.depots.files.csv.options import CsvOptions

# The automaton of a regular expression grows with the columns; beyond this, quoted lines are split one by one.
_MOST_REGULAR_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Fields:
    """Texts of a file's records.

    Attributes:
        columns: One Arrow array of strings a column; null where nothing stands between two separators.
        ragged: Arrow array of booleans: the record has more or fewer fields than columns.
    """

    columns: list[Any]
    ragged: Any


def split(lines: Sequence[str], width: int, options: CsvOptions) -> Fields:
    """Return the fields of lines; those of short records are null, those beyond the width are dropped."""
    import pyarrow as pa
    from pyarrow import compute as pc

    texts = pa.array(lines, pa.string())
    has_quote = pc.match_substring(texts, options.quote)
    plain = pc.and_(
        pc.invert(has_quote), pc.equal(pc.count_substring(texts, options.separator), pa.scalar(width - 1, pa.int32()))
    )
    regular = pc.and_(has_quote, _regular(texts, width, options))
    odd = pc.invert(pc.or_(plain, regular))
    parts, ragged, order = [], [], []
    for mask, way in ((plain, _split_plain), (regular, _split_regular), (odd, _split_odd)):
        chosen = texts.filter(mask)
        if len(chosen) == 0:
            continue
        columns, uneven = way(chosen, width, options)
        parts.append(columns)
        ragged.append(uneven)
        order.append(pc.indices_nonzero(mask))
    if not parts:
        return Fields([pa.array([], pa.string())] * width, pa.array([], pa.bool_()))
    if len(parts) == 1:
        return Fields(parts[0], ragged[0])
    back = pc.sort_indices(pa.concat_arrays(order))
    columns = [pa.concat_arrays([part[i] for part in parts]).take(back) for i in range(width)]
    return Fields(columns, pa.concat_arrays(ragged).take(back))


def split_line(line: str, options: CsvOptions) -> list[str | None]:
    """Return the fields of one line; None where nothing stands between two separators."""
    fields: list[str | None] = []
    at = 0
    while True:
        field, at = _quoted(line, at, options) if line.startswith(options.quote, at) else _unquoted(line, at, options)
        fields.append(field)
        if at >= len(line):
            return fields
        at += 1
        if at == len(line):
            fields.append(None)
            return fields


def _regular(texts: Any, width: int, options: CsvOptions) -> Any:
    import pyarrow as pa
    from pyarrow import compute as pc

    if width > _MOST_REGULAR_COLUMNS:
        return pa.array([False] * len(texts), pa.bool_())
    quote, escape, separator = (re.escape(text) for text in (options.quote, options.escape, options.separator))
    field = f"(?:{quote}[^{quote}{escape}]*{quote}|[^{quote}{separator}]*)"
    more = f"(?:{separator}{field}){{{width - 1}}}" if width > 1 else ""
    return pc.match_substring_regex(texts, f"^{field}{more}$")


def _split_plain(texts: Any, width: int, options: CsvOptions) -> tuple[list[Any], Any]:
    import pyarrow as pa
    from pyarrow import compute as pc

    flat = pc.split_pattern(texts, options.separator).flatten()
    empty = pc.equal(flat, "")
    values = pc.if_else(empty, pa.scalar(None, pa.string()), flat)
    rows = pa.FixedSizeListArray.from_arrays(values, width)
    return [pc.list_element(rows, i) for i in range(width)], pa.array([False] * len(texts), pa.bool_())


def _split_regular(texts: Any, width: int, options: CsvOptions) -> tuple[list[Any], Any]:
    import pyarrow as pa
    from pyarrow import csv

    names = [str(i) for i in range(width)]
    table = csv.read_csv(
        pa.BufferReader("\n".join(texts.to_pylist()).encode()),
        read_options=csv.ReadOptions(column_names=names, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=options.separator, quote_char=options.quote, double_quote=False, escape_char=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    ).combine_chunks()
    columns = [table.column(name).combine_chunks() for name in names]
    plain = [c.chunk(0) if isinstance(c, pa.ChunkedArray) and c.num_chunks else c for c in columns]
    return plain, pa.array([False] * len(texts), pa.bool_())


def _split_odd(texts: Any, width: int, options: CsvOptions) -> tuple[list[Any], Any]:
    import pyarrow as pa

    rows = [split_line(line, options) for line in texts.to_pylist()]
    ragged = pa.array([len(row) != width for row in rows], pa.bool_())
    padded = [(*row[:width], *([None] * (width - len(row)))) for row in rows]
    return [pa.array([row[i] for row in padded], pa.string()) for i in range(width)], ragged


def _unquoted(line: str, at: int, options: CsvOptions) -> tuple[str | None, int]:
    end = line.find(options.separator, at)
    end = len(line) if end < 0 else end
    return line[at:end] or None, end


def _quoted(line: str, start: int, options: CsvOptions) -> tuple[str | None, int]:
    """Return a field that begins with a quote, and where its separator stands.

    A quote inside that is neither escaped nor the last makes the field an unquoted one: it goes on to the next
    separator, and keeps its quotes.
    """
    text: list[str] = []
    at = start + 1
    while at < len(line):
        character = line[at]
        if character == options.escape and line[at + 1 : at + 2] in {options.quote, options.escape}:
            text.append(line[at + 1])
            at += 2
        elif character == options.quote:
            end = at + 1
            while end < len(line) and line[end] <= " " and line[end] != options.separator:
                end += 1
            if end >= len(line) or line[end] == options.separator:
                return "".join(text), end
            end = line.find(options.separator, at)
            end = len(line) if end < 0 else end
            return line[start:end], end
        else:
            text.append(character)
            at += 1
    return "".join(text), len(line)
