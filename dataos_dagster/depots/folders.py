"""What lies in a folder: files in some format, or a Delta table. Iceberg tables are those of a lakehouse."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dataos_dagster.depots.files.formats import FILE_FORMATS

if TYPE_CHECKING:
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.depot import Depot
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.depots.stores import Store

DELTA = "delta"


def open_folder(
    root: Place, catalog: DepotCatalog, depot: Depot | None, asked: str | None, path: tuple[str, ...] | None = ()
) -> Store:
    """Return the store of a dataset in a folder.

    Args:
        root: Folder of the depot, or the file or folder itself of a standalone job.
        catalog: The project's depots.
        depot: None for a standalone job.
        asked: Format that the manifest gives, in lower case.
        path: Of the dataset below the root; None when the whole depot is meant, and no dataset.
    """
    name, format_ = (depot.name, depot.format) if depot else (None, None)
    offline = catalog.offline or path is None
    if _is_delta(root.join(*(path or ())), asked, format_, offline=offline):
        from dataos_dagster.depots.delta.store import DeltaStore

        return DeltaStore(root, catalog.settings, name)
    from dataos_dagster.depots.files.store import FileStore

    return FileStore(root, catalog.settings, name, format_, catalog.offline)


def _is_delta(place: Place, asked: str | None, format_: str | None, *, offline: bool) -> bool:
    """Return whether a dataset is a Delta table: as is asked for, else as the depot says, else by its log.

    Files of a table's folder that its log has forgotten are rows for whoever reads them as parquet.
    """
    if asked is not None or PurePosixPath(place.name).suffix.lstrip(".").lower() in FILE_FORMATS:
        return asked == DELTA
    if format_ is not None or offline:
        return format_ == DELTA
    from dataos_dagster.depots.delta.log import is_table

    return is_table(place)
