"""What is asked of the door, and what it answers: plain values, without an engine.

A request says *what* to read or write. Nothing in it depends on where it is done, so that its requirements can be
known, and an engine chosen, before anything is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dataos_dagster.depots.jdbc_url import without_credentials
from dataos_dagster.redaction import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from dataos_dagster.address import Acl, Address
    from dataos_dagster.depots.manifest import Connection
    from dataos_dagster.depots.settlement import Settlement
    from dataos_dagster.errors import Location
    from dataos_dagster.settings import EngineName


SchemaLanguage = Literal["avro", "spark", "ddl"]
Transform = Literal["identity", "year", "month", "day", "hour", "bucket", "truncate"]


@dataclass(frozen=True, slots=True)
class JdbcConnection:
    """A table of a database without a depot (`inputType: jdbc`, `outputType: jdbc`).

    Credentials in the URL are taken out of it, because plans, errors and the history name it; those beside it win.

    Attributes:
        url: JDBC URL, such as `jdbc:postgresql://host:5432/database`; credentials are not part of it.
        table: `table` or `schema.table`; empty where a query is read instead.
        secret_parameters: Further secret parameters, such as `sslpassword`; those in the URL are added.
    """

    url: str
    table: str = ""
    username: str | None = None
    password: SecretStr | None = None
    driver: str | None = None
    secret_parameters: Mapping[str, SecretStr] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        from pydantic import SecretStr

        parted = without_credentials(self.url)
        password = self.password or (SecretStr(parted.password) if parted.password else None)
        secrets = {key: SecretStr(value) for key, value in parted.secrets.items()} | dict(self.secret_parameters)
        register(*(value for value in (password, parted.password, *secrets.values()) if value))
        found = {
            "url": parted.url,
            "username": self.username or parted.username,
            "password": password,
            "secret_parameters": secrets,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class SpelledSource:
    """A dataset of a source that a job spells out instead of naming a depot (`inputType: snowflake` and the like).

    Attributes:
        kind: Source type.
        connection: How the source is reached, as a depot would say it.
        credentials: As a depot's secret would hold them.
        address: The dataset, below a depot named like the source type.
    """

    kind: str
    connection: Connection = field(hash=False)
    credentials: Mapping[str, SecretStr] = field(hash=False)
    address: Address

    def __post_init__(self) -> None:
        register(*self.credentials.values())


@dataclass(frozen=True, slots=True)
class Target:
    """What is read or written: an address, or the standalone location of an input or output without a depot.

    Exactly one of `address`, `path`, `warehouse`, `jdbc` and `source` is given.

    Attributes:
        path: File or folder (`inputType: file`): a local path, relative to the project, or an `s3a://` URL.
        warehouse: Folder of an Iceberg lakehouse (`warehousePath`), with `namespace` and `table`.
        jdbc: A database's table.
        source: A dataset of another source without a depot.
        storage: Properties of Hadoop that the job gives for its paths, without `spark.hadoop.`; keys are among them.
    """

    address: Address | None = None
    path: str | None = None
    warehouse: str | None = None
    namespace: str | None = None
    table: str | None = None
    jdbc: JdbcConnection | None = None
    source: SpelledSource | None = None
    storage: Mapping[str, SecretStr] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dataset(self) -> Address | None:
        """Return the dataset's place in its source: the address, or what stands for one where there is no depot."""
        return self.source.address if self.source else self.address

    def __str__(self) -> str:
        if self.address is not None:
            return str(self.address)
        if self.warehouse is not None:
            return f"{self.warehouse}/{self.namespace}/{self.table}"
        if self.jdbc is not None:
            return f"{self.jdbc.url}:{self.jdbc.table}" if self.jdbc.table else self.jdbc.url
        if self.source is not None:
            place = (self.source.address.collection, *self.source.address.path)
            return f"{self.source.kind}:{'/'.join(part for part in place if part)}"
        return self.path or ""


@dataclass(frozen=True, slots=True)
class GivenSchema:
    """A schema as the user wrote it: `schemaString`, or the text of the file behind `schemaPath`.

    Attributes:
        language: `avro` (record as JSON), `spark` (StructType as JSON) or `ddl`.
    """

    language: SchemaLanguage
    text: str


