"""Topics of a Kafka cluster as the door sees them. Spark reads and writes them; Sail has no connector."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataos_dagster.address import Address
from dataos_dagster.depots.contents import counted
from dataos_dagster.depots.kafka.event_hubs import kafka_options
from dataos_dagster.depots.kafka.payload import (
    HEADER_OPTION,
    PARSER_OPTIONS,
    as_messages,
    given_avro,
    is_avro,
    is_json,
    parsed,
    written_schema,
)
from dataos_dagster.depots.kafka.registry import REGISTRY_OPTIONS, RegistryKeys, SchemaRegistry
from dataos_dagster.depots.refusals import refuse_iceberg_only
from dataos_dagster.depots.requests import Column, ReadRequest, Requirements, WriteRequest, WriteResult
from dataos_dagster.depots.requirements import REDACTED_OPTIONS
from dataos_dagster.depots.spark_connectors import require_connectors
from dataos_dagster.depots.streams import end_query, refuse_streams, stream_writer
from dataos_dagster.engines.coordinates import coordinate_of
from dataos_dagster.errors import (
    CredentialsRefused,
    DatasetNotFound,
    DepotError,
    DepotUnreachable,
    DepotUnsupported,
    StatementFailed,
    WriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.streaming.query import StreamingQuery

    from dataos_dagster.depots.kafka.access import KafkaAccess
    from dataos_dagster.depots.kafka.registry import RegisteredValues
    from dataos_dagster.depots.streams import StreamQuery
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.identity import Principal

_ANSWER_SECONDS, _CALLBACK_SECONDS, _CONNECT_SECONDS = 10, 0.5, 2
# Of the batch reader: a stream has no end.
_END_OPTIONS = frozenset({"endingoffsets", "endingtimestamp", "endingoffsetsbytimestamp"})
# What says how values are read, and not how Kafka is.
_NOT_KAFKAS = PARSER_OPTIONS | REGISTRY_OPTIONS | {HEADER_OPTION}


@dataclass(frozen=True, slots=True)
class KafkaStore:
    """The topics of one cluster.

    Attributes:
        depot: Name of the depot.
        registry: The schema registry that the values of its topics are written with.
        asks_registry: It is also asked for the schema of values that nobody calls Avro: the job itself names it.
    """

    access: KafkaAccess
    depot: str
    registry: SchemaRegistry | None = None
    asks_registry: bool = False

    @property
    def streams_once(self) -> bool:
        """Return False: a topic does not know which micro-batches it holds."""
        return False

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request."""
        topic_of(request)
        _refuse_tables_only(request)
        keys = RegistryKeys.of(request.options)
        avro = is_avro(request.format) or (isinstance(request, ReadRequest) and self._is_registered(request, keys))
        packages = [coordinate_of("kafka"), *([coordinate_of("avro")] if avro else [])]
        return Requirements(
            conf={"spark": REDACTED_OPTIONS, "connect": REDACTED_OPTIONS},
            packages=tuple(packages),
            vetoes={"sail": (f"Sail has no connector for Kafka ({request.target})",)},
        )

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a topic: what it holds now, or, as a stream, what comes too."""
        if session.engine == "sail":
            refuse_streams(request, "Sail")
        given = kafka_options(request.options)
        options = {key: value for key, value in given.items() if key.lower() not in _NOT_KAFKAS}
        if request.stream:
            options = {key: value for key, value in options.items() if key.lower() not in _END_OPTIONS}
        options = options | self.access.spark_options() | {"subscribe": topic_of(request)}
        values = self._values(request)
        with self._failures(request), session.failures(request.location):
            reader = session.spark.readStream if request.stream else session.spark.read
            frame = parsed(reader.format("kafka").options(**options).load(), request, session, values)
            frame.schema  # noqa: B018 - asks the engine, so that a wrong option is this read's error
        return frame

    def write(
        self,
        frame: DataFrame,
        request: WriteRequest,
        session: EngineSession,
        principal: Principal,  # noqa: ARG002 - the brokers know us by the depot's secret
    ) -> WriteResult:
        """Publish every row of a frame as a message.

        Raises:
            DepotUnsupported: The request asks for what only a table can do.
            WriteFailed: The brokers refused a message; those before it may have been published.
        """
        _refuse_tables_only(request)
        try:
            with self._failures(request), session.failures(request.location), session.stopped_on_interrupt():
                messages = self._messages(frame, request)
                messages.write.format("kafka").options(**self._writer_options(request)).save()
        except StatementFailed as error:
            raise WriteFailed(
                f"{request.target} was not written to its end: {error.message}",
                hint="a topic takes messages one by one: those before the failure are there, and come again",
                location=request.location,
            ) from error
        note = f"{request.target}: a topic cannot be replaced, so messages were added to it"
        return WriteResult(
            rows=None,
            bytes=None,
            snapshot_id=None,
            files=None,
            schema=tuple(Column(name, type_) for name, type_ in written_schema(request.format).items()),
            created=False,
            notes=(note,) if request.mode == "overwrite" else (),
        )

    def stream_obstacles(self, request: WriteRequest, query: StreamQuery) -> tuple[str, ...]:  # noqa: ARG002 - the same for every topic
        """Return nothing: Spark writes any stream to a topic."""
        return ()

    @contextmanager
    def write_stream(
        self,
        frame: DataFrame,
        request: WriteRequest,
        session: EngineSession,
        principal: Principal,  # noqa: ARG002 - the brokers know us by the depot's secret
        query: StreamQuery,
    ) -> Iterator[StreamingQuery]:
        """Start a query that publishes every row of a stream, for the block's time.

        Raises:
            DepotUnsupported: The request asks for what only a table can do.
        """
        _refuse_tables_only(request)
        with self._failures(request), session.failures(request.location):
            messages = self._messages(frame, request)
            writer = stream_writer(messages, query).format("kafka").options(**self._writer_options(request))
            started = writer.start()
        try:
            yield started
        finally:
            end_query(started, session)

    def check(self) -> str:
        """Return how many topics there are.

        Raises:
            DepotUnsupported: Spark's connector is missing; says how to get it.
            DepotUnreachable: No broker answers.
            CredentialsRefused: They refuse the credentials.
        """
        require_connectors("kafka")
        return counted(len(self._topics()), "topic")

    def datasets(self) -> tuple[Address, ...]:
        """Return the addresses of all topics."""
        return tuple(Address(self.depot, "default", (topic,)) for topic in self._topics())

    def _topics(self) -> list[str]:
        try:
            from confluent_kafka import KafkaException
            from confluent_kafka.admin import AdminClient
        except ModuleNotFoundError:
            raise DepotUnsupported(
                f"depot {self.depot!r}: listing topics needs the Kafka client for Python, which is not installed",
                hint="pip install 'dataos-dagster[kafka]'; jobs do not need it",
            ) from None
        refused: list[str] = []
        properties: dict[str, Any] = {**self.access.client_properties(), "log_level": 0}
        client = AdminClient(properties | {"error_cb": lambda error: refused.append(error.name())})
        try:
            found = client.list_topics(timeout=_ANSWER_SECONDS).topics
        except KafkaException as error:
            client.poll(_CALLBACK_SECONDS)  # what the brokers said is told by the callback, and only here
            if "_AUTHENTICATION" in refused:
                raise CredentialsRefused(
                    f"the brokers {self.access.brokers} refuse the credentials", hint="check the depot's secret"
                ) from None
            raise DepotUnreachable(
                f"no broker of {self.access.brokers} answers: {error.args[0].str()}", hint="check `brokers`"
            ) from None
        return sorted(topic for topic in found if not topic.startswith("__"))

    def _is_registered(self, request: ReadRequest, keys: RegistryKeys) -> bool:
        """Return whether the values of a topic are Avro whose schema the registry has."""
        if self._registry_of(keys) is None or is_json(request.format):
            return False
        # A depot's registry says nothing about a topic whose messages are wanted as they are.
        return is_avro(request.format) or bool(keys) or self.asks_registry

    def _values(self, request: ReadRequest) -> RegisteredValues | None:
        keys = RegistryKeys.of(request.options)
        registry = self._registry_of(keys)
        if registry is None or not self._is_registered(request, keys):
            return None
        with located(request.location):
            return registry.values_of(_subject(request, keys), keys.id, given_avro(request))

    def _messages(self, frame: DataFrame, request: WriteRequest) -> DataFrame:
        keys = RegistryKeys.of(request.options)
        with located(request.location):
            return as_messages(frame, request, self._registry_of(keys), _subject(request, keys))

    def _registry_of(self, keys: RegistryKeys) -> SchemaRegistry | None:
        """Return the registry that a job names, or the depot's; the login of the depot's is for nobody else."""
        return SchemaRegistry(keys.url) if keys.url else self.registry

    def _writer_options(self, request: WriteRequest) -> dict[str, str]:
        given = {key: value for key, value in request.options.items() if key.lower() not in _NOT_KAFKAS}
        return given | self.access.spark_options() | {"topic": topic_of(request)}

    def _is_answered(self) -> bool:
        """Return whether a broker accepts connections."""
        for broker in self.access.brokers.split(","):
            host, _, port = broker.rpartition(":")
            with suppress(OSError, ValueError):
                socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
                return True
        return False

    @contextmanager
    def _failures(self, request: ReadRequest | WriteRequest) -> Iterator[None]:
        """Say of a statement that the engine failed whether the brokers or the topic are at fault."""
        try:
            yield
        except StatementFailed as error:
            # What the brokers said stands below the engine's own words, which the message is cut to.
            text = f"{error.message} {error.__cause__}"
            # A writer says the same of a topic that is not there and of brokers that do not tell.
            if "UnknownTopicOrPartition" in text or ("not present in metadata" in text and self._is_answered()):
                raise DatasetNotFound(
                    f"there is no topic {topic_of(request)!r} in depot {self.depot!r}", location=request.location
                ) from error
            if "TimeoutException" in text or "No resolvable bootstrap" in text or "Timed out" in text:
                raise DepotUnreachable(
                    f"no broker of {self.access.brokers} answers", hint="check `brokers`", location=request.location
                ) from error
            raise


@contextmanager
def located(location: Location | None) -> Iterator[None]:
    """Say of an error that knows no place in a manifest that it is this one."""
    try:
        yield
    except DepotError as error:
        error.location = error.location or location
        raise


def _subject(request: ReadRequest | WriteRequest, keys: RegistryKeys) -> str:
    """Return the subject of a topic's values: by its name, unless the manifest names another one."""
    return keys.subject or f"{topic_of(request)}-value"


def _refuse_tables_only(request: ReadRequest | WriteRequest) -> None:
    """Refuse what only a table can do: a topic would get every row as a plain message."""
    refuse_iceberg_only(request, "a topic", "leave them out: every row becomes a message")


def topic_of(request: ReadRequest | WriteRequest) -> str:
    """Return the topic that a request names.

    Raises:
        DepotError: It names none.
    """
    address = request.target.dataset
    if address is None or not address.path:
        raise DepotError(
            f"{request.target} names no topic",
            hint="write depot, namespace and topic: dataos://events:default/orders",
            location=request.location,
        )
    return ".".join(address.path)
