"""Kafka: one real broker that is its own controller (KRaft), with one listener without and one with a password."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cache import cache_folder, installing
from .java import missing as java_missing
from .packages import InstallationFailed, run
from .process import HOST, ServerProcess, free_port, port_is_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = "4.1.1"
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.slf4j", "slf4j-nop", "1.7.36"),
)
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy-dependencies"
# A test's broker holds a few messages: a small heap, and no optimising compiler that would take its time from tests.
_JAVA = ("java", "-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_ANSWER_SECONDS = 30


def missing() -> str | None:
    """Return why there is no broker here, or None."""
    if reason := java_missing():
        return reason
    return None if _libraries().is_dir() else f"the jars of Kafka {VERSION} are not downloaded"


def install() -> None:
    """Download the broker with Maven."""
    if not shutil.which("mvn"):
        raise InstallationFailed("mvn is not installed: Kafka comes as Maven artifacts")
    with installing("kafka", f"downloading Kafka {VERSION} with Maven (54 MB)"):
        if missing() is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder, "pom.xml")
            project.write_text(_project(), encoding="utf-8")
            partial = _libraries().with_suffix(".partial")
            run("mvn", "-q", "-B", "-f", str(project), _COPY, f"-DoutputDirectory={partial}", "-DincludeScope=runtime")
            # Moved into place when it is whole: an interrupted copy is not taken for the broker.
            partial.rename(_libraries())


@dataclass
class KafkaServer:
    """A broker on the loopback interface; it can be taken down and brought back with everything that it holds."""

    folder: Path
    port: int
    sasl_port: int
    process: ServerProcess
    username: str = "test-user"
    password: str = "test-kafka-password"

    @property
    def bootstrap(self) -> str:
        """Return `host:port` of the listener that asks for nothing."""
        return f"{HOST}:{self.port}"

    @property
    def sasl_bootstrap(self) -> str:
        """Return `host:port` of the listener that asks for a name and a password (SASL PLAIN, no TLS)."""
        return f"{HOST}:{self.sasl_port}"

    def create_topic(
        self, name: str | None = None, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """Create a topic, one with a name that nobody has when none is given, and return its name."""
        from confluent_kafka.admin import NewTopic

        topic = name or f"topic-{uuid.uuid4().hex[:12]}"
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin = self._admin()
        admin.create_topics([new])[topic].result(_ANSWER_SECONDS)
        return topic

    def delete_topic(self, name: str) -> None:
        """Delete a topic with its messages."""
        admin = self._admin()
        admin.delete_topics([name])[name].result(_ANSWER_SECONDS)

    def delete_messages(self, topic: str, *, before: int, partition: int = 0) -> None:
        """Delete the messages of a partition up to an offset, as retention does."""
        from confluent_kafka import TopicPartition

        admin, place = self._admin(), TopicPartition(topic, partition, before)
        admin.delete_records([place])[place].result(_ANSWER_SECONDS)

    def produce(self, topic: str, values: Iterable[bytes | str | None], *, key: str | None = None) -> int:
        """Write messages, in order within a partition, wait until the broker has them all, and return their number."""
        from confluent_kafka import Producer

        failures: list[Any] = []
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "acks": "all", "log_level": 3})
        count = 0
        for count, value in enumerate(values, 1):
            producer.produce(topic, value, key=key, on_delivery=lambda error, _: error and failures.append(error))
            if count % 50_000 == 0:  # half of what its queue holds
                producer.flush(_ANSWER_SECONDS)
        left = producer.flush(_ANSWER_SECONDS)
        if left or failures:
            raise RuntimeError(f"{left + len(failures)} of {count} messages were not written: {failures[:1]}")
        return count

    def consume(self, topic: str) -> list[tuple[bytes | None, bytes | None]]:
        """Return key and value of every message that the topic holds now, partition by partition; nothing is committed."""
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        reader = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"test-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # What a transaction has not committed, a reader of this topic does not see either.
                "isolation.level": "read_committed",
            }
        )
        try:
            partitions = sorted(reader.list_topics(topic, _ANSWER_SECONDS).topics[topic].partitions)
            found = []
            for partition in partitions:
                reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
                found += _read_to_the_end(reader)
        finally:
            reader.close()
        return found

    def down(self) -> None:
        """Stop the broker and keep what it holds."""
        self.process.stop()

    def up(self) -> None:
        """Start the broker again, with what it held, at the same addresses."""
        self.process = _start(self.folder, self.port)

    def stop(self) -> None:
        """Stop the broker and delete what it holds."""
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _admin(self) -> Any:
        """Return a client, which its caller holds until it has its answer: dropped earlier, the answer is an error."""
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.bootstrap})


def start_kafka() -> KafkaServer:
    """Start an empty broker; topics are created by who wants them, never by a write."""
    folder = Path(tempfile.mkdtemp(prefix="dataos-kafka-"))
    port, sasl_port = free_port(), free_port()
    settings = _settings(folder, port, sasl_port, free_port())
    (folder / "server.properties").write_text("\n".join(f"{k}={v}" for k, v in settings.items()), encoding="utf-8")
    identity = str(uuid.uuid4())
    run(
        *_JAVA,
        "-cp",
        f"{_libraries()}/*",
        "kafka.tools.StorageTool",
        "format",
        "-t",
        identity,
        "-c",
        f"{folder}/server.properties",
    )
    return KafkaServer(folder, port, sasl_port, _start(folder, port))


def _start(folder: Path, port: int) -> ServerProcess:
    command = [*_JAVA, "-cp", f"{_libraries()}/*", "kafka.Kafka", str(folder / "server.properties")]
    process = ServerProcess.start("kafka", command, log=folder / "server.log")
    process.wait_until(lambda: port_is_open(port))
    return process


def _settings(folder: Path, port: int, sasl_port: int, controller_port: int) -> dict[str, str]:
    account = f'username="{KafkaServer.username}" password="{KafkaServer.password}"'
    listeners = {"PLAINTEXT": port, "SASL_PLAINTEXT": sasl_port, "CONTROLLER": controller_port}
    addresses = {name: f"{name}://{HOST}:{number}" for name, number in listeners.items()}
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": f"{addresses['PLAINTEXT']},{addresses['SASL_PLAINTEXT']}",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'{account} user_{KafkaServer.username}="{KafkaServer.password}";'
        ),
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "log.cleaner.enable": "false",
    }


def _read_to_the_end(reader: Any) -> list[tuple[bytes | None, bytes | None]]:
    """Return the messages of the assigned partition, until the broker says that there are no more now."""
    from confluent_kafka import KafkaError

    found = []
    deadline = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < deadline:
        message = reader.poll(0.2)
        if message is None:
            continue
        if message.error() is None:
            found.append((message.key(), message.value()))
        elif message.error().code() == KafkaError._PARTITION_EOF:
            return found
        else:
            raise RuntimeError(str(message.error()))
    raise RuntimeError(f"{reader.assignment()} was not read to its end within {_ANSWER_SECONDS} s")


def _libraries() -> Path:
    return cache_folder() / f"kafka-{VERSION}"


def _project() -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        "<scope>runtime</scope></dependency>"
        for group, artifact, version in _ARTIFACTS
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>tests</groupId><artifactId>kafka</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
