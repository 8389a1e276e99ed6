"""Where the values of a document stand in its file, packed into a few bytes a value.

Node trees of ten thousand files would fill the memory, and composing a file again for each question would double the
time of a load. So every value keeps five unsigned integers, in the order in which the values of the document are
visited: a mapping's record is followed, for each entry, by the record of the key and the records of its value; a
sequence's record by those of its items.

    start line, start column, end line, end column, size

Lines and columns are 1-based. `size` is the number of records of the value, its own included, so that a walk steps
over a subtree without looking into it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataos_dagster.manifests.diagnostics import DocumentPath, PathStep, Position, Range

FIELDS = 5
_SIZE = 4


@dataclass(frozen=True, slots=True)
class Positions:
    """The records of one document.

    Attributes:
        records: Native unsigned 32-bit integers, `FIELDS` a record.
    """

    records: bytes

    def range_of(self, data: Any, path: DocumentPath, *, key: bool = False) -> Range:
        """Return the range of the value at a path, or of the nearest ancestor that exists.

        Args:
            data: The document's values, in their order of reading.
            path: Way from the root to the value.
            key: Return the range of the mapping key instead, where the value has one.
        """
        records = memoryview(self.records).cast("I")
        at, key_at = 0, 0
        for step in path:
            found = _entry(records, at, data, step)
            if found is None:
                break
            at, key_at, data = found
        chosen = (key_at if key else at) * FIELDS
        line, column, end_line, end_column = records[chosen : chosen + _SIZE]
        return Range(Position(line, column), Position(end_line, end_column))

    def __repr__(self) -> str:
        return f"<{len(array('I', self.records)) // FIELDS} positions>"


def _entry(records: memoryview[int], at: int, data: Any, step: PathStep) -> tuple[int, int, Any] | None:
    """Return the record of a child, the record of its key (its own in a sequence) and its value."""
    child = at + 1
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name == step:
                return child + 1, child, value
            child += 1 + records[(child + 1) * FIELDS + _SIZE]
    elif isinstance(data, Sequence) and not isinstance(data, str) and isinstance(step, int):
        for index, value in enumerate(data):
            if index == step:
                return child, child, value
            child += records[child * FIELDS + _SIZE]
    return None
