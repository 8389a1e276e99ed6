"""Profile the view of a dataset on a session."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from dataos_dagster.flare.profile.attributes import VALUES
from dataos_dagster.flare.profile.statistics import column_of, kind_of, put_together, rows_query
from dataos_dagster.workflows.profiles import ProfileResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from pyspark.sql.types import StructType

    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.flare.profile.kernels.spelling import Kind
    from dataos_dagster.flare.profile.plan import PlannedProfile


def profile(planned: PlannedProfile, session: EngineSession, check: Callable[[str], None]) -> ProfileResult:
    """Return the profile of all columns, out of one pass over the rows.

    Args:
        planned: What is profiled.
        session: Where its view is.
        check: Looks at the query before it runs, now that the types of the columns are known.

    Raises:
        StatementFailed: The engine refuses a filter, or cannot read the data.
    """
    started = time.perf_counter()
    with session.failures(planned.location):
        schema = session.spark.table(planned.view).schema
        fields = [(field.name, field.dataType.simpleString()) for field in schema.fields]
        kinds = tuple(kind_of(type_name) for _, type_name in fields)
        query = rows_query(planned.view, fields, planned.filters)
        check(query)
        found = session.spark.sql(query).mapInArrow(_summing(kinds), _state_schema()).collect()
    rows, summaries = put_together((bytes(row["state"]) for row in found), kinds)
    return ProfileResult(
        planned.dataset,
        planned.address,
        planned.filters,
        rows,
        tuple(column_of(field, summary) for field, summary in zip(fields, summaries, strict=True)),
        time.perf_counter() - started,
    )


def _summing(kinds: tuple[Kind, ...]) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function that workers call with the rows of a partition."""
    from dataos_dagster.flare.profile.kernels.summary import summarised

    patterns = dict(VALUES)

    def summing(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return summarised(batches, kinds, patterns)

    _send_kernels_as_code()
    return summing


def _state_schema() -> StructType:
    # No DDL: PySpark asks the thread's active session to read that, which may be none.
    from pyspark.sql.types import BinaryType, StructField, StructType

    return StructType([StructField("state", BinaryType())])


@cache
def _send_kernels_as_code() -> None:
    """Let workers sum up without this package: a cluster has Python, numpy and pyarrow, and not us."""
    from pyspark import cloudpickle

    from dataos_dagster.flare.profile import kernels

    cloudpickle.register_pickle_by_value(kernels)