@dataclass(frozen=True, slots=True)
class StoreQuery:
    """A query that a database answers itself, in its own SQL.

    Attributes:
        reads: Datasets that it reads; empty where its text came from a job as it is, and nobody has looked into it.
    """

    sql: str
    reads: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Read one dataset.

    Attributes:
        target: What is read; with a `query` the whole depot or connection.
        format: As the manifest says it, any case; None leaves it to the depot. Where it cannot belong to the depot,
            the depot wins.
        options: Reader options; `branch`, `snapshot-id` and `as-of-timestamp` choose a state of an Iceberg table.
        columns: Columns wanted, in the dataset's order; None wants all. Only a database is asked for fewer.
        keep_system_columns: Keep the `__metadata` column that Flare adds, instead of dropping it.
        acl: Credentials to read with. `rw` where the same session writes to the depot: it has one identity.
        stream: Read it as a stream: what is there and what comes, until the query that reads it ends. Spark only.
        query: Read what this query returns instead of a dataset. Databases only.
    """

    target: Target
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    schema: GivenSchema | None = None
    columns: tuple[str, ...] | None = None
    keep_system_columns: bool = False
    location: Location | None = None
    acl: Acl = "r"
    stream: bool = False
    query: StoreQuery | None = None


@dataclass(frozen=True, slots=True)
class PartitionField:
    """One field of a partition spec, outermost first.

    Attributes:
        name: Name of the field; None takes Iceberg's (`ts_day`, `id_bucket`).
        width: Number of buckets of `bucket`, width of `truncate`; None for the others.
    """

    transform: Transform
    column: str
    name: str | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True)
class SortColumn:
    """One column to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """Order of the rows written: inside each partition of the frame, or of the whole (`global`)."""

    scope: Literal["partition", "global"]
    columns: tuple[SortColumn, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """An upsert; in both clauses `old` is the table and `new` the frame.

    Attributes:
        on: Condition behind ON.
        when: What follows, with or without the leading WHEN.
    """

    on: str
    when: str


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Write a frame to one dataset.

    Attributes:
        target: Where to; an address without a dataset is refused: the caller has put the output's name there.
        format: As the manifest says it, any case; None leaves it to the depot.
        mode: `overwrite` replaces all rows (of the branch), or with `dynamic_overwrite` those of the partitions that
            occur in the frame.
        options: Writer options (`extraOptions`), without `branch`.
        compression: Codec of the data files (`compressionType`).
        partition_spec: Iceberg partition spec of a new table; empty says nothing about an existing one.
        partition_by: Hive-style folders of a file dataset; identity transforms of an Iceberg table.
        properties: Iceberg table properties, without `overwrite-mode`.
        merge: Upsert instead of `mode`.
        branch: Iceberg branch to write to; made from the table's present state when it is missing.
        operation: Identifies this write in the lock that is held meanwhile, such as the run's id.
        mark: Text that the commit carries where the store and the engine can: a snapshot's summary, a row of the same
            transaction, a file of the same swap. `Door.evidence` tells whether it is there.
        settlement: The account of the dataset's writes: what others have begun is settled before this write.
        exactly_once: The write must be known to have happened or not, also after a crash.
        statement: Run this for each row, with a `?` for each column, instead of adding rows to the table. Databases
            only; the table is what other writers wait for.
    """

    target: Target
    mode: Literal["append", "overwrite"]
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    compression: str | None = None
    partition_spec: tuple[PartitionField, ...] = ()
    partition_by: tuple[str, ...] = ()
    sort: Sort | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    dynamic_overwrite: bool = False
    merge: Merge | None = None
    branch: str | None = None
    operation: str | None = None
    location: Location | None = None
    mark: str | None = None
    settlement: Settlement | None = field(default=None, repr=False, compare=False)
    exactly_once: bool = False
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a session must be configured with before requests can be served on it, per engine.

    Attributes:
        conf: Spark properties, by engine; nothing secret.
        secret_conf: Spark properties whose values are secret, by engine.
        packages: Maven coordinates that Spark needs.
        environment: Variables that the engine's process must be started with, by engine.
        vetoes: Engines that cannot serve the requests, each with the reasons as sentences.
        notes: What will be done otherwise than asked, each a sentence.
    """

    conf: Mapping[EngineName, Mapping[str, str]] = field(default_factory=dict)
    secret_conf: Mapping[EngineName, Mapping[str, SecretStr]] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    environment: Mapping[EngineName, Mapping[str, SecretStr]] = field(default_factory=dict)
    vetoes: Mapping[EngineName, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset.

    Attributes:
        type: Spark's simple string, such as `bigint`, `decimal(10,2)`, `array<string>`.
        tags: Tags of the catalog, `Category.Tag`, that whoever wrote it gives it.
    """

    name: str
    type: str
    nullable: bool = True
    comment: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did.

    Attributes:
        rows: Rows written (by a merge: inserted or updated), as the write or the snapshot's summary reports it; None
            when the store does not say.
        total_rows: Rows that the dataset (of the branch) has now, as far as that is known without counting them.
        bytes: Size of the data files written, in bytes; None when the store does not say.
        snapshot_id: Iceberg snapshot; None when the store has none, or when nothing changed.
        files: Number of data files written; None when the store has none.
        schema: Columns of the dataset after the write.
        created: The dataset did not exist before.
        branch: The Iceberg branch written to; None is the main one.
        notes: What was done otherwise than asked, each a sentence.
    """

    rows: int | None
    schema: tuple[Column, ...]
    created: bool
    bytes: int | None = None
    snapshot_id: str | None = None
    files: int | None = None
    branch: str | None = None
    notes: tuple[str, ...] = ()
    total_rows: int | None = None


@dataclass(frozen=True, slots=True)
class DepotStatus:
    """Whether a depot can be used.

    Attributes:
        status: `active`: reachable, credentials accepted. `error`: not. `unsupported`: this version cannot tell.
        found: What is in it, such as `3 tables in 2 namespaces`; empty when unknown.
        detail: What is wrong and what to do; empty when active.
        seconds: Wall time of the check.
    """

    depot: str
    type: str
    status: Literal["active", "error", "unsupported"]
    found: str
    detail: str
    seconds: float
