"""Tell which keys of a manifest are accepted and have no effect yet.

Each model says itself which of its fields those are, and why (`ManifestModel.no_effect`); a test reads the package and
holds that every other field is used somewhere, and that no field is listed that is.
"""

from __future__ import annotations

import re
from functools import cache
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
    pattern = _pattern(type(section))
    if pattern is None or not pattern.search(draft.document.encoded):
        return  # so it is for most documents, and walking all values of all of them would take its time
    for place, effect in _found(draft, section, path, models_below(type(section))):
        message = f"`{place[-1]}` has no effect here: {effect.reason}"
        if effect.told == "info":
            draft.info("no-effect", place, message, "nothing to do", key=True)
        else:
            draft.warn("no-effect", place, message, "remove it, or do without what it asks for", key=True)


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
def _pattern(model: type[BaseModel]) -> re.Pattern[str] | None:
    """Return what finds a key without effect in the JSON text of a document; None when the models have none."""
    keys = {
        key
        for each in models_below(model)
        if issubclass(each, ManifestModel)
        for key, field in keys_of(each).items()
        if any(each.model_fields[name] is field for name in each.no_effect)
    }
    return re.compile(f'"(?:{"|".join(sorted(map(re.escape, keys)))})":') if keys else None


@cache
def _steps(model: type[ManifestModel]) -> tuple[tuple[str, str, NoEffect | None], ...]:
    """Return key, name and effect of the fields of a model that are told, or that lead to such fields (None)."""
    steps: list[tuple[str, str, NoEffect | None]] = []
    for key, field in keys_of(model).items():
        name = next(name for name, own in model.model_fields.items() if own is field)
        effect = model.no_effect.get(name)
        if effect is None and any(_pattern(inner) is not None for inner in _models_in(field.annotation)):
            steps.append((key, name, None))
        elif effect is not None and effect.told is not None:
            steps.append((key, name, effect))
    return tuple(steps)


def _found(
    draft: Draft, value: Any, path: DocumentPath, models: frozenset[type[BaseModel]]
) -> Iterator[tuple[DocumentPath, NoEffect]]:
    if isinstance(value, ManifestModel) and type(value) in models:
        written = draft.mapping(path)
        for key, name, effect in _steps(type(value)):
            if key not in written:
                continue
            inner = getattr(value, name)
            if effect is None:
                yield from _found(draft, inner, (*path, key), models)
            elif inner != type(value).model_fields[name].get_default(call_default_factory=True):
                yield (*path, key), effect
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _found(draft, item, (*path, index), models)
