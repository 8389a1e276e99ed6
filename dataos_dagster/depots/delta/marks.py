"""The marks of writes in the log of a Delta table, read from its last commit backwards and no further than is asked.

A log keeps commits for 30 days unless the table says otherwise (`delta.logRetentionDuration`), which may be many
thousands: whoever looks for a mark names the state before its write, or the mark names a stream, whose batches are
committed in order.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataos_dagster.depots.delta.log import mark_of, versions_in
from dataos_dagster.depots.settlement import Evidence
from dataos_dagster.depots.streams import precedes
from dataos_dagster.errors import DatasetNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dataos_dagster.depots.storage import Place


@dataclass(frozen=True, slots=True, eq=False)
class CommitMarks(AbstractSet[str]):
    """The marks of all commits that are in a log.

    Attributes:
        place: The table.
        commits: Numbers of its commits, without a gap before the last one.
    """

    place: Place
    commits: range

    def __contains__(self, mark: object) -> bool:
        return any(found == mark for found in self)

    def __iter__(self) -> Iterator[str]:
        return iter({mark for version in self.commits if (mark := mark_of(self.place, version)) is not None})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def hold(self, mark: str, after: int) -> bool | None:
        """Return whether a commit behind a version carries a mark; None when some of these commits are gone."""
        try:
            for version in reversed(range(max(after + 1, self.commits.start), self.commits.stop)):
                found = mark_of(self.place, version)
                if found == mark:
                    return True
                if precedes(found, mark):
                    return False
        except DatasetNotFound:
            return None  # cleaned up while we looked
        return None if after + 1 < self.commits.start else False


@dataclass(frozen=True, slots=True)
class CommitEvidence(Evidence):
    """What a log shows: the number of the last commit, and the marks of all."""

    marks: CommitMarks = field(kw_only=True)

    def shows(
        self,
        mark: str,
        since: str | None = None,
        begun: datetime | None = None,  # noqa: ARG002 - the commits that are there say more than the time
    ) -> bool | None:
        """Return whether a mark is there; None when commits since then were cleaned up."""
        after = int(since) if since is not None and since.isdecimal() else -1
        # A table that was made anew has begun to count again.
        return self.marks.hold(mark, after if after < self.marks.commits.stop else -1)


def evidence_of(place: Place) -> CommitEvidence:
    """Return what a table shows of the writes to it."""
    commits = versions_in(place)
    return CommitEvidence(str(commits[-1]) if commits else None, marks=CommitMarks(place, commits))
