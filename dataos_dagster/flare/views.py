"""The views of a job, by name, as inputs and steps come by."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.errors import AddressError
from dataos_dagster.flare.inputs import PlannedInput, implicit_input

if TYPE_CHECKING:
    from collections.abc import Collection

    from dataos_dagster.errors import Location, UnknownView
    from dataos_dagster.flare.plan_findings import Findings
    from dataos_dagster.flare.relations import Relation


class Views:
    """Names of the views of a job as steps come by; case does not matter, and the session's spelling is kept.

    Sail tells `Orders` from `orders`, Spark does not: SQL that spells a view otherwise than it was registered is
    given the registered name.

    Args:
        inputs: Those of the manifest.
        depots: Names of the project's depots.
        stand_ins: Takes note of names that nothing makes, each of which then is a view with unknown columns; without
            it they are errors of whoever uses them.
    """

    def __init__(
        self, inputs: Collection[PlannedInput], depots: Collection[str], stand_ins: Findings | None = None
    ) -> None:
        self._names = {planned.name.lower(): planned.name for planned in inputs}
        # Whole datasets of incremental inputs: seen under their context's name, unless a view has that name.
        increments = [planned.increment for planned in inputs if planned.increment]
        self._contexts = {increment.context.lower(): increment.view for increment in increments}
        self._depots = tuple(depots)
        self._stand_ins = stand_ins
        # Names of views that nothing makes: none of them is suggested for another one.
        self._imagined: dict[str, str] = {}
        self.implicit: dict[Address, PlannedInput] = {}

    @property
    def names(self) -> dict[str, str]:
        """Return lower-case names of all views to the session's spelling."""
        return self._imagined | self._contexts | self._names

    def add(self, name: str) -> str:
        """Register a view and return the session's name for it; one that is there already keeps its spelling."""
        return self._names.setdefault(name.lower(), name)

    def find(self, name: str) -> str | None:
        """Return the session's name of a view, or None when there is no such view yet."""
        known = name.lower()
        return self._names.get(known) or self._contexts.get(known) or self._imagined.get(known)

    def stand_in(self, name: str, error: UnknownView) -> str:
        """Return the name of a view in the place of one that nothing makes, and remember that it is none.

        Raises:
            UnknownView: Nothing stands in for views here.
        """
        if self._stand_ins is None:
            raise error
        self._stand_ins.add([error])
        return self._imagined.setdefault(name.lower(), name)

    def closest(self, name: str) -> str:
        """Return a hint that names the view that was probably meant, or all of them."""
        close = difflib.get_close_matches(name.lower(), self._names, n=1)
        if close:
            return f"did you mean {self._names[close[0]]!r}?"
        known = ", ".join(self._names.values()) or "none"
        return f"views here: {known}; a dataset is written depot.collection.dataset"

    def implicit_view(self, relation: Relation, location: Location) -> str:
        """Return the view of a dataset that is named in SQL, making it an input of the job.

        Raises:
            AddressError: The name is no dataset of a depot.
        """
        depot, *rest = relation.parts
        if not rest or len(rest) == 1:
            raise AddressError(relation.name, 0, f"{relation.name!r} is no view of this job and no dataset")
        address = Address.parse(".".join(f'"{part}"' for part in relation.parts))
        if address.depot not in self._depots:
            raise AddressError(
                relation.name, 0, f"{relation.name!r}: there is no depot {depot!r}", hint=self._closest_depot(depot)
            )
        if address not in self.implicit:
            name = self._free_name("__".join(address.key))
            self.implicit[address] = implicit_input(address, name, location)
            self.add(name)
        return self.implicit[address].name

    def _closest_depot(self, depot: str) -> str:
        close = difflib.get_close_matches(depot.lower(), self._depots, n=1)
        return f"did you mean {close[0]!r}?" if close else f"depots: {', '.join(sorted(self._depots))}"

    def _free_name(self, wanted: str) -> str:
        name = "".join(character if character.isalnum() else "_" for character in wanted)
        while name.lower() in self._names:
            name += "_"
        return name
