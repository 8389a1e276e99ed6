"""From a text to values with positions, through libyaml's composer.

The composer shares the node of an anchor among its aliases, so a text that would expand to billions of values is
composed in no time; the limits here count what is expanded.
"""

from __future__ import annotations

import operator
import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml
from yaml._yaml import CParser  # the stubs of yaml.cyaml do not export it
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dataos_dagster.manifests.positions import FIELDS, Positions
from dataos_dagster.manifests.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.settings import LimitSettings

# Deeper limits would exhaust the stack of the recursion below before they are reached.
DEEPEST = 300
# Values that the aliases of one document may add: far more than any manifest has, far less than hurts.
MOST_ALIASED_VALUES = 100_000
# A text below both counts cannot nest deeper than libyaml's recursive composer can stand (it dies at about 50,000).
_OPENERS, _INDENTS = 1000, 500
_DEEP_INDENT = re.compile(rf"^[ \-?:]{{{_INDENTS},}}", re.MULTILINE)

# What libyaml counts as the end of a line.
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_PLAIN, _STRING = "plain", "tag:yaml.org,2002:str"
_MERGE = "<<"
_STANDARD_TAGS = frozenset(
    f"tag:yaml.org,2002:{word}" for word in ("str", "int", "float", "bool", "null", "map", "seq")
)


class TooDeep(Exception):
    """A document nests deeper than allowed; the value stands at the 1-based line and column."""

    def __init__(self, line: int, column: int, *, recursive: bool = False) -> None:
        self.line, self.column, self.recursive = line, column, recursive
        super().__init__(line, column)


class TooManyAliases(Exception):
    """The aliases of a document expand to too many values."""

    def __init__(self, line: int, column: int) -> None:
        self.line, self.column = line, column
        super().__init__(line, column)


@dataclass(frozen=True, slots=True)
class Misread:
    """Something that YAML allows and the user hardly meant, found while values are built.

    Attributes:
        code: Diagnostic code.
        node: Where it stands.
        detail: The key or tag it is about.
        first: The earlier of two, where there are two.
    """

    code: str
    node: Node
    path: DocumentPath
    detail: str = ""
    first: Node | None = None


@dataclass(slots=True)
class Composed:
    """The values of one document, where they stand, and what is odd about them."""

    data: Any
    positions: Positions
    misread: list[Misread] = field(default_factory=list)


class _Composer(CParser):
    """libyaml's composer, which asks only whether a scalar is plain: what it means is decided when it is built."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool] | bool) -> str:  # noqa: ARG002
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _STRING  # type: ignore[index]
        return ""

    # Called around each node. There are no rules by path, and functions written in C cost least.
    descend_resolver = staticmethod(operator.is_)
    ascend_resolver = staticmethod(tuple)


def nodes_of(text: str) -> Iterator[Node]:
    """Yield the root node of each document that is not empty.

    Raises:
        yaml.YAMLError: The text is not YAML.
    """
    composer = _Composer(text)
    while composer.check_node():
        node = composer.get_node()
        if node is not None:
            yield node


def check_depth(text: str, limit: int) -> None:
    """Refuse a text that nests too deep for the composer, before it is composed.

    Two counts are upper bounds of the depth and settle it for nearly every file; else libyaml's parser, which keeps
    its state on the heap, is asked for the exact depth.

    Raises:
        TooDeep: The text nests deeper than `limit`.
        yaml.YAMLError: The text is not YAML, and that was seen before it was too deep.
    """
    # Looking for a deep indent takes longer than looking for a long line, which hardly any file has.
    is_deep = max(map(len, text.split("\n"))) >= _INDENTS and _DEEP_INDENT.search(text)
    if not is_deep and text.count("[") + text.count("{") < _OPENERS:
        return
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > min(limit, DEEPEST) and event.start_mark is not None:
                raise TooDeep(event.start_mark.line + 1, event.start_mark.column + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def build(root: Node, source: SourceText, limits: LimitSettings) -> Composed:
    """Return the values below a node.

    Args:
        root: Root of a document, or one item of a list of manifests.
        source: The text that the node comes from.
        limits: The depth that is allowed.

    Raises:
        TooDeep: It nests deeper than allowed, or an alias stands inside its own anchor.
        TooManyAliases: Its aliases expand to more than `MOST_ALIASED_VALUES` values.
    """
    builder = _Builder(source, min(limits.depth, DEEPEST))
    data = builder.value(root)
    records = array("I", builder.records)
    if root.end_mark.line > source.text.count("\n"):
        _clamp(records, source)
    return Composed(data, Positions(records.tobytes()), builder.misread)


def _clamp(records: array[int], source: SourceText) -> None:
    """Move what libyaml places behind the last line, such as the key that a lone '?' announces, to the text's end."""
    line, column = len(source.lines), len(source.lines[-1]) + 1
    for at in range(0, len(records), FIELDS):
        for place in (at, at + 2):
            if records[place] > line:
                records[place], records[place + 1] = line, column


