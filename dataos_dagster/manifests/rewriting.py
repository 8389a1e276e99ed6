"""Rewrites of old and misplaced forms that several kinds share: each with one warning that says what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft


def move(draft: Draft, source: DocumentPath, target: DocumentPath, *, code: str = "misplaced-key") -> None:
    """Move a value with a warning; what stands at the target already stays, and the value is dropped.

    `code` is `misplaced-key` for the wrong place, `old-form` for the former one, `key-spelling` for a wrong name.
    """
    if draft.get(source) is None:
        draft.take(source)  # a key that is left empty says nothing, in the wrong place too
        return
    old, new = _names(source, target)
    if draft.get(target) is not None:
        draft.warn(code, source, f"`{old}` is ignored, since `{new}` is there", f"remove `{old}`", key=True)
        draft.take(source)
        return
    draft.warn(code, source, f"`{old}` is read as `{new}`", f"write `{new}`", key=True)
    draft.move(source, target)


def move_each(
    draft: Draft, source: DocumentPath, keys: Iterable[str], target: DocumentPath, *, code: str = "misplaced-key"
) -> None:
    """Move those of the keys that a mapping has into another one, each with a warning."""
    present = draft.mapping(source)
    for key in [key for key in keys if key in present]:
        move(draft, (*source, key), (*target, key), code=code)


def drop(draft: Draft, path: DocumentPath, message: str, hint: str) -> None:
    """Remove a value that has no effect, with a warning."""
    if draft.get(path) is not None:
        draft.warn("misplaced-key", path, message, hint, key=True)
    draft.take(path)


def spread(draft: Draft, source: DocumentPath, target: DocumentPath) -> None:
    """Move the values of a mapping into another one, which wins; say nothing, since both places are right."""
    for key in list(draft.mapping(source)):
        if draft.get((*target, key)) is None:
            draft.move((*source, key), (*target, key))
    if isinstance(draft.get(source), dict):
        draft.take(source)


def enlist(draft: Draft, path: DocumentPath) -> None:
    """Read a mapping as a list of one, with a warning."""
    message = f"`{path[-1]}` is a list: read as one with a single item"
    draft.warn("old-form", path, message, "write `- ` in front", key=True)
    draft.put(path, [draft.get(path)])
    draft.copy_origin(path, (*path, 0))


def _names(source: DocumentPath, target: DocumentPath) -> tuple[str, str]:
    """Return both places in words, without what they have in common."""
    shared = next((i for i, (a, b) in enumerate(zip(source, target, strict=False)) if a != b), 0)
    return dotted(source[shared:]), dotted(target[shared:])


def dotted(path: DocumentPath) -> str:
    """Return a path as people write it: `outputs[0].options`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
