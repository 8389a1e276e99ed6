"""Every error that this package raises on purpose.

    DataOSError
    ├── SettingsError            dataos.yaml or a DATAOS_* variable is wrong
    ├── AddressError             a text is not a dataos:// address
    ├── ManifestError            a project has error diagnostics
    ├── SecretError              a secret cannot be had
    │   ├── SecretNotFound       no back end knows it
    │   └── SecretBackendError   a back end could not answer
    ├── DepotError               a depot cannot do what is asked
    │   ├── DepotNotFound        no manifest and no setting declares it
    │   ├── DepotUnsupported     the source type, or this operation on it, is not available
    │   ├── DepotUnreachable     the server or folder does not answer (a retry can help)
    │   ├── CredentialsRefused   the server refuses the credentials
    │   ├── DatasetNotFound      the depot answers, but has no such dataset
    │   ├── SchemaMismatch       the rows do not fit the dataset that is there
    │   ├── DatasetLocked        another writer holds the dataset (a retry can help)
    │   └── WriteFailed          a write did not happen; the dataset is as before
    ├── EngineError              an engine cannot be used
    │   ├── EngineUnavailable    it is not installed, or cannot be started
    │   ├── EngineCrashed        its process ended under a job (a retry can help)
    │   └── StatementFailed      the engine refused or failed a statement
    ├── SelectionError           what a command line names is not there
    ├── JobError                 a job of a workflow failed
    │   ├── NotYetRun            it asks for something that this version reads and does not run
    │   ├── JobTimedOut          it took longer than it may (a retry can help)
    │   ├── JobInterrupted       somebody ended the run while it was at work
    │   └── StepError            one of its inputs, steps or outputs failed
    │       ├── UnknownView       it names a view that nothing in the job makes
    │       └── AssertionsFailed  what it read or made is not as its manifest asserts
    └── StateError               the state database cannot be used

Each error says what happened in its message, what to do in `hint`, and where it comes from in `location`.
`retryable` says whether the same call may succeed later without anybody changing anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataos_dagster.manifests.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the user's files an error comes from; lines and columns are 1-based.

    Attributes:
        end: Line and column behind the last character, where more than the beginning is known.
    """

    file: str
    line: int
    column: int
    end: tuple[int, int] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class DataOSError(Exception):
    """Root of every error that this package raises on purpose.

    Args:
        message: What happened, naming the thing it happened to. Secret values that are known are masked.
        hint: What to do about it.
        location: The place in a manifest that asked for it.
    """

    retryable = False

    def __init__(self, message: str, *, hint: str | None = None, location: Location | None = None) -> None:
        self.message = redact(message)
        self.hint = redact(hint) if hint else hint
        self.location = location
        super().__init__(self.message)

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}{self.message}{advice}"


class SettingsError(DataOSError):
    """`dataos.yaml` or a `DATAOS_*` variable is wrong."""


class AddressError(DataOSError):
    """A text is not an address.

    Attributes:
        text: The text as it was given.
        offset: 0-based index of the first character that does not fit.
    """

    def __init__(self, text: str, offset: int, message: str, *, hint: str | None = None) -> None:
        self.text = text
        self.offset = offset
        super().__init__(message, hint=hint)


class ManifestError(DataOSError):
    """A project has error diagnostics; all of them are in `diagnostics`."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic], *, hint: str | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(message, hint=hint)


class SecretError(DataOSError):
    """A secret cannot be had."""


class SecretNotFound(SecretError):
    """No back end knows the secret, or it lacks a key."""


class SecretBackendError(SecretError):
    """A back end could not answer."""


class DepotError(DataOSError):
    """A depot cannot do what is asked."""


class DepotNotFound(DepotError):
    """No manifest and no setting declares the depot."""


class DepotUnsupported(DepotError):
    """The source type, or this operation on it, is not available."""


class DepotUnreachable(DepotError):
    """The depot's server or folder does not answer."""

    retryable = True


class CredentialsRefused(DepotError):
    """The depot's server refuses the credentials."""


class DatasetNotFound(DepotError):
    """The depot answers, but has no such dataset."""


class SchemaMismatch(DepotError):
    """The rows do not fit the dataset that is there; nothing was written."""


class DatasetLocked(DepotError):
    """Another writer holds the dataset."""

    retryable = True


class WriteFailed(DepotError):
    """A write did not happen; the dataset is as it was before."""


class EngineError(DataOSError):
    """An engine cannot be used."""


class EngineUnavailable(EngineError):
    """The engine is not installed, or cannot be started."""


class EngineCrashed(EngineError):
    """The engine's process ended under a job."""

    retryable = True


class StatementFailed(EngineError):
    """The engine refused or failed a statement; the message is the engine's own."""


class SelectionError(DataOSError):
    """What a command line names is not there, or does not go together."""


class JobError(DataOSError):
    """A job of a workflow failed."""


class NotYetRun(JobError):
    """A job asks for something that this version reads and does not run; no data was touched."""


class JobTimedOut(JobError):
    """A job took longer than it may and was stopped; what it had written before stays."""

    retryable = True


class JobInterrupted(JobError):
    """Somebody ended the run while a job was at work; what it had written before stays."""


class StepError(JobError):
    """One input, step or output of a job failed.

    Attributes:
        step: What failed, such as `steps[0].sequence[2] "daily"`.
        sql: The statement, when there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        step: str,
        sql: str | None = None,
        hint: str | None = None,
        location: Location | None = None,
        retryable: bool = False,
    ) -> None:
        self.step = step
        self.sql = sql
        self.retryable = retryable
        super().__init__(message, hint=hint, location=location)


class UnknownView(StepError):
    """A step, an output or a test names a view that no input and no step makes."""


class UnknownFile(StepError):
    """A step names a file that is not there, so that nobody knows its SQL."""


class AssertionsFailed(StepError):
    """Tests of a view failed, so that it was not written, or the job was stopped; the message lists them."""


class StateError(DataOSError):
    """The state database cannot be used."""
