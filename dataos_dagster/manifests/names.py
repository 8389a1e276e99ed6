"""The rules that names of resources, jobs and workspaces follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

MAX_NAME = 48
# What the platform appends to the names of workflows and jobs when they run.
APPENDED = 17

_HYPHENATED = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_PLAIN = re.compile(r"[a-z]([a-z0-9]*)")
_STRAY = re.compile(r"[^-a-z0-9]")


def check_name(draft: Draft, name: str, path: DocumentPath, *, hyphens: bool = True, appended: int = 0) -> None:
    """Report where a name breaks the platform's rules, with the character at fault.

    All of it are warnings: nothing here depends on these rules, and published manifests break each of them.

    Args:
        draft: The manifest.
        name: The name.
        path: Where it stands.
        hyphens: Whether the kind's names may hold hyphens.
        appended: Characters that the platform appends, which count for the limit.
    """
    if draft.is_open(path):
        return
    problem, hint = _problem(name, hyphens=hyphens, appended=appended)
    if problem:
        draft.warn("name-rule", path, problem, hint)


def _problem(name: str, *, hyphens: bool, appended: int) -> tuple[str, str]:
    allowed = "lower-case letters, digits and hyphens" if hyphens else "lower-case letters and digits"
    if (hyphens and _HYPHENATED.fullmatch(name)) or _PLAIN.fullmatch(name):
        if len(name) > MAX_NAME:
            return f"the name has {len(name)} characters, more than {MAX_NAME}", "shorten it"
        if appended and len(name) + appended >= MAX_NAME:
            limit = MAX_NAME - appended - 1
            return f"the name has {len(name)} characters; above {limit}, the platform may refuse it", "shorten it"
        return "", ""
    stray = _STRAY.search(name)
    if stray is None and not hyphens and "-" in name:
        return f"the name holds '-' at character {name.index('-') + 1}", f"names of this kind have {allowed}"
    if stray is None:
        return "the name begins or ends with a character that it may not", f"{allowed}, a letter or digit at both ends"
    return f"the name holds {stray.group()!r} at character {stray.start() + 1}", f"names have {allowed}"
