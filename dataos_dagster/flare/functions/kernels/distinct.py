"""Applying a Python function to a column once for each value that occurs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable


def over_distinct(column: pa.Array, function: Callable[[Any], Any], result: pa.DataType) -> pa.Array:
    """Return the function of every value; null stays null.

    Columns of dates, addresses and codes repeat themselves: each value is computed once a batch.

    Args:
        column: Any Arrow array.
        function: From a Python value to one of the result's type, or to None for null.
        result: Type of the returned array, which is as long as `column`.
    """
    encoded = column.dictionary_encode()
    values = pa.array([function(value) for value in encoded.dictionary.to_pylist()], result)
    return values.take(encoded.indices)
