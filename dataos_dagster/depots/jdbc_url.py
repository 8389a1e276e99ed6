"""Credentials inside a JDBC URL."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

_USER_KEYS = frozenset({"user", "username"})
_PASSWORD_KEYS = frozenset({"password", "pwd"})
# `//user:password@host` of most drivers, and `thin:user/password@` of Oracle's.
_LEADING = re.compile(
    r"(?P<before>^jdbc:[^?;@/]*//|^jdbc:oracle:\w+:)(?P<user>[^:/@?;]*)(?:[:/](?P<password>[^@?;]*))?@"
)
_PARAMETER = re.compile(r"(?P<mark>[?&;])(?P<key>[^=&;?]+)=(?P<value>[^&;]*)")


class Parted(NamedTuple):
    """A JDBC URL without credentials, and those that stood in it."""

    url: str
    username: str | None
    password: str | None


def without_credentials(url: str) -> Parted:
    """Return a JDBC URL and the credentials that stand in it, before the host or among its parameters."""
    username = password = None
    leading = _LEADING.match(url)
    if leading:
        username, password = (unquote(value) if value else None for value in leading.group("user", "password"))
        # Oracle writes the `@` in front of the host always.
        at = "@" if leading["before"].startswith("jdbc:oracle:") else ""
        url = leading["before"] + at + url[leading.end() :]
    for found in _PARAMETER.finditer(url):
        key = found["key"].lower()
        if key in _USER_KEYS:
            username = unquote_plus(found["value"]) or username
        elif key in _PASSWORD_KEYS:
            password = unquote_plus(found["value"]) or password
    return Parted(_without_parameters(url), username, password)


def _without_parameters(url: str) -> str:
    first = re.search(r"[?;]", url)
    if first is None:
        return url
    mark, separator = first[0], ";" if first[0] == ";" else "&"
    kept = [
        part
        for part in url[first.end() :].split(separator)
        if part.partition("=")[0].lower() not in _USER_KEYS | _PASSWORD_KEYS
    ]
    rest = separator.join(kept)
    return url[: first.start()] + (mark + rest if rest else "")
