"""Turn what pydantic says about settings into one error that names every wrong setting, its place and the way out."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from dataos_dagster.errors import Location, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.settings_file import SettingsFile

PREFIX, LEVEL = "DATAOS_", "__"


def settings_error(error: ValidationError, file: SettingsFile, model: type[BaseModel]) -> SettingsError:
    """Return the error for settings that do not fit the model.

    Args:
        error: What pydantic found; its input values, which may be secret, are not used.
        file: The settings file, for places.
        model: The settings, for the names that exist.
    """
    findings = [_finding(item, file, model) for item in error.errors(include_url=False, include_input=False)]
    (location, first), *others = sorted(findings, key=_place)
    lines = [f"\n{f'{where}: ' if where else ''}{message}" for where, message in others]
    return SettingsError(first + "".join(lines), hint="docs/settings.md lists all settings", location=location)


def unreadable_variable(error: Exception, model: type[BaseModel]) -> SettingsError:
    """Return the error for a variable whose text is not the JSON that a setting with parts needs."""
    name = next((name for name in model.model_fields if f'"{name}"' in str(error)), "")
    variable = f"{PREFIX}{name.upper()}"
    return SettingsError(
        f"the variable {variable} is not JSON",
        hint=f"write JSON, or one variable a part: {variable}{LEVEL}<PART>",
    )


def _finding(item: Mapping[str, Any], file: SettingsFile, model: type[BaseModel]) -> tuple[Location | None, str]:
    path: tuple[str | int, ...] = tuple(item["loc"])
    unknown = item["type"] == "extra_forbidden"
    variable = _variable(path)
    location = None if variable else file.location(path, key=unknown)
    name = ".".join(str(step) for step in path)
    source = f" (variable {variable})" if variable else ""
    if unknown:
        known = _names(model, path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
        return location, f"unknown setting {name!r}{source}: {hint}"
    reason = str(item["msg"])
    if str(item["type"]).startswith("model_"):
        parts = ", ".join(_names(model, path))
        return location, f"setting {name!r}{source}: it has parts of its own, written below it: {parts}"
    return location, f"setting {name!r}{source}: {reason[:1].lower()}{reason[1:]}"


def _place(finding: tuple[Location | None, str]) -> tuple[int, int]:
    location = finding[0]
    return (location.line, location.column) if location else (0, 0)


def _variable(path: Sequence[str | int]) -> str | None:
    """Return the variable that a setting comes from: its own, or that of a setting around it that is given as JSON."""
    present = {name.upper(): name for name in os.environ}
    for length in range(len(path), 0, -1):
        name = PREFIX + LEVEL.join(str(step).upper() for step in path[:length])
        if name in present:
            return present[name]
    return None


def _names(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the settings that exist at a path; the keys of a mapping are free, so its steps are passed over."""
    current: type[BaseModel] | None = model
    for step in path:
        if current is None:
            return []
        field = current.model_fields.get(str(step))
        current = _section(field.annotation) if field else current
    return [name for name in current.model_fields if name != "project"] if current else []


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
