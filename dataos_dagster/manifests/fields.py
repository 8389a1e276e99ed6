"""Which keys a model knows at a place of a manifest: for suggestions, JSON Schema and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel

from dataos_dagster.manifests.model import ManifestModel

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from dataos_dagster.manifests.diagnostics import DocumentPath, PathStep


@cache
def keys_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the keys that a manifest may write for a model, first spelling first, and the field of each."""
    return {key: field for name, field in model.model_fields.items() for key in _spellings(name, field)}


def _spellings(name: str, field: FieldInfo) -> Iterator[str]:
    alias = field.validation_alias or field.alias or name
    if isinstance(alias, AliasChoices):
        yield from (choice for choice in alias.choices if isinstance(choice, str))
    elif isinstance(alias, str):
        yield alias


def models_at(model: type[BaseModel], path: DocumentPath, data: Any) -> tuple[type[BaseModel], ...]:
    """Return the models that may describe the mapping at a path below a model.

    Args:
        model: Model of the mapping that the path begins at.
        path: Way to the mapping.
        data: The values at the path's beginning: some sections are typed by a value beside them.
    """
    annotations: list[Any] = [model]
    for step in path:
        annotations = [inner for outer in annotations for inner in _below(outer, step, data)]
        data = _value(data, step)
    return tuple(branch for outer in annotations for branch in branches(outer) if is_model(branch))


def field_at(model: type[BaseModel], path: DocumentPath, data: Any) -> FieldInfo | None:
    """Return the field that a path below a model leads to; None when it leads to none."""
    if not path or not isinstance(path[-1], str):
        return None
    for owner in models_at(model, path[:-1], data):
        field = keys_of(owner).get(path[-1])
        if field is not None:
            return field
    return None


def branches(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of an annotation, without its metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from branches(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for argument in get_args(annotation):
            yield from branches(argument)
    else:
        yield annotation


def is_model(annotation: Any) -> bool:
    """Return whether an annotation is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _below(annotation: Any, step: PathStep, data: Any) -> Iterator[Any]:
    for branch in branches(annotation):
        origin, arguments = get_origin(branch), get_args(branch)
        if is_model(branch) and isinstance(step, str):
            typed = branch.section_model(step, data) if issubclass(branch, ManifestModel) else None
            field = keys_of(branch).get(step)
            if typed is not None:
                yield typed
            elif field is not None:
                yield field.annotation
        elif arguments and isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(step, str):
            yield arguments[1]
        elif arguments and isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(step, int):
            yield arguments[0]


def _value(data: Any, step: PathStep) -> Any:
    if isinstance(data, dict):
        return data.get(str(step))
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None