class SourceText:
    """The lines of a text, as libyaml counts them; found when they are asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines without their line breaks."""
        return LINE_BREAK.split(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """Return the offset of each line."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def of(self, node: Node) -> str:
        """Return the source of a node, its lines joined by blanks."""
        start, end = node.start_mark, node.end_mark
        lines = self.lines[start.line : end.line + 1]
        lines[-1] = lines[-1][: end.column]
        lines[0] = lines[0][start.column :]
        return " ".join(line.strip() for line in lines)


class _Builder:
    """Builds the values and the position records of one document in one pass."""

    def __init__(self, source: SourceText, depth: int) -> None:
        self.records: list[int] = []
        self.misread: list[Misread] = []
        self._source = source
        self._depth = depth
        # A value takes at least one character of its own, its key another one: whatever is above comes from aliases.
        self._budget = FIELDS * (2 * len(source.text) + MOST_ALIASED_VALUES)
        self._open: list[Node] = []
        self._path: list[str | int] = []

    def value(self, node: Any) -> Any:
        """Return the value of a node and add its records."""
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        at = len(self.records)
        self._record(node)
        if isinstance(node, MappingNode) and _is_braces(node):
            text = self._source.of(node)
            self._odd("unquoted-braces", node, text)
            return text
        self._enter(node)
        data, last = self._mapping(node) if isinstance(node, MappingNode) else self._sequence(node)
        self._open.pop()
        self.records[at + 4] = (len(self.records) - at) // FIELDS
        if last and not node.flow_style:
            # libyaml ends a block where the next token begins, which may be many comment lines further down.
            self.records[at + 2 : at + 4] = self.records[last + 2 : last + 4]
        return data

    def _record(self, node: Node) -> None:
        start, end = node.start_mark, node.end_mark
        self.records += (start.line + 1, start.column + 1, end.line + 1, end.column + 1, 1)

    def _scalar(self, node: ScalarNode) -> Any:
        start, end, tag = node.start_mark, node.end_mark, node.tag
        self.records += (start.line + 1, start.column + 1, end.line + 1, end.column + 1, 1)
        if tag is _PLAIN:
            if start.line != end.line:
                self._look_for_items(node)
            return resolve(node.value)
        if tag is not _STRING:
            return self._tagged(node)
        return node.value

    def _look_for_items(self, node: ScalarNode) -> None:
        """Find that a text of several lines has swallowed a list: `key: value` with `- item` indented below it."""
        if " - " in node.value:
            following = self._source.lines[node.start_mark.line + 1 : node.end_mark.line + 1]
            if any(line.lstrip(" \t").startswith("- ") for line in following):
                self._odd("list-below-value", node)

    def _tagged(self, node: ScalarNode) -> Any:
        if node.tag not in _STANDARD_TAGS:
            self._odd("unknown-tag", node, node.tag)
        return node.value if node.tag == _STRING or node.style else resolve(node.value)

    def _mapping(self, node: MappingNode) -> tuple[Any, int]:
        at, odd = len(self.records), len(self.misread)
        data: dict[str, Any] = {}
        last = self._put(node.value, data)
        if last is None:
            # A key that is no text, that repeats or that merges: which entries count is worked out first.
            del self.records[at:], self.misread[odd:]
            data.clear()
            last = self._put(self._entries(node), data, is_settled=True)
        return data, last or 0

    def _put(self, entries: list[tuple[Any, Node]], data: dict[str, Any], *, is_settled: bool = False) -> int | None:
        """Add entries to a mapping and return the last value's record; None when they are not plain and all different.

        This is where the time of reading goes, so it looks at each key once and asks for nothing twice.
        """
        last = 0
        path, records = self._path, self.records
        for key, child in entries:
            name = key.value
            if not is_settled and (type(name) is not str or name in data or name == _MERGE):
                return None
            start, end = key.start_mark, key.end_mark
            records += (start.line + 1, start.column + 1, end.line + 1, end.column + 1, 1)
            last = len(records)
            path.append(name)
            data[name] = self._scalar(child) if type(child) is ScalarNode else self.value(child)
            path.pop()
        return last

    def _sequence(self, node: SequenceNode) -> tuple[Any, int]:
        data: list[Any] = []
        last = 0
        path, records = self._path, self.records
        for index, child in enumerate(node.value):
            path.append(index)
            last = len(records)
            data.append(self.value(child))
            path.pop()
        return data, last

    def _entries(self, node: MappingNode) -> list[tuple[Node, Node]]:
        """Return the entries that count: scalar keys, each once, with those of `<<` behind the mapping's own."""
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        for key, child in node.value:
            if type(key) is not ScalarNode:
                self._odd("complex-key", key)
            elif key.value == _MERGE and key.tag is _PLAIN:
                for name, entry in self._merged(child):
                    merged.setdefault(name, entry)
            else:
                if key.value in own:
                    # The last one wins, as in the platform's own reader.
                    self._odd("duplicate-key", key, key.value, first=own.pop(key.value)[0])
                own[key.value] = (key, child)
        return [*own.values(), *(entry for name, entry in merged.items() if name not in own)]

    def _merged(self, node: Node) -> Iterator[tuple[str, tuple[Node, Node]]]:
        sources = node.value if type(node) is SequenceNode else [node]
        for source in sources:
            if type(source) is not MappingNode:
                self._odd("wrong-merge", source)
                continue
            self._enter(source)
            for entry in self._entries(source):
                self._budget -= FIELDS
                yield entry[0].value, entry
            self._open.pop()

    def _enter(self, node: Node) -> None:
        if len(self._open) >= self._depth:
            recursive = any(node is outer for outer in self._open)
            raise TooDeep(node.start_mark.line + 1, node.start_mark.column + 1, recursive=recursive)
        if len(self.records) > self._budget:
            raise TooManyAliases(node.start_mark.line + 1, node.start_mark.column + 1)
        self._open.append(node)

    def _odd(self, code: str, node: Node, detail: str = "", *, first: Node | None = None) -> None:
        self.misread.append(Misread(code, node, tuple(self._path), detail, first))


def _is_braces(node: MappingNode) -> bool:
    """Tell whether the mapping is `{{ something }}` without quotes: a mapping whose only key is a mapping."""
    return bool(node.flow_style) and len(node.value) == 1 and type(node.value[0][0]) is MappingNode
