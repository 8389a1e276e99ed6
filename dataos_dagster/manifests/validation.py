"""Turn plain data into a model, and what does not fit into located diagnostics.

Models refuse unknown keys and empty values, which manifests are full of. What can be repaired is repaired here, with a
warning where the author should know, and validated again; only what is left is an error. A value with an error gives
way to one that fits, so that the rest of the document is checked in the same go. A correct manifest is validated once
and pays for none of it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from dataos_dagster.manifests import problems
from dataos_dagster.manifests.fields import field_at, keys_of, models_at
from dataos_dagster.manifests.fixes import rename_key, replace_word
from dataos_dagster.manifests.rewriting import enlist
from dataos_dagster.manifests.spelling import fold, meant, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pydantic_core import ErrorDetails

    from dataos_dagster.manifests.diagnostics import DocumentPath, Fix
    from dataos_dagster.manifests.draft import Draft

# Each round repairs, or puts aside, all that the one before could see: manifests nest nowhere near as deep.
MAX_ROUNDS = 24
M = TypeVar("M", bound=BaseModel)

# In the place of a value of which nothing is known.
_UNKNOWN = "placeholder"
MISSING: Final = "missing"
UNKNOWN_KEY: Final = "extra_forbidden"
_CONTAINERS: Final = frozenset({"list_type", "tuple_type", "dict_type", "mapping_type", "model_type"})
_LISTS: Final = frozenset({"list_type", "tuple_type"})


def validate(
    draft: Draft,
    model: type[M],
    path: DocumentPath,
    *,
    folds_keys: Collection[str] = (),
    renamed: Callable[[], None] | None = None,
) -> M | None:
    """Return the model of the value at a path; None when there are errors about it that nothing can stand in for.

    The draft is broken when it holds errors; then the model is only good for checking the rest of the document.

    Args:
        draft: The manifest; repaired in place, and told what was found.
        model: What the value should be.
        path: Where it stands in the draft.
        folds_keys: Keys whose other letter cases are no cause for a warning.
        renamed: Called after keys were renamed: old forms may show only then.
    """
    repair = _Repair(draft, model, path, folds_keys)
    for _ in range(MAX_ROUNDS):
        try:
            return model.model_validate(draft.get(path), by_alias=True, by_name=False)
        except ValidationError as error:
            details = repair.told(error.errors(include_url=False, include_input=False))
        repair.missing = {repair.path_of(detail) for detail in details if detail["type"] == MISSING}
        # From the back, so that an item that is taken out of a list does not move those still to be mended.
        mended = [repair.mend(detail) for detail in reversed(details)]
        if not any(mended) and not repair.set_aside(details):
            return None
        if repair.has_renamed and renamed is not None:
            repair.has_renamed = False
            renamed()
    for detail in details:
        repair.report(detail)
    return None


class _Repair:
    """One validation of one section."""

    def __init__(
        self,
        draft: Draft,
        model: type[BaseModel],
        root: DocumentPath,
        folds_keys: Collection[str],
    ) -> None:
        self.draft = draft
        self.model = model
        self.root = root
        self.folded = {fold(key): key for key in folds_keys}
        self.has_renamed = False
        # Required keys that are not there.
        self.missing: set[DocumentPath] = set()
        # Where something was put in the place of what, by the type of the error.
        self._stood_in: set[tuple[DocumentPath, str]] = set()

    def told(self, details: Sequence[ErrorDetails]) -> Sequence[ErrorDetails]:
        """Return errors without those that only follow from others: a list is too short without its wrong items."""
        return [each for each in details if each["type"] != "too_short" or self._is_short(each)]

    def _is_short(self, detail: ErrorDetails) -> bool:
        present = self.draft.get(self._path(detail["loc"]))
        return problems.explain(detail, present, "") is not None

    def mend(self, detail: ErrorDetails) -> bool:
        """Repair what an error complains about and return whether that was possible."""
        path = self._path(detail["loc"])
        if detail["type"] == UNKNOWN_KEY:
            self._unknown_key(path)
            return True
        if detail["type"] == MISSING or path == self.root:
            return False
        if (self.draft.get(path) is None and self._exists(path)) or self._is_left_empty(path, detail):
            self._fill(path, detail)
            return True
        if detail["type"] in _LISTS and self._is_item(path):
            enlist(self.draft, path)
            # What stands in the item has not been looked at.
            self.has_renamed = True
            return True
        return self._stand_in(path, detail)

    def _fill(self, path: DocumentPath, detail: ErrorDetails) -> None:
        """Do without a value that is left empty: `tags:` means that there are none."""
        field = field_at(self.model, path[len(self.root) :], self.draft.get(self.root))
        if not self.draft.allow_placeholders or field is None or not field.is_required():
            self.draft.take(path)
            return
        self.draft.warn("placeholder", path, f"{self._label(path)} is left empty", "write the value", key=True)
        self.draft.put(path, problems.stand_in(detail))

    def _is_left_empty(self, path: DocumentPath, detail: ErrorDetails) -> bool:
        """Return whether a list or mapping is written as another kind of nothing, such as `options: []`."""
        return detail["type"] in _CONTAINERS and self.draft.get(path) in ("", [], {})

    def _is_item(self, path: DocumentPath) -> bool:
        """Return whether a mapping has a key of what should be an item of a list in its place."""
        keys = self.draft.mapping(path)
        items = models_at(self.model, (*path[len(self.root) :], 0), self.draft.get(self.root)) if keys else ()
        return any(not keys.keys().isdisjoint(keys_of(item)) for item in items)

    def set_aside(self, details: Sequence[ErrorDetails]) -> bool:
        """Report errors, and put something that fits where they are; return whether that is possible."""
        for detail in details:
            self.report(detail)
        if any(self.path_of(detail) == self.root for detail in details):
            return False
        return all(self._set_aside(self.path_of(detail), detail) for detail in reversed(details))

    def _set_aside(self, path: DocumentPath, detail: ErrorDetails) -> bool:
        """Put something that fits where a value is wrong or missing; return whether there is anything to try."""
        if (path, detail["type"]) in self._stood_in:
            return self._leave_out(path)
        self._stood_in.add((path, detail["type"]))
        if detail["type"] == MISSING:
            # Of whatever type it should be: the next round says, and gets it.
            self.draft.set_aside(path, _UNKNOWN)
            return True
        present, value = self.draft.get(path), problems.stand_in(detail)
        word = problems.explain(detail, present, "")
        self.draft.set_aside(path, word.meant if word and word.meant else value if value != present else _UNKNOWN)
        return True

    def _leave_out(self, path: DocumentPath) -> bool:
        """Do without a value that nothing can stand in for, or without what holds it where that cannot be without it.

        What stands beside it has been looked at by now.
        """
        for length in range(len(path), len(self.root), -1):
            field = field_at(self.model, path[len(self.root) : length], self.draft.get(self.root))
            if field is not None and not field.is_required():
                self.draft.do_without(path[:length])
                return True
        return False

    def path_of(self, detail: ErrorDetails) -> DocumentPath:
        """Return the path that an error is about; of a missing key, where it should be."""
        path = self._path(detail["loc"])
        return (*path, str(detail["loc"][-1])) if detail["type"] == MISSING else path

    def report(self, detail: ErrorDetails) -> None:
        """Report an error that stays."""
        path = self._path(detail["loc"])
        if detail["type"] == MISSING:
            key = str(detail["loc"][-1])
            if self.draft.is_open((*path, key)):
                return
            field = field_at(self.model, (*path[len(self.root) :], key), self.draft.get(self.root))
            hint = field.description or "" if field else ""
            self.draft.missing(path, key, hint)
            return
        if self.draft.is_open(path):
            return  # the placeholder itself has been reported
        problem = problems.explain(detail, self.draft.get(path), self._label(path))
        if problem is not None:
            at_key = path == self.root
            part = (problem.offset, sys.maxsize) if problem.offset else None
            fix = self._fix(path, problem.meant) if problem.meant else None
            self.draft.error(problem.code, path, problem.message, problem.hint, key=at_key, part=part, fix=fix)

    def _fix(self, path: DocumentPath, word: str) -> Fix | None:
        """Return the fix that writes a word right; it is safe, because with the wrong one nothing runs."""
        text = self.draft.get(path)
        return replace_word(self.draft.document, self.draft.origin(path), text, text.strip(), word)

    def _unknown_key(self, path: DocumentPath) -> None:
        key = str(path[-1])
        section = path[len(self.root) : -1]
        known = list(self._known(section))
        same = next((other for other in known if fold(other) == fold(key)), None)
        if same is not None and self.draft.get((*path[:-1], same)) is None:
            if fold(key) not in self.folded:
                message = f"`{key}` is spelt `{same}`"
                fix = rename_key(self.draft.document, self.draft.origin(path), same)
                self.draft.warn("key-spelling", path, message, f"write `{same}`", key=True, fix=fix)
            self.draft.move(path, (*path[:-1], same))
            self.has_renamed = True
            return
        needed = meant(key, [str(other[-1]) for other in self.missing if other[:-1] == path[:-1]])
        if needed is not None:
            self.draft.misspelt(path, needed)
            self.draft.move(path, (*path[:-1], needed))
            self.missing.discard((*path[:-1], needed))
            self.has_renamed = True
            return
        where = f" in `{section[-1]}`" if section and isinstance(section[-1], str) else ""
        hint = suggestion(key, known)
        if meant(key, [other for other in known if self.draft.get((*path[:-1], other)) is None]):
            # Not mended by `--fix`: the key has no effect today, and would have one then.
            hint = f"{hint} `--fix` leaves it to you, because the manifest would do something else than now"
        self.draft.ignore(path, f"unknown key `{key}`{where}: ignored", hint)

    def _known(self, section: DocumentPath) -> Sequence[str]:
        models = models_at(self.model, section, self.draft.get(self.root))
        return [key for model in models for key in keys_of(model)]

    def _stand_in(self, path: DocumentPath, detail: ErrorDetails) -> bool:
        """Put a fitting value where a placeholder is, so that the rest of a template can be checked."""
        if not self.draft.allow_placeholders or not self.draft.is_open(path):
            return False
        value = problems.stand_in(detail)
        if value is None or self.draft.get(path) == value:
            self.draft.take(path)
        else:
            self.draft.put(path, value)
        return True

    def _exists(self, path: DocumentPath) -> bool:
        parent = self.draft.get(path[:-1])
        if isinstance(parent, dict):
            return path[-1] in parent
        return isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent)

    def _path(self, loc: tuple[int | str, ...]) -> DocumentPath:
        """Return the part of an error's location that exists in the data: the rest are names of alternatives."""
        path = self.root
        for step in loc:
            if self._exists((*path, step)):
                path = (*path, step)
        return path

    def _label(self, path: DocumentPath) -> str:
        names = [step for step in path if isinstance(step, str)]
        index = f"[{path[-1]}]" if isinstance(path[-1], int) else ""
        return f"`{names[-1]}{index}`" if names else "the manifest"
