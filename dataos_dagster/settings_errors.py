"""Turn what pydantic says about settings into one error that names every wrong setting, its place and the way out."""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from dataos_dagster.errors import Location, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataos_dagster.settings_file import SettingsFile

PREFIX, LEVEL = "DATAOS_", "__"


def settings_error(error: ValidationError, file: SettingsFile, model: type[BaseModel]) -> SettingsError:
    """Return the error for settings that do not fit the model.

    Args:
        error: What pydantic found; of its input values, which may be secret, only words are used that should have been
            one of a few.
        file: The settings file, for places.
        model: The settings, for the names that exist.
    """
    findings = sorted((_finding(item, file, model) for item in error.errors(include_url=False)), key=_place)
    first = findings[0]
    if len(findings) == 1:
        return SettingsError(first.message, hint=first.meaning, location=first.location)
    lines = [f"\n  {f'{found.location}: ' if found.location else ''}{found.message}" for found in findings]
    return SettingsError(f"{len(findings)} settings are wrong:{''.join(lines)}", location=first.location)


def unreadable_variable(error: Exception, model: type[BaseModel]) -> SettingsError:
    """Return the error for a variable whose text is not the JSON that a setting with parts needs."""
    name = next((name for name in model.model_fields if f'"{name}"' in str(error)), "")
    variable = f"{PREFIX}{name.upper()}"
    return SettingsError(
        f"the variable {variable} is not JSON",
        hint=f"write JSON, or one variable a part: {variable}{LEVEL}<PART>",
    )


class _Finding(NamedTuple):
    """One wrong setting.

    Attributes:
        meaning: What the setting is, where its value is wrong.
    """

    location: Location | None
    message: str
    meaning: str | None = None


def _finding(item: Mapping[str, Any], file: SettingsFile, model: type[BaseModel]) -> _Finding:
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
        return _Finding(location, f"unknown setting {name!r}{source}: {hint}")
    if str(item["type"]).startswith("model_"):
        parts = ", ".join(_names(model, path))
        return _Finding(location, f"setting {name!r}{source}: it has parts of its own, written below it: {parts}")
    return _Finding(location, f"setting {name!r}{source}: {_reason(item)}", _meaning(model, path))


def _reason(item: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, and which word it may have been meant as."""
    reason = str(item["msg"]).replace("Input should be", "it must be").removeprefix("Value error, ")
    if item["type"] == "literal_error" and isinstance(item["input"], str):
        words = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        close = difflib.get_close_matches(item["input"].lower(), words, n=1)
        reason += f"; did you mean {close[0]!r}?" if close else ""
    return f"{reason[:1].lower()}{reason[1:]}"


def _place(finding: _Finding) -> tuple[int, int]:
    location = finding.location
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


def _meaning(model: type[BaseModel], path: Sequence[str | int]) -> str | None:
    """Return what a setting is, in the words of its reference; None for a part of its value."""
    current: type[BaseModel] | None = model
    description = None
    for step in path:
        field = current.model_fields.get(str(step)) if current else None
        if field is not None:
            current, description = _section(field.annotation), field.description
    return description


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
