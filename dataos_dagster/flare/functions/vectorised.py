"""Putting vectorised Python into a query, on Sail and on Spark alike."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column
    from pyspark.sql.types import DataType

Named = Literal["string", "date", "timestamp"]


def vectorised(kernel: Callable[..., Any], returns: Named | DataType, column: Column, *constants: object) -> Column:
    """Return a column computed by a kernel.

    Args:
        kernel: Takes an Arrow array and the constants, returns an Arrow array of the same length.
        returns: Type of the result. No DDL: PySpark asks the thread's active session to read that, which a thread that
            works with a session made by another one does not have.
        column: What the kernel is given.
        constants: The kernel's further arguments, the same for all rows.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it
    from pyspark.sql.types import DateType, StringType, TimestampType

    named: dict[object, DataType] = {"string": StringType(), "date": DateType(), "timestamp": TimestampType()}
    found: Column = F.arrow_udf(arrow_function(kernel, *constants), named.get(returns, returns))(column)
    return found


def arrow_function(kernel: Callable[..., Any], *constants: object) -> Callable[[Any], Any]:
    """Return a kernel as a function of one array, ready to be sent to workers."""
    import pyarrow as pa

    def computed(array: pa.Array) -> pa.Array:
        return kernel(array, *constants)

    # PySpark tells the kind of a function from its annotations, which must be types and not their names.
    computed.__annotations__ = {"array": pa.Array, "return": pa.Array}
    _send_kernels_as_code()
    return computed


@cache
def _send_kernels_as_code() -> None:
    """Let workers run kernels without this package: a cluster has Python and pyarrow, and not us."""
    from pyspark import cloudpickle

    from dataos_dagster.flare.functions import kernels

    cloudpickle.register_pickle_by_value(kernels)
