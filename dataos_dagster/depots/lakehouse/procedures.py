"""Iceberg's procedures on a table, called on Spark (Iceberg documentation, Spark procedures).

Sail has none of them, and what pyiceberg 0.12 has is not the same: its expiry forgets snapshots and leaves their files.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.depots.lakehouse.statements import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataos_dagster.depots.lakehouse.orphans import ListedFile
    from dataos_dagster.depots.lakehouse.tables import Table
    from dataos_dagster.depots.maintenance import ExpireSnapshots, RemoveOrphans, RewriteData, RewriteManifests
    from dataos_dagster.engines.session import EngineSession

# What the views of one session are called here; nobody else's view has such a name.
_LISTING, _ORPHANS = "dataos_files_of_a_table", "dataos_orphans_of_a_table"
# Before everything: the list of snapshots alone says which go, and a listed file has been found old enough.
_LONG_AGO = "TIMESTAMP '1970-01-01 00:00:00'"


class Procedures:
    """Procedures of one table on one session.

    Args:
        table: The table; its catalog's procedures are called.
        session: On Spark.
    """

    def __init__(self, table: Table, session: EngineSession) -> None:
        self._table = table
        self._session = session

    def rewrite_data(self, work: RewriteData) -> Mapping[str, int]:
        """Put data files together; return how many files and bytes were rewritten, and how many files came of it."""
        pairs = [literal(text) for pair in work.properties.items() for text in pair]
        [counted] = self._call(
            "rewrite_data_files",
            strategy=literal("sort" if work.sorts else "binpack"),
            sort_order=literal(work.sort_order) if work.sorts and work.sort_order else None,
            options=f"map({', '.join(pairs)})" if pairs else None,
            where=literal(work.where) if work.where else None,
        )
        return {
            "data_files_rewritten": counted["rewritten_data_files_count"],
            "data_files_added": counted["added_data_files_count"],
            "bytes_rewritten": counted["rewritten_bytes_count"],
            "delete_files_removed": counted.get("removed_delete_files_count") or 0,
            "data_files_failed": counted.get("failed_data_files_count") or 0,
        }

    def rewrite_manifests(self, work: RewriteManifests) -> Mapping[str, int]:
        """Write manifests anew; return how many there were, and how many came of them."""
        [counted] = self._call(
            "rewrite_manifests",
            use_caching=_truth(work.use_caching),
            spec_id=None if work.spec_id is None else str(work.spec_id),
        )
        return {
            "manifests_rewritten": counted["rewritten_manifests_count"],
            "manifests_added": counted["added_manifests_count"],
        }

    def expire(self, work: ExpireSnapshots, ids: Iterable[int]) -> Mapping[str, int]:
        """Remove exactly these snapshots; return how many files went with them, by what they held."""
        [counted] = self._call(
            "expire_snapshots",
            older_than=_LONG_AGO,
            snapshot_ids=f"array({', '.join(f'{each}L' for each in ids)})",
            max_concurrent_deletes=_number(work.delete_at_once),
            stream_results=_truth(work.streams_results),
        )
        return {
            name.removesuffix("_count"): count or 0
            for name, count in counted.items()
            if name.startswith("deleted_") and name.endswith("_count")
        }

    def orphans(self, work: RemoveOrphans, listed: Iterable[ListedFile] | None, *, remove: bool) -> tuple[str, ...]:
        """Return the URLs of files that no snapshot knows, in order.

        Args:
            work: What is asked for.
            listed: Files to judge, old enough all of them; None lets Iceberg list the table's folder, which takes no
                limit of less than a day.
            remove: Remove them.
        """
        older_than = f"TIMESTAMP '{work.older_than:%Y-%m-%d %H:%M:%S.%f}'"
        found = self._call_on(
            listed,
            older_than=older_than if listed is None else None,
            location=literal(work.folder) if listed is None and work.folder else None,
            dry_run=_truth(not remove),
            max_concurrent_deletes=_number(work.delete_at_once),
        )
        return tuple(sorted(str(row["orphan_file_location"]) for row in found))

    def known_by_name(self, urls: Iterable[str]) -> tuple[str, ...]:
        """Return those of the URLs whose last part is the name of a file that a snapshot knows."""
        name = "element_at(split(path, '/'), -1)"
        of = self._table.identifier
        known = (
            f"SELECT file_path AS path FROM {of}.all_files UNION ALL SELECT path FROM {of}.all_manifests "  # noqa: S608 - the table's own name
            f"UNION ALL SELECT manifest_list FROM {of}.snapshots"
        )
        with self._view(_ORPHANS, [(url,) for url in urls], "path string"):
            rows = self._session.spark.sql(
                f"SELECT path FROM {_ORPHANS} LEFT SEMI JOIN (SELECT {name} AS name FROM ({known})) AS known "  # noqa: S608 - made above
                f"ON {name} = known.name ORDER BY path"
            ).collect()
        return tuple(row[0] for row in rows)

    def _call_on(self, listed: Iterable[ListedFile] | None, **arguments: str | None) -> list[Mapping[str, Any]]:
        if listed is None:
            return self._rows("remove_orphan_files", arguments)
        with self._view(
            _LISTING, [(file.url,) for file in listed], "file_path string", f"{_LONG_AGO} AS last_modified"
        ):
            return self._rows("remove_orphan_files", {**arguments, "file_list_view": literal(_LISTING)})

    def _call(self, name: str, **arguments: str | None) -> list[dict[str, int]]:
        """Call a procedure whose columns are all numbers."""
        return [
            {key: int(value) for key, value in row.items() if value is not None} for row in self._rows(name, arguments)
        ]

    def _rows(self, name: str, arguments: Mapping[str, str | None]) -> list[Mapping[str, Any]]:
        """Call a procedure with named arguments, which are SQL; those that are None are left to their defaults."""
        named = ".".join(quoted(part) for part in (*self._table.namespace, self._table.name))
        given = {"table": literal(named)} | {key: value for key, value in arguments.items() if value is not None}
        listed = ", ".join(f"{key} => {value}" for key, value in given.items())
        statement = f"CALL {quoted(self._table.warehouse.catalog)}.system.{name}({listed})"
        return [row.asDict() for row in self._session.spark.sql(statement).collect()]

    @contextmanager
    def _view(self, name: str, rows: list[tuple[str]], schema: str, *more: str) -> Iterator[None]:
        frame = self._session.spark.createDataFrame(rows, schema).selectExpr("*", *more)
        frame.createOrReplaceTempView(name)
        try:
            yield
        finally:
            self._session.spark.catalog.dropTempView(name)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
