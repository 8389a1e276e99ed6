"""Credentials inside a JDBC URL, or among the parameters beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, unquote_plus

from dataos_dagster.manifests.masking import sounds_secret
from dataos_dagster.redaction import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

_USER_KEYS = frozenset({"user", "username"})
_PASSWORD_KEYS = frozenset({"password", "pwd"})
# `//user:password@host` of most drivers, and `thin:user/password@` of Oracle's.
_LEADING = re.compile(
    r"(?P<before>^jdbc:[^?;@/]*//|^jdbc:oracle:\w+:)(?P<user>[^:/@?;]*)(?:[:/](?P<password>[^@?;]*))?@"
)
_PARAMETER = re.compile(r"(?P<mark>[?&;])(?P<key>[^=&;?]+)=(?P<value>[^&;]*)")


class Parted(NamedTuple):
    """A JDBC URL without credentials, and those that stood in it.

    Attributes:
        secrets: Values of further parameters that are secret, such as `sslpassword`, by their names.
    """

    url: str
    username: str | None
    password: str | None
    secrets: Mapping[str, str]


class Parameters(NamedTuple):
    """Parameters of a connection, those that are secret apart."""

    plain: Mapping[str, str]
    username: SecretStr | None
    password: SecretStr | None
    secrets: Mapping[str, SecretStr]


def without_credentials(url: str) -> Parted:
    """Return a JDBC URL and the credentials that stand in it, before the host or among its parameters."""
    username = password = None
    leading = _LEADING.match(url)
    if leading:
        username, password = (unquote(value) if value else None for value in leading.group("user", "password"))
        # Oracle writes the `@` in front of the host always.
        at = "@" if leading["before"].startswith("jdbc:oracle:") else ""
        url = leading["before"] + at + url[leading.end() :]
    secrets: dict[str, str] = {}
    for found in _PARAMETER.finditer(url):
        key, value = found["key"], unquote_plus(found["value"])
        if key.lower() in _USER_KEYS:
            username = value or username
        elif key.lower() in _PASSWORD_KEYS:
            password = value or password
        elif sounds_secret(key):
            secrets[key] = value
    return Parted(_without_parameters(url), username, password, secrets)


def hide_credentials(url: SecretStr) -> SecretStr:
    """Register the credentials inside a JDBC URL, so that they are masked from now on, and return it."""
    parted = without_credentials(url.get_secret_value())
    register(*(value for value in (parted.password, *parted.secrets.values()) if value))
    return url


def parted_parameters(parameters: Mapping[str, str]) -> Parameters:
    """Return parameters that stand beside a connection with those apart that are credentials; these are masked now."""
    from pydantic import SecretStr

    named = {key.lower(): SecretStr(value) for key, value in parameters.items() if value}
    user = next((named[key] for key in sorted(_USER_KEYS) if key in named), None)
    password = next((named[key] for key in sorted(_PASSWORD_KEYS) if key in named), None)
    plain = {key: value for key, value in parameters.items() if not _is_credential(key)}
    credentials = _USER_KEYS | _PASSWORD_KEYS
    secrets = {
        key: SecretStr(value)
        for key, value in parameters.items()
        if _is_credential(key) and key.lower() not in credentials
    }
    register(*secrets.values(), *([password] if password else []))
    return Parameters(plain, user, password, secrets)


def _is_credential(key: str) -> bool:
    return key.lower() in _USER_KEYS | _PASSWORD_KEYS or sounds_secret(key)


def _without_parameters(url: str) -> str:
    first = re.search(r"[?;]", url)
    if first is None:
        return url
    mark, separator = first[0], ";" if first[0] == ";" else "&"
    kept = [part for part in url[first.end() :].split(separator) if not _is_credential(part.partition("=")[0])]
    rest = separator.join(kept)
    return url[: first.start()] + (mark + rest if rest else "")
