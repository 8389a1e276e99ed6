"""Read `dataos.yaml` with the place of every setting, so that a wrong one is reported where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from dataos_dagster.errors import Location, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# A settings file is small; a larger one is some other file.
LARGEST_BYTES = 1_000_000
DEEPEST = 20
_NULL, _TEXT = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The content of a settings file, and where its parts stand.

    Attributes:
        name: Name of the file, for messages.
        data: Its settings.
        root: Its composed nodes; None for a file without any.
    """

    name: str
    data: dict[str, Any]
    root: yaml.Node | None = None

    def location(self, path: Iterable[str | int], *, key: bool = False) -> Location:
        """Return where a setting stands; of one that is not there, the nearest one around it.

        Args:
            path: Keys and indexes from the top.
            key: The place of its key and not of its value.
        """
        node, place = self.root, self.root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            place = found[0] if key else found[1]
            node = found[1]
        return _at(place.start_mark if place else None, self.name)


def read_settings_file(file: Path) -> SettingsFile:
    """Return the settings of a file; none when it is not there.

    Raises:
        SettingsError: It cannot be read, is no YAML, no mapping, or gives a setting twice.
    """
    name = file.name
    try:
        content = file.read_bytes()
        text = content.decode("utf-8")
    except FileNotFoundError:
        return SettingsFile(name, {})
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}", hint="it must be a file that you may read"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text", hint="save it as UTF-8") from None
    if len(content) > LARGEST_BYTES:
        raise SettingsError(f"{file} has {len(content)} bytes, at most {LARGEST_BYTES} are read")
    try:
        _refuse_bombs(text, name)
        root = yaml.compose(text, Loader=_LOADER)
        if root is None or root.tag == _NULL:
            return SettingsFile(name, {})
        _check_keys(root, name)
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the one in C where there is one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location = _at(mark, name)
        raise SettingsError(
            f"not YAML: {'a tab in the indentation' if _has_tab(text, mark) else error.problem}",
            hint="indent with spaces, one `key: value` a line",
            location=location,
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{file} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise SettingsError("a settings file holds `key: value` lines", location=Location(name, 1, 1))
    return SettingsFile(name, data, root)


def _has_tab(text: str, mark: yaml.Mark | None) -> bool:
    line = next(iter(text.split("\n")[mark.line :]), "") if mark else ""
    return "\t" in line[: len(line) - len(line.lstrip())]


class _Mark(Protocol):
    """A place in a text, 0-based, as PyYAML and libyaml both give it in types of their own."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


def _at(mark: _Mark | None, name: str) -> Location:
    return Location(name, mark.line + 1, mark.column + 1) if mark else Location(name, 1, 1)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _refuse_bombs(text: str, name: str) -> None:
    """Raise at what would take the process down before anybody could look at it.

    libyaml's composer calls itself once a level of nesting, and aliases of aliases grow without bound when the values
    are copied.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        location = _at(event.start_mark, name)
        if depth > DEEPEST:
            raise SettingsError(f"nested more than {DEEPEST} levels deep", location=location)
        if isinstance(event, yaml.AliasEvent):
            raise SettingsError(f"*{event.anchor} is an alias", hint="write the value out", location=location)


def _check_keys(node: yaml.Node, name: str) -> None:
    """Raise at a key that is no text, and at one that a mapping has twice: YAML would silently take the last one."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, yaml.SequenceNode):
            waiting += current.value
        elif isinstance(current, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in current.value:
                _check_key(key, seen, name)
                waiting.append(value)


def _check_key(key: yaml.Node, seen: dict[str, int], name: str) -> None:
    location = _at(key.start_mark, name)
    if key.tag != _TEXT:
        raise SettingsError("the name of a setting is a text", hint="write it in quotes", location=location)
    if key.value in seen:
        raise SettingsError(
            f"{key.value!r} is given twice, first in line {seen[key.value]}",
            hint="keep one of them",
            location=location,
        )
    seen[key.value] = location.line
