"""Addresses of datasets: `dataos://depot:collection/dataset?acl=rw` and its other spellings.

Grammar (`spec` in EBNF)::

    address    = "dataos://" depot [ ":" [ collection ] [ "/" path ] ] [ "?" params ]
    depot      = lower { lower | digit }             "-", "_" and capitals are tolerated
    collection = "none" | segment                    "none": the depot has no such level
    path       = segment { "/" segment } [ "/" ]     a trailing "/" names a folder
    params     = key "=" value { "&" key "=" value }

Other spellings that mean the same: `dataset:depot:collection:dataset`, `depot.collection.dataset`,
`"depot"."collection".dataset`, and the object tags `dataos:system:ds:dataset:…`, `dataos:system:minerva:table:…`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from dataos_dagster.errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAMMAR = "dataos://depot:collection/dataset?acl=r|rw"
SCHEME = "dataos://"
# Written where the store has no level between the depot and the dataset.
NO_COLLECTION = "none"
# `icebase` is what the lakehouse of older installations was called; manifests use both names for one depot.
DEPOT_ALIASES = {"icebase": "lakehouse"}

Acl = Literal["r", "rw"]

_DEPOT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DOTTED_PART = re.compile(r'"([^"]+)"|([^".\s]+)')
_NOT_DOTTED = re.compile(r"[/:]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG_PREFIXES = ("dataset:", "dataos:system:ds:dataset:", "dataos:system:minerva:table:")


@dataclass(frozen=True, slots=True)
class Address:
    """A dataset, a collection or a whole depot.

    Two addresses are equal when they name the same thing: depots are compared in lower case and by their present
    name, params and a trailing slash do not count.

    Attributes:
        depot: Lower-case name.
        collection: Schema, database, namespace or folder; None when the address names a whole depot, and also
            when it is written as `none`.
        path: Segments of the dataset, empty for a whole collection.
        is_folder: A trailing slash was written.
        params: What stood behind the question mark, `acl` included.
    """

    depot: str
    collection: str | None = None
    path: tuple[str, ...] = ()
    is_folder: bool = field(default=False, compare=False)
    params: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def acl(self) -> Acl | None:
        """Return the access level that the address asks for, or None when it leaves that to its use."""
        return {"r": "r", "rw": "rw"}.get(dict(self.params).get("acl", ""))  # type: ignore[return-value]

    @property
    def key(self) -> tuple[str, ...]:
        """Return the asset key: depot, collection and dataset segments; `none` stands for no collection."""
        return (
            (self.depot, self.collection or NO_COLLECTION, *self.path)
            if self.path or self.collection
            else (self.depot,)
        )

    @property
    def dataset(self) -> str:
        """Return the dataset's segments joined by `/`."""
        return "/".join(self.path)

    def child(self, *segments: str) -> Address:
        """Return the address below this one."""
        return Address(self.depot, self.collection, (*self.path, *segments), params=self.params)

    def __str__(self) -> str:
        text = f"{SCHEME}{self.depot}"
        if self.collection or self.path:
            text += f":{self.collection or NO_COLLECTION}"
        if self.path:
            text += f"/{self.dataset}{'/' if self.is_folder else ''}"
        return text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that a text spells, in any of the spellings.

        Raises:
            AddressError: The text is none of them; it names the text, the offset and the grammar.
        """
        text = text.rstrip()
        control = _CONTROL.search(text)
        if control:
            raise _bad(text, control.start(), "a control character")
        for prefix in _TAG_PREFIXES:
            if text.startswith(prefix):
                return cls._from_parts(text, len(prefix), text[len(prefix) :].split(":"))
        if text.startswith(SCHEME):
            return cls._from_url(text)
        if "." in text and not _NOT_DOTTED.search(text):
            return cls._from_parts(text, 0, _dotted_parts(text))
        offset = next((i for i, (a, b) in enumerate(zip(text, SCHEME, strict=False)) if a != b), len(text))
        raise _bad(text, offset, f"expected {SCHEME!r}")

    @classmethod
    def _from_parts(cls, text: str, offset: int, parts: list[str]) -> Self:
        if not all(parts) or not parts[2:]:
            raise _bad(text, offset, "expected depot, collection and dataset")
        depot, collection, *path = parts
        if not _DEPOT.fullmatch(depot):
            raise _bad(text, offset, f"{depot!r} is not a depot name")
        _refuse_relative(text, parts)
        return cls(_canonical(depot), _level(collection), tuple(path))

    @classmethod
    def _from_url(cls, text: str) -> Self:
        body, question, query = text.partition("?")
        rest = body[len(SCHEME) :]
        found = _DEPOT.match(rest)
        if not found:
            raise _bad(text, len(SCHEME), "expected a depot name")
        depot, rest, offset = found.group(), rest[found.end() :], len(SCHEME) + found.end()
        params = _params(text, len(body) + 1, query) if question else ()
        if not rest:
            return cls(_canonical(depot), params=params)
        if rest[0] != ":":
            hint = f"write {SCHEME}{depot}:none{rest}" if rest[0] == "/" else None
            raise _bad(text, offset, f"expected ':' and a collection behind the depot {depot!r}", hint=hint)
        collection, slash, path = rest[1:].partition("/")
        if ":" in rest[1:]:
            raise _bad(text, offset + 1 + rest[1:].index(":"), "a collection or dataset holds no ':'")
        segments = path.rstrip("/").split("/") if path.rstrip("/") else []
        if not all(segments) or path.startswith("/"):
            start = offset + len(":") + len(collection) + len("/")
            place = 0 if path.startswith("/") else path.index("//") + 1
            raise _bad(text, start + place, "empty segment between two slashes")
        if not collection and not segments:
            raise _bad(
                text, offset + 1, "expected a collection behind ':'", hint=f"write {SCHEME}{depot} for the whole depot"
            )
        _refuse_relative(text, (collection, *segments))
        return cls(
            _canonical(depot),
            _level(collection or NO_COLLECTION),
            tuple(segments),
            is_folder=bool(slash) and path.endswith("/"),
            params=params,
        )


def _dotted_parts(text: str) -> list[str]:
    parts: list[str] = []
    place = 0
    while True:
        found = _DOTTED_PART.match(text, place)
        if not found:
            raise _bad(text, place, "expected a name, or a name in double quotes")
        parts.append(found[1] or found[2])
        place = found.end()
        if place == len(text):
            return parts
        if text[place] != ".":
            raise _bad(text, place, "expected '.'")
        place += 1


def _refuse_relative(text: str, parts: Iterable[str]) -> None:
    """Refuse `.` and `..`: in a depot of files they would lead out of its folder."""
    for part in parts:
        if part in {".", ".."}:
            offset = text.index(part, text.index("/") if "/" in text else 0)
            raise _bad(text, offset, f"{part!r} is not a name")


def _canonical(depot: str) -> str:
    return DEPOT_ALIASES.get(depot.lower(), depot.lower())


def _level(collection: str) -> str | None:
    return None if collection.lower() == NO_COLLECTION else collection


def _params(text: str, offset: int, query: str) -> tuple[tuple[str, str], ...]:
    params: list[tuple[str, str]] = []
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not key or not equals:
            raise _bad(text, offset, f"{part!r} is not key=value")
        if key == "acl" and value.lower() not in {"r", "rw"}:
            raise _bad(text, offset + len("acl="), f"acl is r or rw, not {value!r}")
        params.append((key, value.lower() if key == "acl" else value))
        offset += len(part) + 1
    return tuple(params)


def _bad(text: str, offset: int, problem: str, *, hint: str | None = None) -> AddressError:
    return AddressError(
        text,
        offset,
        f"{text!r} is not an address: {problem} at character {offset + 1}",
        hint=hint or f"the form is {GRAMMAR}",
    )
