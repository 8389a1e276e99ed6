"""Create a table with its rows: all of it or nothing, whoever dies meanwhile and whoever else is about to do the same.

Where one statement does it, that statement is the commit. Where it takes more, in a catalog, the new table carries the
claim of its writer until the rows are in: it counts as missing until then, and only its writer's project removes it.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.claims import Claim, in_the_way
from dataos_dagster.depots.fitting import check_new
from dataos_dagster.depots.lakehouse import rest
from dataos_dagster.depots.lakehouse.partitioning import check_columns, named_fields, wanted_spec
from dataos_dagster.errors import DatasetLocked, DepotError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.lakehouse.statements import Statements
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.locks import Holder
    from dataos_dagster.depots.requests import PartitionField, WriteRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.settings import Settings


def clear_abandoned(table: Table, settings: Settings, request: WriteRequest) -> None:
    """Make room in a catalog: drop what a dead writer of this project has begun, wait for what others have.

    Only for the holder of the table's lock.

    Raises:
        DatasetLocked: Another project is still creating the table when the time is over.
    """

    def look() -> Claim | None:
        claim = rest.creation_of(table)
        if claim is None or not claim.is_of(settings):
            return claim
        rest.drop_creation(table, claim)
        return None

    if claim := in_the_way(look, settings.limits.lock_seconds):
        raise DatasetLocked(
            f"{request.target} is being created by {claim}; waited {settings.limits.lock_seconds:g} s",
            hint="run the job again when that writer is done; if it is dead, run its job there, or drop the table "
            f"{table.dotted} in the catalog",
            location=request.location,
        )


@dataclass(frozen=True, slots=True)
class TableCreation:
    """The creation of one table; nothing of that name counts as a table yet."""

    table: Table
    request: WriteRequest
    session: EngineSession
    settings: Settings
    holder: Holder
    properties: Mapping[str, str]

    def create(self, frame: DataFrame, statements: Statements) -> tuple[int | None, tuple[str, ...]]:
        """Create the table with the frame's rows; return how many if the engine says it, and notes.

        Raises:
            SchemaMismatch: The frame cannot become a table, or the partition spec names none of its columns.
            DatasetLocked: Another project has created the table meanwhile.
        """
        check_new(frame, self.request.target, location=self.request.location)
        spec = wanted_spec(self.request)
        check_columns(spec, frame.columns, self.request)
        if self.request.branch:
            return self._create_for_branch(frame, spec, statements), ()
        if self.table.warehouse.rest is not None:
            if self.session.engine == "sail":
                return self._create_in_catalog(frame, spec, statements), ()
            rest.create_namespace(self.table)
        rows = statements.create(frame, spec, self.properties)
        return rows, self._name_fields(spec, statements)

    def _name_fields(self, spec: Sequence[PartitionField], statements: Statements) -> tuple[str, ...]:
        """Name partition fields; the rows are committed by now, so what goes wrong is a note."""
        try:
            with self.session.failures():
                statements.name_fields(named_fields(spec))
        except EngineError as error:
            return (f"{self.request.target} is written; its partition fields keep Iceberg's names: {error.message}",)
        return ()

    def _create_in_catalog(
        self, frame: DataFrame, spec: Sequence[PartitionField], statements: Statements
    ) -> int | None:
        claim = Claim.of(self.holder, self.settings)
        rest.create_table(self.table, frame.schema, spec, self.properties, claim)
        with self._dropped_on_failure(claim):
            rows = statements.append(frame)
            rest.confirm_creation(self.table, claim)
        return rows

    def _create_for_branch(
        self, frame: DataFrame, spec: Sequence[PartitionField], statements: Statements
    ) -> int | None:
        """The branch gets the rows; the main one must exist for it to branch from, and stays empty."""
        assert self.request.branch is not None  # noqa: S101 - what this is called for
        claim = Claim.of(self.holder, self.settings)
        properties = dict(self.properties)
        if self.table.warehouse.rest is not None:
            rest.create_namespace(self.table)
            properties[rest.CREATING] = claim.as_text()
        statements.create(frame.limit(0), spec, properties, marked=False)
        with self._dropped_on_failure(claim):
            statements.name_fields(named_fields(spec))
            statements.create_branch(self.request.branch)
            rows = statements.append(frame)
            if self.table.warehouse.rest is not None:
                rest.confirm_creation(self.table, claim)
        return rows

    @contextmanager
    def _dropped_on_failure(self, claim: Claim) -> Iterator[None]:
        """Drop what this creation has made when the block fails, after making sure that nothing commits any more."""
        try:
            with self.session.stopped_on_interrupt():
                yield
        except BaseException as error:
            try:
                self._drop(claim)
            except (DepotError, OSError) as left:
                error.add_note(f"the new table could not be dropped ({left}); the next write does it")
            raise

    def _drop(self, claim: Claim) -> None:
        if self.table.warehouse.rest is not None:
            rest.drop_creation(self.table, claim)
        else:
            shutil.rmtree(self.table.place.local)
