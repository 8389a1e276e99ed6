"""Load and save datasets from Python in the words of PyFlare, through the same door as every job.

Example:
    .. code-block:: python

        from dataos_dagster import flare

        with flare.session(".", "dataos://lakehouse:sales/orders"):
            orders = flare.load("dataos://lakehouse:sales/orders", format="iceberg")
            flare.save("dataos://lakehouse:sales/large?acl=rw", orders.where("amount > 100"), mode="overwrite")
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import PartitionField, ReadRequest, Target, WriteRequest
from dataos_dagster.errors import DepotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.requests import Merge, WriteResult
    from dataos_dagster.engines.session import EngineSession, SessionConfiguration
    from dataos_dagster.identity import Principal
    from dataos_dagster.settings import EngineName

# PyFlare's plurals of Iceberg's transforms.
_TRANSFORMS = {"years": "year", "months": "month", "days": "day", "hours": "hour"}
_ICEBERG = {"table_properties", "partition", "merge"}
_CLAUSES = {"onClause", "whenClause"}
# What stands for `{dataset}` where a query is only looked at.
_DATASET = "__dataset"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What `load` and `save` inside a `session` block work with; `configuration` is what the datasets need."""

    door: Door
    engine: EngineSession
    principal: Principal
    declared: tuple[ReadRequest | WriteRequest, ...]
    configuration: SessionConfiguration

    def check(self, request: ReadRequest | WriteRequest) -> None:
        """Check that the engine was started with what a request needs.

        Raises:
            DepotError: The dataset's depot was not named when the session was opened.
        """
        from dataos_dagster.depots.requirements import session_configuration

        needed = self.door.requirements([*self.declared, request])
        if session_configuration(self.engine.engine, needed) != self.configuration:
            raise DepotError(
                f"{request.target}: its depot is not loaded in this session",
                hint=f'name it when the session is opened: flare.session(project, "{request.target}")',
            )


_CURRENT: ContextVar[_Opened | None] = ContextVar("dataos_flare_session", default=None)


@contextmanager
def session(
    project: str | Path,
    *datasets: str,
    engine: EngineName | None = None,
    envs: Mapping[str, str] | None = None,
    secrets: Iterable[str | Mapping[str, Any]] = (),
) -> Iterator[EngineSession]:
    """Open an engine for the block's time, in which `load` and `save` work.

    Args:
        project: The project's folder, whose depots and secrets count.
        datasets: Addresses whose depots are used, with `?acl=rw` where they are written. Depots of local folders need
            not be named.
        engine: Which engine; default Sail, or Spark where Sail cannot serve the datasets.
        envs: Variables of the engine's process, for functions that run there; an existing cluster takes none.
        secrets: Secrets for the same, each its name or an item as in `dataosSecrets`.

    Raises:
        DepotNotFound: Nobody declares a depot.
        DepotError: Variables or secrets are to be handed over to the processes of an existing cluster.
        SecretNotFound: A secret or a key is nowhere.
        EngineUnavailable: The engine is not installed, or did not start.
    """
    from dataos_dagster.depots.catalog import DepotCatalog
    from dataos_dagster.depots.door import Door
    from dataos_dagster.depots.requirements import session_configuration
    from dataos_dagster.engines.session import Sessions
    from dataos_dagster.flare.leasing import with_environment
    from dataos_dagster.identity import principal_of
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.secrets.consumption import handed_over
    from dataos_dagster.secrets.manifest import SecretReference
    from dataos_dagster.settings import load_settings

    settings = load_settings(Path(project))
    manifests = [settings.project / path for path in settings.manifests]
    door = Door(DepotCatalog.from_project(load_project(manifests, settings=settings), settings))
    declared = tuple(_declared(Address.parse(text)) for text in datasets)
    needed = door.requirements(declared)
    configuration = session_configuration(engine or ("spark" if "sail" in needed.vetoes else "sail"), needed)
    references = [SecretReference.model_validate(item) for item in secrets]
    given = handed_over(door.catalog.secrets, references, variables=envs or {}, workspace=settings.default_workspace)
    with given as environment, Sessions(settings) as sessions:
        master = settings.engines.spark.master
        opened = sessions.get(with_environment(configuration, environment, master=master))
        principal = principal_of(None, None, settings.identity)
        token = _CURRENT.set(_Opened(door, opened, principal, declared, configuration))
        try:
            yield opened
        finally:
            _CURRENT.reset(token)


