"""Writes that happen exactly once: noted before they begin, and settled when the process that did one has died.

The state database knows that a write has begun, not whether it was committed. That is seen in the dataset, by whoever
holds its lock next: where a commit can carry a mark (a snapshot's summary, a row of the same transaction, a file of the
same swap), by the mark; elsewhere by the state of the dataset, which nobody else can have changed while the writer that
died is the last one that held the lock.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from dataos_dagster.engines.failures import is_lost_connection
from dataos_dagster.errors import DepotError, EngineError, StateError, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from dataos_dagster.depots.locks import Holder
    from dataos_dagster.depots.maintenance import MaintenanceRequest
    from dataos_dagster.depots.requests import WriteRequest
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.identity import Principal
    from dataos_dagster.state.intents import IntendedWrite, Intents

R = TypeVar("R", "WriteRequest", "MaintenanceRequest")

# How long a store keeps the mark of a write at least, where it has to forget some: the next run of the job asks for it.
MARKS_KEPT = timedelta(days=90)
# When it forgets one: its clock may differ from that of whoever wrote down when the write began.
MARKS_FORGOTTEN = MARKS_KEPT + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a dataset shows of the writes to it.

    Attributes:
        state: Names the rows that are there, such as the present snapshot; None where there are none, or no names.
        marks: Marks of commits.
        kept: How long marks are kept at least; None where a mark is as old as its dataset.
    """

    state: str | None = None
    marks: AbstractSet[str] = frozenset()
    kept: timedelta | None = None

    def shows(
        self,
        mark: str,
        since: str | None = None,  # noqa: ARG002 - of stores that count their commits
        begun: datetime | None = None,
    ) -> bool | None:
        """Return whether a mark is there; None when that cannot be told, as the store has forgotten older marks.

        Args:
            mark: Of the write.
            since: State of the dataset before the write; None when it had none, or when nobody knows it.
            begun: When the write began; None for one that is being done now.
        """
        if mark in self.marks:
            return True
        forgotten = self.kept is not None and begun is not None and begun < datetime.now(UTC) - self.kept
        return None if forgotten else False


@runtime_checkable
class SettlingStore(Protocol):
    """A store whose datasets show which writes have happened."""

    def evidence(self, request: WriteRequest) -> Evidence:
        """Return what the dataset shows now; it may change at any moment unless its lock is held."""

    def settle(self, request: WriteRequest, principal: Principal) -> None:
        """Take the dataset's lock, wait for engines of writers that died, and settle what they had begun."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The account of one dataset's writes, for the time in which its lock is held.

    Attributes:
        dataset: The dataset, with its branch.
        token: Of the write at hand when it is to happen exactly once; other writes only settle what they find.
    """

    intents: Intents
    dataset: str
    token: str | None = None

    def settle(self, look: Callable[[], Evidence], left: Holder | None) -> None:
        """Note what became of writes that were begun and whose end nobody has noted.

        Args:
            look: Returns what the dataset shows.
            left: The writer that died while it held the lock, whose engine has ended by now; None also where others
                write without the lock, so that a changed dataset says nothing about that writer.

        Raises:
            WriteFailed: Nobody can say whether the write at hand has happened.
        """
        pending = self.intents.pending_on(self.dataset)
        if not pending:
            return
        evidence = look()
        for write in pending:
            written = _was_written(write, evidence, left)
            if written is not None:
                self.intents.settle(write.token, written=written, after=evidence.state if written else None)
            elif write.token == self.token:
                raise WriteFailed(
                    f"{self.dataset}: a run was interrupted while it wrote, and somebody outside of this project has "
                    "written since, or what the dataset keeps of its writes does not go back that far: whether its "
                    "rows are there cannot be told",
                    hint="look at the dataset, then give the window up (dataos flare state abandon) and, if its rows "
                    "are there, move on (dataos flare state set)",
                )

    @contextmanager
    def write(
        self,
        look: Callable[[], Evidence],
        session: EngineSession,
        *,
        marked: bool,
        binding: bool = True,
        looks_after_failure: bool = True,
    ) -> Iterator[None]:
        """Note that the write at hand begins, and when the block has ended, however it did, what became of it.

        Args:
            look: Returns what the dataset shows.
            session: Where the block writes.
            marked: The commit carries the token.
            binding: Nobody writes the dataset without the lock that is held now.
            looks_after_failure: Decide at once what became of a write that failed; otherwise the next run does.
        """
        if self.token is None:
            yield
            return
        before = look()
        self.intents.begin(self.token, before=before.state, marked=marked)
        try:
            with session.failures():
                yield
        except BaseException as error:
            # Whatever reports nothing, or no longer answers, may still commit: it is ended before anybody looks.
            if not isinstance(error, Exception) or (isinstance(error, EngineError) and is_lost_connection(error)):
                session.stop_work()
            # Where this fails the write stays begun, and the next run of the job looks again.
            with suppress(DepotError, StateError):
                if looks_after_failure:
                    self._conclude(look(), before, session, marked=marked, binding=binding)
            raise
        self.intents.settle(self.token, written=True, after=_state_after(look))

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Note that the write at hand begins, where the store will show nothing of it.

        That it has ended is known when the block has, and only then: otherwise the next run does it once more.
        """
        if self.token is None:
            yield
            return
        self.intents.begin(self.token, before=None, marked=False)
        yield
        self.intents.settle(self.token, written=True)

    def _conclude(
        self, now: Evidence, before: Evidence, session: EngineSession, *, marked: bool, binding: bool
    ) -> None:
        assert self.token is not None  # noqa: S101 - its only caller has asked
        written = now.shows(self.token, before.state) if marked else now.state != before.state
        if written is None:
            return
        if written and not marked and not binding:
            return  # whose change it is cannot be told
        # Of an engine that is not ours nobody knows when it stops.
        if written or session.process is not None:
            self.intents.settle(self.token, written=written, after=now.state if written else None)


def _state_after(look: Callable[[], Evidence]) -> str | None:
    """Return the state that a write has made; it is written, whether or not it can be looked at now."""
    try:
        return look().state
    except DepotError:
        return None


def settled(request: R, intents: Intents, token: str | None = None) -> R:
    """Return a request whose work settles what others have left; a write with a token happens exactly once."""
    named = replace(request, mark=token, operation=token) if token else request
    return replace(named, settlement=Settlement(intents, dataset_of(request), token))


def dataset_of(request: WriteRequest | MaintenanceRequest, branch: str | None = None) -> str:
    """Return the name under which writes of a dataset are noted: the dataset, and its branch.

    Args:
        request: Names the dataset.
        branch: Another branch than the request's.
    """
    branch = branch or request.branch
    return f"{request.target}#{branch}" if branch else str(request.target)


def _was_written(write: IntendedWrite, evidence: Evidence, left: Holder | None) -> bool | None:
    """Return whether a write that was begun has happened; None when that cannot be told."""
    shown = evidence.shows(write.token, write.before, write.begun)
    if shown or write.marked:
        return shown
    if evidence.state == write.before:
        return False
    return True if left is not None and left.operation == write.token else None
