"""Tell which keys of a manifest are accepted and have no effect yet.

Each model says itself which of its fields those are, and why (`ManifestModel.no_effect`); a test reads the package and
holds that every other field is used somewhere, and that no field is listed that is.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, get_args

from dataos_dagster.manifests.fields import is_model, keys_of
from dataos_dagster.manifests.model import ManifestModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft
    from dataos_dagster.manifests.model import NoEffect


def report_no_effect(draft: Draft, section: BaseModel, path: DocumentPath) -> None:
    """Report the keys of a section that have no effect and say something else than their default.

    Args:
        draft: The manifest.
        section: The section, typed.
        path: Where it stands.
    """
    # Walking all values of all documents would take its time, so only the ways to keys that are there are walked.
    # Where keys were rewritten, the document has them in another spelling.
    model, informs = type(section), draft.informs
    present = _keys_below(model, informs) if draft.moves else _present(model, draft.document.encoded, informs)
    if not present:
        return
    for place, effect in _found(draft, section, path, present):
        message = f"`{place[-1]}` has no effect here: {effect.reason}"
        if effect.told == "info":
            draft.info("no-effect", place, message, "nothing to do", key=True)
        else:
            draft.warn("no-effect", place, message, "it may stay, but what it asks for does not happen", key=True)


@cache
def models_below(model: type[BaseModel]) -> frozenset[type[BaseModel]]:
    """Return a model and all models that its fields may hold."""
    found: dict[type[BaseModel], None] = {}
    pending: list[type[BaseModel]] = [model]
    while pending:
        each = pending.pop()
        if each not in found:
            found[each] = None
            pending += [inner for field in each.model_fields.values() for inner in _models_in(field.annotation)]
    return frozenset(found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if is_model(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


@cache
def _keys_below(model: type[BaseModel], informs: bool) -> frozenset[str]:
    """Return the keys without effect that are told, of a model and of all models that its fields may hold."""
    return frozenset(
        key
        for each in models_below(model)
        if issubclass(each, ManifestModel)
        for key, field in keys_of(each).items()
        if any(
            each.model_fields[name] is field
            for name, effect in each.no_effect.items()
            if _is_told(effect, informs=informs)
        )
    )


def _is_told(effect: NoEffect, *, informs: bool) -> bool:
    return effect.told is not None and (informs or effect.told != "info")


@lru_cache(maxsize=4)
def _present(model: type[BaseModel], encoded: str, informs: bool) -> frozenset[str]:
    """Return the keys without effect that stand in the JSON text of a document, which all of its jobs ask for."""
    pattern = _pattern(model, informs)
    return frozenset(pattern.findall(encoded)) if pattern else frozenset()


@cache
def _pattern(model: type[BaseModel], informs: bool) -> re.Pattern[str] | None:
    """Return what finds the keys without effect in the JSON text of a document; None where none are told."""
    keys = sorted(map(re.escape, _keys_below(model, informs)))
    return re.compile(f'"({"|".join(keys)})":') if keys else None


@cache
def _steps(model: type[ManifestModel], present: frozenset[str]) -> tuple[tuple[str, str, NoEffect | None], ...]:
    """Return key, name and effect of the fields of a model that are told, or that lead to such fields (None).

    Args:
        model: The model.
        present: Keys that stand anywhere in the document; the ways to others are left out.
    """
    steps: list[tuple[str, str, NoEffect | None]] = []
    for key, field in keys_of(model).items():
        name = next(name for name, own in model.model_fields.items() if own is field)
        effect = model.no_effect.get(name)
        if effect is None and any(_keys_below(inner, True) & present for inner in _models_in(field.annotation)):
            steps.append((key, name, None))
        elif effect is not None and effect.told is not None:
            steps.append((key, name, effect))
    return tuple(steps)


def _found(
    draft: Draft, value: Any, path: DocumentPath, present: frozenset[str]
) -> Iterator[tuple[DocumentPath, NoEffect]]:
    if isinstance(value, ManifestModel):
        written = draft.mapping(path)
        for key, name, effect in _steps(type(value), present):
            if key not in written:
                continue
            inner = getattr(value, name)
            if effect is None:
                yield from _found(draft, inner, (*path, key), present)
            elif inner != type(value).model_fields[name].get_default(call_default_factory=True):
                yield (*path, key), effect
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _found(draft, item, (*path, index), present)
