"""The statements that change a table, in the dialect of each engine.

Each of them is one commit. On Sail a table of the folder layout is named by attaching it to the session under a name
of its own; on Spark, and behind a REST catalog, it has its name in the catalog.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.lakehouse.marks import marking
from dataos_dagster.depots.lakehouse.metadata import STRICT_COLUMNS
from dataos_dagster.depots.lakehouse.partitioning import default_name, differs, evolution, to_sql
from dataos_dagster.depots.sorting import in_order
from dataos_dagster.errors import DepotUnsupported, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.readwriter import DataFrameWriterV2

    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.requests import Merge, PartitionField, WriteRequest
    from dataos_dagster.engines.session import EngineSession

_GROUP_FILTER = "spark.sql.optimizer.runtime.rowLevelOperationGroupFilter.enabled"


class Statements:
    """Statements on one table, on one session.

    Args:
        table: The table.
        request: What is asked for; its sort, options and branch apply to every write.
        session: Where to run them.
    """

    def __init__(self, table: Table, request: WriteRequest, session: EngineSession) -> None:
        self._table = table
        self._request = request
        self._session = session
        self._on_sail = session.engine == "sail"
        self._by_path = self._on_sail and table.warehouse.rest is None

    def create(
        self, frame: DataFrame, spec: Sequence[PartitionField], properties: Mapping[str, str], *, marked: bool = True
    ) -> int | None:
        """Create the table with the frame's rows, in one commit; return the rows if the engine counts them.

        Args:
            frame: The rows.
            spec: Partition spec of the table.
            properties: Of the table.
            marked: This commit is the write that was asked for, and carries its mark.
        """
        properties = dict(properties)
        if self._on_sail:
            properties[STRICT_COLUMNS] = "true"
        name = f"dataos_{uuid.uuid4().hex}" if self._by_path else self._table.identifier
        location = f" LOCATION {literal(self._table.place.path)}" if self._by_path else ""
        partitioned = f" PARTITIONED BY ({', '.join(map(to_sql, spec))})" if spec else ""
        pairs = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in properties.items())
        listed = f" TBLPROPERTIES ({pairs})" if pairs else ""
        with self._view(frame) as view, self._marking(marked=marked):
            declared = f"CREATE TABLE {name} USING iceberg{partitioned}{location}{listed}"
            rows = self._run(f"{declared} AS TABLE {view}")
        if self._by_path:
            self._detach(name)
        return rows

    def append(self, frame: DataFrame) -> int | None:
        """Add the frame's rows."""
        frame = in_order(frame, self._request.sort)
        with self._marking():
            if self._by_path:
                frame.write.format("iceberg").mode("append").save(self._table.place.url("sail"))
            else:
                self._writer(frame).append()
        return None

    def overwrite(self, frame: DataFrame) -> int | None:
        """Replace all rows by the frame's, or only those of the partitions that occur in it."""
        from pyspark.sql.functions import lit

        if self._request.dynamic_overwrite:
            with self._attached(self._request.branch) as name, self._marking():
                self._writer(in_order(frame, self._request.sort), name).overwritePartitions()
        elif self._by_path:
            frame = in_order(frame, self._request.sort)
            frame.write.format("iceberg").mode("overwrite").save(self._table.place.url("sail"))
        else:
            with self._marking():
                self._writer(in_order(frame, self._request.sort)).overwrite(lit(True))
        return None

    def merge(self, frame: DataFrame, merge: Merge) -> None:
        """Run an upsert; there is no count, because none is that of the rows which it inserted or updated.

        Spark says none; Sail, like the snapshot of either, counts the unchanged rows of rewritten files too.
        """
        when = merge.when.strip()
        when = when if when[:4].upper() == "WHEN" else f"WHEN {when}"
        with (
            self._attached(self._request.branch) as name,
            self._view(frame) as view,
            self._without_group_filter(),
            self._marking(),
        ):
            self._run(f"MERGE INTO {name} old USING {view} new ON {merge.on}\n{when}")

    def delete(self, where: str) -> None:
        """Delete the rows for which a condition holds, in which the table is called `target`.

        There is no count, as of a merge: Sail counts the rows that it kept of rewritten files.
        """
        with self._attached(self._request.branch) as name, self._without_group_filter(), self._marking():
            self._run(f"DELETE FROM {name} AS target WHERE {where}")  # noqa: S608 - the condition is the manifest's own

    def _marking(self, *, marked: bool = True) -> AbstractContextManager[None]:
        return marking(self._session, self._request.mark if marked else None)

    @contextmanager
    def _without_group_filter(self) -> Iterator[None]:
        """Turn off an optimization of Spark 4.1 that cannot plan a merge from a view of another Iceberg table.

        It copies the source's plan to find the files that a merge can leave alone, and fails with "No plan for
        TableReference" where that plan is a temporary view's.
        """
        if self._on_sail:
            yield
            return
        conf = self._session.spark.conf
        before = conf.get(_GROUP_FILTER, "true")
        conf.set(_GROUP_FILTER, "false")
        try:
            yield
        finally:
            conf.set(_GROUP_FILTER, before or "true")

    def set_properties(self, changed: Mapping[str, str]) -> None:
        """Set properties of the table."""
        pairs = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in changed.items())
        with self._attached(None) as name:
            self._run(f"ALTER TABLE {name} SET TBLPROPERTIES ({pairs})")

    def evolve(self, spec: Sequence[PartitionField], present: Sequence[tuple[str, str, str]]) -> None:
        """Give the table the wanted partition spec; files that are there keep their layout."""
        if not differs(spec, present):
            return
        self.spark_only("cannot change the partition spec of a table")
        dropped, added = evolution(spec, present)
        for name in dropped:
            self._run(f"ALTER TABLE {self._table.identifier} DROP PARTITION FIELD {quoted(name)}")
        for field in added:
            # Spark would name it `id_bucket_8` here, and `id_bucket` in a new table.
            name = field.name or default_name(field)
            named = "" if name == field.column else f" AS {quoted(name)}"
            self._run(f"ALTER TABLE {self._table.identifier} ADD PARTITION FIELD {to_sql(field)}{named}")

    def name_fields(self, fields: Sequence[PartitionField]) -> None:
        """Give partition fields of a new table their own names, where the engine can."""
        if self._on_sail:
            return
        for field in fields:
            self._run(
                f"ALTER TABLE {self._table.identifier} REPLACE PARTITION FIELD {quoted(default_name(field))} "
                f"WITH {to_sql(field)} AS {quoted(field.name or '')}"
            )

    def create_branch(self, branch: str) -> None:
        """Make a branch of the table's present state."""
        self._run(f"ALTER TABLE {self._table.identifier} CREATE BRANCH IF NOT EXISTS {quoted(branch)}")

    def _writer(self, frame: DataFrame, name: str | None = None) -> DataFrameWriterV2:
        branch = self._request.branch
        target = name or (self._table.branch_identifier(branch) if branch else self._table.identifier)
        writer = frame.writeTo(target)
        if not self._on_sail:
            for key, value in self._request.options.items():
                writer = writer.option(key, value)
        return writer

    @contextmanager
    def _attached(self, branch: str | None) -> Iterator[str]:
        """Yield the name on this session of the table, or of one of its branches."""
        if not self._by_path:
            yield self._table.branch_identifier(branch) if branch else self._table.identifier
            return
        name = f"dataos_{uuid.uuid4().hex}"
        self._run(f"CREATE TABLE IF NOT EXISTS {name} USING iceberg LOCATION {literal(self._table.place.path)}")
        try:
            yield name
        finally:
            self._detach(name)

    def _detach(self, name: str) -> None:
        """Forget a name under which the table was attached; it ends with the session anyway, so no failure counts."""
        with suppress(EngineError), self._session.failures():
            self._run(f"DROP TABLE IF EXISTS {name}")

    @contextmanager
    def _view(self, frame: DataFrame) -> Iterator[str]:
        """Yield the name of a view of the sorted frame that no other view can have."""
        view = f"dataos_{uuid.uuid4().hex}"
        in_order(frame, self._request.sort).createTempView(view)
        try:
            yield view
        finally:
            self._session.spark.catalog.dropTempView(view)

    def _run(self, statement: str) -> int | None:
        """Run a statement; return the rows that it says it changed."""
        rows = self._session.spark.sql(statement).collect()
        counted = rows[0].asDict().get("count") if rows else None
        return int(counted) if counted is not None else None

    def spark_only(self, what: str) -> None:
        """Refuse what Sail cannot do; the routing sends it to Spark unless Sail was asked for."""
        if self._on_sail:
            raise DepotUnsupported(
                f"{self._request.target}: Sail {what}",
                hint="run the job on Spark: --engine spark, or engines.jobs in dataos.yaml",
                location=self._request.location,
            )


def literal(text: str) -> str:
    """Return a text as a literal of Spark SQL, on both engines: a quote is escaped by a backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
