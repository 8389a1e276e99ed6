"""What is wrong with a job, found part by part: one mistake in it hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataos_dagster.errors import DataOSError, NotYetRun, UnknownFile, UnknownView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")

# What a plan can be made without: something stands in for the view, or what is not run is left out of it.
_STOOD_IN = (NotYetRun, UnknownFile, UnknownView)


class Findings:
    """Errors of the parts of one job.

    Args:
        collect: Go on after an error, and keep it; else the first one is raised.
    """

    def __init__(self, *, collect: bool = False) -> None:
        self.collect = collect
        self._errors: list[DataOSError] = []

    @property
    def errors(self) -> tuple[DataOSError, ...]:
        """Return the errors, each once, in the order of the manifest."""
        each = {(error.message, str(error.location)): error for error in reversed(self._errors)}
        return tuple(sorted(each.values(), key=_place))

    @property
    def serious(self) -> tuple[DataOSError, ...]:
        """Return the errors that nothing can stand in for."""
        return tuple(error for error in self.errors if not isinstance(error, _STOOD_IN))

    def add(self, errors: Iterable[DataOSError]) -> None:
        """Keep errors, or raise the first of them.

        Raises:
            DataOSError: There is one, and errors are not collected.
        """
        for error in errors:
            if not self.collect:
                raise error
            self._errors.append(error)

    def tried(self, plan: Callable[[], T]) -> T | None:
        """Return what a function returns, or None when it fails and errors are collected.

        Raises:
            DataOSError: It failed, and errors are not collected.
        """
        try:
            return plan()
        except DataOSError as error:
            if not self.collect:
                raise
            self._errors.append(error)
            return None

    def is_at(self, error: DataOSError) -> bool:
        """Return whether something is known to be wrong in the place of an error."""
        return error.location is not None and any(known.location == error.location for known in self._errors)


def _place(error: DataOSError) -> tuple[str, int, int]:
    place = error.location
    return (place.file, place.line, place.column) if place else ("", 0, 0)
