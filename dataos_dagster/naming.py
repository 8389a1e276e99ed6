r"""Names, tags and owners of DataOS as Dagster accepts them.

Dagster's rules (1.13): names of ops, jobs, schedules and sensors match `[A-Za-z0-9_]+`, groups the same with `/`
between levels; a tag's key is `[namespace/]name`, each of at most 63 characters out of `[A-Za-z0-9_.-]`; an owner is an
e-mail address or `team:<name>`. DataOS has none of these rules, so every name here is mapped; the text as the user
wrote it stands in the metadata.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Namespace of tags that DataOS writes with colons, and of metadata and run tags of ours.
NAMESPACE = "dataos"

_REGULAR = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_OUTSIDE_NAME = re.compile(r"[^A-Za-z0-9_]+")
_TAG_PART = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_OUTSIDE_TAG = re.compile(r"[^A-Za-z0-9_.-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAG_LENGTH = 63


def slug(*levels: str) -> str:
    """Return one Dagster name for a name of several levels, such as workspace, workflow and job.

    Different levels never give the same name: `-` becomes `_` and levels are joined by `__`, which cannot be told
    apart from other spellings only where a level is not written as DataOS asks (lower case, digits, single hyphens);
    such a name ends in a digest behind a capital letter.
    """
    if all(map(_REGULAR.fullmatch, levels)):
        return "__".join(levels).replace("-", "_")
    text = "__".join(_OUTSIDE_NAME.sub("_", level) for level in levels)
    return f"{text}__X{_digest(chr(0).join(levels))}"


def group_name(workspace: str, workflow: str, default_workspace: str) -> str:
    """Return the asset group of a workflow; its workspace stands in front where it is not the default one."""
    return slug(workflow) if workspace == default_workspace else f"{slug(workspace)}/{slug(workflow)}"


def tag_key(tag: str) -> str:
    """Return the Dagster tag of a DataOS tag: `a:b:c` becomes `dataos/a.b.c`, what is not allowed becomes `-`.

    A tag that cannot be kept as written ends in a digest, so that two tags never fall together.
    """
    words = tag.strip().split(":")
    prefix = ""
    if len(words) > 1:
        words = words[1:] if words[0] == NAMESPACE else words
        prefix = f"{NAMESPACE}/"
    name = ".".join(words)
    if _TAG_PART.fullmatch(name):
        return prefix + name
    digest = _digest(tag)
    readable = _OUTSIDE_TAG.sub("-", name).strip("-.")[: _TAG_LENGTH - len(digest) - 1]
    return f"{prefix}{readable}-{digest}" if readable else f"{prefix}{digest}"


def tags_of(tags: Iterable[str]) -> dict[str, str]:
    """Return Dagster tags, which are labels without a value, of DataOS tags."""
    return {tag_key(tag): "" for tag in tags if tag.strip()}


def owner_of(user: str, owners: Mapping[str, str]) -> str:
    """Return the Dagster owner of a DataOS user id.

    Args:
        user: Id as manifests write it, such as `iamgroot`.
        owners: The project's settings: user id to e-mail address or `team:<name>`.
    """
    mapped = owners.get(user, user)
    if _EMAIL.fullmatch(mapped) or (mapped.startswith("team:") and mapped != "team:"):
        return mapped
    return f"team:{mapped}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
