"""Turn what a Spark Connect client raises into errors that say what the engine said.

An engine's message arrives wrapped: the query plan, a JVM stack trace, sometimes both. What a user can act on is
the engine's error class and its first sentences; the rest stays in the engine's log.
"""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataos_dagster.engines.python_failures import python_failure
from dataos_dagster.errors import EngineCrashed, EngineError, StatementFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataos_dagster.engines.process import Child
    from dataos_dagster.errors import Location

# Where a message stops speaking to its reader: the analysed plan behind `;`, or a stack trace.
_PLAN = re.compile(r";?\n(?:'|\+- |== |[A-Z]\w+(?: \[| #))")
_TRACE = re.compile(r"\n+(?:JVM stacktrace:|Driver stacktrace:|\s+at [\w.$]+\()")
_JAVA_PREFIX = re.compile(r"^\((?:[a-z]\w*\.)+[A-Za-z$]+\)\s*|^(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error):\s*")
# Errors of Spark that say no more than that another one has ended a task; sometimes that one is told instead.
_WRAPPING = frozenset({"TASK_WRITE_FAILED"})
_CAUSE = re.compile(r"^Caused by: (.*(?:\n(?!\tat |Caused by: ).*)*)", re.MULTILINE)
_MAX_CHARACTERS = 2000


@contextmanager
def engine_failures(child: Child | None = None, *, location: Location | None = None) -> Iterator[None]:
    """Translate what the Spark Connect client raises inside the block.

    Frames are lazy: wrap the action (a write, a count), not only what builds the frame.

    Args:
        child: The server's process when it is ours; when it has gone, that is the error.
        location: The place in a manifest that asked for the statement.

    Raises:
        EngineCrashed: The server's process ended.
        StatementFailed: The engine refused or failed a statement.
    """
    import grpc  # type: ignore[import-untyped] # it has no types
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, grpc.RpcError) as error:
        raise translate(error, child, location=location) from error
    except ValueError as error:
        # What grpc says on a channel that was closed because the session was stopped under the caller.
        if "closed channel" not in str(error):
            raise
        raise translate(error, child, location=location) from error


def translate(error: BaseException, child: Child | None = None, *, location: Location | None = None) -> EngineError:
    """Return the error of this package for one of the client's."""
    # A killed process needs a moment to be gone after its connection broke.
    if child is not None and ((is_lost_connection(error) and child.process.wait(1.0)) or not child.is_running()):
        return EngineCrashed(
            f"{child.name} (process {child.process.pid}) {_end_of(child)} under a job",
            hint=f"its log is {child.log}",
            location=location,
        )
    return StatementFailed(engine_message(error), location=location)


def _end_of(child: Child) -> str:
    status = child.exit_status()
    if status is not None and status > 128:  # noqa: PLR2004 - a shell's way to say a signal
        killed = f"was ended by {signal.Signals(status - 128).name}"
        return f"{killed} (the system kills what takes too much memory)" if status - 128 == signal.SIGKILL else killed
    return f"ended with status {status} ({child.last_words()})"


def engine_message(error: BaseException) -> str:
    """Return what the engine said, error class first where it has one, without plan and stack trace."""
    text = _message(error)
    for pattern in (_TRACE, _PLAN):
        found = pattern.search(text)
        text = text[: found.start()] if found else text
    text = python_failure(text) or text
    text = _JAVA_PREFIX.sub("", text.strip())
    return text[:_MAX_CHARACTERS] or type(error).__name__


def _message(error: BaseException) -> str:
    from pyspark.errors import PySparkException

    message = str(error)
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    if condition in _WRAPPING and (causes := _CAUSE.findall(_stack_trace(error))):
        return str(causes[-1])
    return f"[{condition}] {message}" if condition and condition not in message else message


def _stack_trace(error: BaseException) -> str:
    """Return the trace of the engine's JVM, which its client keeps beside the message."""
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException

    return error.getStackTrace() or "" if isinstance(error, SparkConnectGrpcException) else ""


def is_lost_connection(error: BaseException) -> bool:
    """Return whether an error says that the engine did not answer, and not what it answered."""
    text = str(error)
    return any(
        sign in text for sign in ("UNAVAILABLE", "Socket closed", "Connection reset", "closed channel", "RST_STREAM")
    )
