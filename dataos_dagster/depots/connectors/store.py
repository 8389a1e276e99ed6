"""A store behind a Spark connector, as the door sees it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataos_dagster.depots.fitting import check_new
from dataos_dagster.depots.refusals import refuse_iceberg_only
from dataos_dagster.depots.requests import Column, ReadRequest, Requirements, WriteRequest, WriteResult
from dataos_dagster.depots.requirements import REDACTED_OPTIONS
from dataos_dagster.depots.spark_connectors import require_connectors
from dataos_dagster.engines.coordinates import CONNECTORS, coordinate_of
from dataos_dagster.errors import DepotUnreachable, DepotUnsupported, StatementFailed, WriteFailed

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame

    from dataos_dagster.address import Address
    from dataos_dagster.depots.connectors.call import Connector
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal

_ANSWER_SECONDS = 5


def _described(name: str) -> str:
    """Return the name of a connector, and whether nobody has seen it load beside this Spark."""
    return name if CONNECTORS[name].tried else f"{name} (made for an older Spark, and not tried with this one)"


@dataclass(frozen=True, slots=True)
class ConnectorStore:
    """Datasets behind one connector.

    Attributes:
        name: What it is called in messages: `depot 'sales'`, or the standalone location.
        kind: Its source type.
    """

    connector: Connector
    name: str
    kind: str

    def requirements(self, request: ReadRequest | WriteRequest) -> Requirements:
        """Return what a session needs to serve a request: Spark, and the connector."""
        self._usable()
        refuse_iceberg_only(request, self.kind)
        call = self.connector.describe(request)
        conf, secret = {**REDACTED_OPTIONS, **self.connector.conf}, self.connector.secret_conf
        return Requirements(
            conf={"spark": conf, "connect": conf},
            secret_conf={"spark": secret, "connect": secret},
            packages=tuple(coordinate_of(name) for name in self.connector.connectors),
            vetoes={"sail": (f"Sail has no connector for {self.kind} ({request.target})",)},
            notes=call.notes,
        )

    def read(self, request: ReadRequest, session: EngineSession) -> DataFrame:
        """Return a lazy frame of a dataset."""
        self._spark_only(request, session)
        call = self.connector.describe(request)
        with session.failures(request.location):
            frame = session.spark.read.format(call.format).options(**call.merged(request.options)).load()
            if request.columns is not None:
                wanted = {name.lower() for name in request.columns}
                frame = frame.select(*(frame[name] for name in frame.columns if name.lower() in wanted))
            frame.schema  # noqa: B018 - asks the engine, so that a connector that is missing is this read's error
        return frame

    def write(
        self,
        frame: DataFrame,
        request: WriteRequest,
        session: EngineSession,
        principal: Principal,  # noqa: ARG002 - the store knows us by the depot's secret
    ) -> WriteResult:
        """Hand a frame to the connector, which decides what a failure leaves behind.

        Raises:
            WriteFailed: The engine, the connector or the store failed.
        """
        self._spark_only(request, session)
        check_new(frame, request.target, location=request.location)
        call = self.connector.describe(request)
        try:
            with session.failures(request.location), session.stopped_on_interrupt():
                writer = frame.write.format(call.format).mode(request.mode)
                writer.options(**call.merged(request.options)).save()
        except StatementFailed as error:
            raise WriteFailed(
                f"{request.target} was not written: {error.message}",
                hint=f"a part of the rows may be there: {self.kind} is written by its connector, not in one step",
                location=request.location,
            ) from error
        return WriteResult(
            rows=None,
            schema=tuple(Column(field.name, field.dataType.simpleString()) for field in frame.schema.fields),
            created=False,
            notes=call.notes,
        )

    def check(self) -> str:
        """Return which server answers, and the connector that jobs use.

        Raises:
            DepotUnsupported: The connector is missing; says how to get it.
            DepotUnreachable: No server accepts a connection.
        """
        self._usable()
        require_connectors(*self.connector.connectors)
        used = ", ".join(map(_described, self.connector.connectors)) or "given by `driver`"
        if not self.connector.endpoints:
            return f"connector {used}; not asked: the address of its servers is not known beforehand"
        return f"{self._answering()} accepts connections; connector {used}; credentials are tried by the first job"

    def datasets(self) -> tuple[Address, ...]:
        """Return nothing: only a job's connector could list them."""
        return ()

    def _answering(self) -> str:
        problems = []
        for endpoint in self.connector.endpoints:
            host, _, port = endpoint.rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()
            except (OSError, ValueError) as error:
                problems.append(f"{endpoint}: {getattr(error, 'strerror', None) or error}")
            else:
                return endpoint
        raise DepotUnreachable(f"{self.name} does not answer: {'; '.join(problems)}", hint="check host and port")

    def _usable(self) -> None:
        if self.connector.obstacle:
            raise DepotUnsupported(f"{self.name}: {self.connector.obstacle}")

    def _spark_only(self, request: ReadRequest | WriteRequest, session: EngineSession) -> None:
        if session.engine == "sail":
            raise DepotUnsupported(
                f"Sail has no connector for {self.kind} ({request.target})",
                hint="run the job on Spark: --engine spark, or engines.jobs in dataos.yaml",
                location=request.location,
            )