def load(
    name: str,
    format: str | None = None,  # noqa: A002 - PyFlare's own word
    driver: str | None = None,
    query: str | None = None,
    options: Mapping[str, str] | None = None,
) -> DataFrame:
    """Return a lazy frame of a dataset.

    Args:
        name: Its address.
        format: Format of its files, where nothing else says it.
        driver: Class of the JDBC driver.
        query: SQL over the dataset, which stands in it as `{dataset}`.
        options: Options of the reader.

    Raises:
        DatasetNotFound: There is none.
        DepotError: No session is open, or its depot is not loaded in it.
        SqlRefused: The query reads more than the dataset, or is no query.
    """
    opened = _opened()
    given = {**(options or {}), **({"driver": driver} if driver else {})}
    request = ReadRequest(Target(Address.parse(name)), format=format, options=given)
    opened.check(request)
    if query is not None:
        _check_query(query)
    frame = opened.door.read(request, opened.engine, opened.principal)
    if query is None:
        return frame
    # Of all braces only these are to be filled: others belong to the query's own texts.
    template = query.replace("{", "{{").replace("}", "}}").replace("{{dataset}}", "{dataset}")
    with opened.engine.failures():
        return opened.engine.spark.sql(template, dataset=frame)


def save(
    name: str,
    dataframe: DataFrame,
    format: str | None = None,  # noqa: A002 - PyFlare's own word
    mode: Literal["append", "overwrite"] = "append",
    driver: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> WriteResult:
    """Commit a frame to a dataset, completely or not at all, and return what was written.

    Args:
        name: Its address.
        dataframe: The rows, of the same session.
        format: Format of its files, where nothing else says it.
        mode: `overwrite` replaces all rows.
        driver: Class of the JDBC driver.
        options: `compression`, `iceberg` with `table_properties`, `partition` and `merge`, and options of the writer.

    Raises:
        SchemaMismatch: The frame does not fit the dataset that is there.
        DatasetLocked: Another writer holds it.
        WriteFailed: The engine or the store failed; the dataset is as before.
        DepotError: No session is open, its depot is not loaded in it, or an option means nothing.
        SqlRefused: A clause of the merge reads more than the table and the rows, or does not parse.
    """
    opened = _opened()
    given = dict(options or {})
    iceberg, compression = dict(given.pop("iceberg", None) or {}), given.pop("compression", None)
    if unknown := sorted(set(iceberg) - _ICEBERG):
        raise DepotError(f"iceberg knows no {unknown[0]!r}", hint=f"there are {', '.join(sorted(_ICEBERG))}")
    properties = {key: str(value) for key, value in (iceberg.get("table_properties") or {}).items()}
    merge = _merge(iceberg["merge"]) if iceberg.get("merge") else None
    request = WriteRequest(
        Target(Address.parse(name)),
        mode,
        format=format,
        options={key: str(value) for key, value in given.items()} | ({"driver": driver} if driver else {}),
        compression=compression,
        partition_spec=tuple(_partition_field(entry) for entry in iceberg.get("partition") or ()),
        dynamic_overwrite=properties.pop("overwrite-mode", "").lower() == "dynamic",
        properties=properties,
        merge=merge,
    )
    opened.check(request)
    return opened.door.write(dataframe, request, opened.engine, opened.principal)


def _opened() -> _Opened:
    found = _CURRENT.get()
    if found is None:
        raise DepotError("no session is open", hint="write `with flare.session(project):` around load and save")
    return found


def _check_query(query: str) -> None:
    """Check that a query reads nothing but the dataset: whatever else is read has an address and a depot of its own.

    Raises:
        SqlRefused: It reads more, or is no query.
    """
    from dataos_dagster.flare.sql import parse_query

    for relation in parse_query(query.replace("{dataset}", _DATASET)).relations:
        if relation.parts != (_DATASET,):
            raise relation.refused(
                f"{relation.name!r} is not the dataset that is loaded",
                "the dataset stands in the query as {dataset}; load others by themselves, and join the frames",
            )


def _merge(entry: Any) -> Merge:
    """Return the merge of `save`.

    Raises:
        DepotError: A clause is missing.
        SqlRefused: A clause reads more than the table and the rows, or does not parse.
    """
    from dataos_dagster.flare.merging import merge_of, refuse_other_relations

    given = dict(entry) if isinstance(entry, Mapping) else {}
    if set(given) != _CLAUSES or not all(isinstance(clause, str) for clause in given.values()):
        raise DepotError(
            f"a merge has {' and '.join(sorted(_CLAUSES))}, and this one {' and '.join(sorted(given)) or 'neither'}",
            hint='write {"onClause": "target.id = source.id", "whenClause": "MATCHED THEN UPDATE SET *"}',
        )
    merge = merge_of(given["onClause"], given["whenClause"])
    refuse_other_relations(merge)
    return merge


def _declared(address: Address) -> ReadRequest | WriteRequest:
    return WriteRequest(Target(address), "append") if address.acl == "rw" else ReadRequest(Target(address))


def _partition_field(entry: Mapping[str, Any]) -> PartitionField:
    word = str(entry.get("type", "identity")).lower()
    transform: Any = _TRANSFORMS.get(word, word)
    return PartitionField(
        transform, entry["column"], entry.get("name"), entry.get("bucket_count") or entry.get("width")
    )
