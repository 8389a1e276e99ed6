"""Text files as data sources of PySpark, which Sail runs: the engine calls back for batches of Arrow.

What is read was listed, and its columns found, before the query. Each format says how a range of a file becomes rows.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from dataos_dagster.depots.access import S3Access
from dataos_dagster.depots.files.csv.lines import ByteRange
from dataos_dagster.depots.storage import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyarrow import RecordBatch
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.engines.session import EngineSession


class RangeReader(DataSourceReader):  # type: ignore[misc]  # pyspark is untyped
    """Reads ranges of files, one task each.

    Args:
        plan: What `load_ranges` has written into the source's option.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.schema = StructType.fromJson(json.loads(plan["schema"]))

    def partitions(self) -> list[InputPartition]:
        """Return the ranges, or an empty one: a query over no task would have no columns."""
        return [InputPartition(found) for found in self.plan["ranges"]] or [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[RecordBatch]:
        """Yield the rows of a range."""
        import pyarrow as pa

        if partition.value is None:
            return
        s3 = self.plan["s3"]
        place = Place(self.plan["path"], S3Access(**s3) if s3 is not None else None)
        arrays = self.columns(place, ByteRange(**partition.value))
        if arrays is not None:
            yield pa.RecordBatch.from_arrays(arrays, names=self.schema.names)

    @abstractmethod
    def columns(self, place: Place, wanted: ByteRange) -> list[Any] | None:
        """Return the columns of a range as arrays; None when it has no row."""


class RangeSource(DataSource):  # type: ignore[misc]  # pyspark is untyped
    """Files of one format.

    Attributes:
        word: The word behind `format`.
        reads: How a range becomes rows.
    """

    word: ClassVar[str]
    reads: ClassVar[type[RangeReader]]

    @classmethod
    def name(cls) -> str:
        """Return the word behind `format`."""
        return cls.word

    def schema(self) -> StructType:
        """Return the columns."""
        return StructType.fromJson(json.loads(json.loads(self.options["plan"])["schema"]))

    def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Sail hands over Arrow's, Spark its own
        """Return the reader."""
        return self.reads(json.loads(self.options["plan"]))


def load_ranges(
    source: type[RangeSource],
    place: Place,
    ranges: Iterable[ByteRange],
    schema: StructType,
    options: Any,
    session: EngineSession,
) -> DataFrame:
    """Return a lazy frame of ranges of files. Keys of a bucket stay out of the plan: the engine's process has them.

    Args:
        source: The format.
        place: Where the files are.
        ranges: What is read, a task each.
        schema: Columns.
        options: How the files are written, a dataclass.
        session: A session on Sail.
    """
    plan = {
        "path": place.path,
        "s3": None
        if place.s3 is None
        else {"endpoint": place.s3.endpoint, "region": place.s3.region, "path_style": place.s3.path_style},
        "schema": schema.json(),
        "options": asdict(options),
        "ranges": [asdict(found) for found in ranges],
    }
    session.spark.dataSource.register(source)
    return session.spark.read.format(source.word).option("plan", json.dumps(plan)).load()
