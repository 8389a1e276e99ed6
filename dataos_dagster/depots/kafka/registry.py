"""A schema registry: which Avro schemas the values of a topic were written with.

Source: Confluent, Schema Registry API Reference (subjects, schemas) and Wire Format; Karapace, Apicurio (`ccompat`) and
Redpanda answer the same calls. A value begins with a zero byte and the four bytes of its schema's id.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from dataos_dagster.errors import (
    CredentialsRefused,
    DatasetNotFound,
    DepotError,
    DepotUnreachable,
    DepotUnsupported,
    SchemaMismatch,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

_CONTENT = "application/vnd.schemaregistry.v1+json"
_ANSWER_SECONDS = 10
_NOT_FOUND, _REFUSED, _CONFLICTS = 404, frozenset({401, 403}), frozenset({409, 422})
_ELSEWHERE = range(300, 400)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: Python would hand the login to whatever host it names, and ask with GET what was posted."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, so that the answer is the caller's error."""


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A version of a subject.

    Attributes:
        id: Stands in front of each value that was written with it.
        text: The Avro schema as JSON.
    """

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class RegistryKeys:
    """What a job says of the registry, in options of its input or output.

    Attributes:
        url: Where the registry is; None leaves it to the depot.
        subject: None means that of the topic.
        id: Of the schema whose columns are wanted; None means the newest.
    """

    url: str | None = None
    subject: str | None = None
    id: int | None = None

    @classmethod
    def of(cls, options: Mapping[str, str]) -> RegistryKeys:
        """Return what stands in options.

        Raises:
            DepotError: An id is no number.
        """
        found = {key.lower(): value for key, value in options.items()}
        number = found.get("schemaid")
        if number is not None and not number.strip().isdecimal():
            raise DepotError(f"schemaId {number!r} is no number", hint="write the id of a schema in the registry")
        return cls(found.get("schemaregistryurl"), found.get("schemasubject"), int(number) if number else None)

    def __bool__(self) -> bool:
        return (self.url, self.subject, self.id) != (None, None, None)


# In lower case; no client of Kafka knows them.
REGISTRY_OPTIONS = frozenset({"schemaregistryurl", "schemasubject", "schemaid"})


@dataclass(frozen=True, slots=True)
class RegisteredValues:
    """The schemas of a topic's values.

    Attributes:
        writers: Those that values may have been written with.
        reader: The one whose columns are wanted.
    """

    writers: tuple[RegisteredSchema, ...]
    reader: str


@dataclass(frozen=True, slots=True)
class SchemaRegistry:
    """A registry that is asked over HTTP.

    Attributes:
        url: Of the web, and without credentials, which a depot's secret holds.
        username: None asks without a login.
    """

    url: str
    username: str | None = None
    password: SecretStr | None = field(default=None, repr=False)

    def with_id(self, number: int) -> RegisteredSchema:
        """Return the schema of an id.

        Raises:
            DatasetNotFound: There is no such schema.
            DepotUnsupported: It is no Avro.
        """
        return _schema({"id": number, **self._ask(f"/schemas/ids/{number}")}, f"schema {number}")

    def versions(self, subject: str) -> tuple[RegisteredSchema, ...]:
        """Return all versions of a subject, oldest first; those that were deleted are not among them.

        Raises:
            DatasetNotFound: There is no such subject.
            DepotUnsupported: It holds no Avro.
        """
        place = f"/subjects/{quote(subject, safe='')}/versions"
        return tuple(_schema(self._ask(f"{place}/{version}"), subject) for version in self._ask(place))

    def register(self, subject: str, text: str) -> int:
        """Make a schema the newest version of a subject, unless it is one already, and return its id.

        Raises:
            SchemaMismatch: The registry refuses it, because older readers could not read it.
        """
        return int(self._ask(f"/subjects/{quote(subject, safe='')}/versions", {"schema": text})["id"])

    def values_of(self, subject: str, number: int | None, given: str | None) -> RegisteredValues:
        """Return the schemas of a topic's values.

        Args:
            subject: Of the topic's values.
            number: Id of the schema whose columns are wanted; None takes the newest.
            given: A schema that somebody has given, which counts before either.

        Raises:
            DatasetNotFound: There is no such subject, or no such schema.
        """
        chosen = self.with_id(number) if number is not None else None
        try:
            versions = self.versions(subject)
        except DatasetNotFound:
            if chosen is None:
                raise
            versions = ()
        writers = {found.id: found for found in (*versions, *([chosen] if chosen else []))}
        return RegisteredValues(tuple(writers.values()), given or (chosen or versions[-1]).text)

    def _ask(self, path: str, body: Mapping[str, str] | None = None) -> Any:
        self._refuse_other_urls()
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            self.url.strip().rstrip("/") + path,
            data=json.dumps(body).encode() if body else None,
            headers={"Accept": _CONTENT},
        )
        if body:
            request.add_header("Content-Type", _CONTENT)
        if self.username is not None:
            login = f"{self.username}:{self.password.get_secret_value() if self.password else ''}"
            request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
        try:
            opener = urllib.request.build_opener(_NoRedirects)
            with opener.open(request, timeout=_ANSWER_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except (OSError, ValueError) as error:
            raise DepotUnreachable(
                f"the schema registry {self.url} does not answer: {getattr(error, 'reason', error)}",
                hint="check `schemaRegistryUrl`",
            ) from None

    def _refuse_other_urls(self) -> None:
        parts = urlsplit(self.url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DepotError(
                f"schemaRegistryUrl {self.url!r} is no address of a schema registry",
                hint="write http:// or https://, host and port, such as http://registry:8081",
            )
        if "@" in parts.netloc:
            raise DepotError(
                f"schemaRegistryUrl holds the login of {parts.hostname}, which everybody sees who sees the manifest",
                hint="keep it in the depot's secret: schema_registry_username and schema_registry_password",
            )

    def _refusal(self, error: urllib.error.HTTPError) -> DepotError:
        if error.code in _ELSEWHERE:
            place = urlsplit(urljoin(self.url, error.headers.get("Location", "")))
            there = f"{place.scheme}://{place.netloc.rpartition('@')[2]}"
            hint = f"write the address itself, if you trust it with the credentials: schemaRegistryUrl: {there}"
            return DepotError(f"the schema registry {self.url} redirects to {there}, which is not followed", hint=hint)
        said = _said(error.read())
        if error.code in _REFUSED:
            hint = "they are schema_registry_username and schema_registry_password of the depot's secret"
            return CredentialsRefused(f"the schema registry {self.url} refuses the credentials: {said}", hint=hint)
        if error.code == _NOT_FOUND:
            hint = "schemaSubject and schemaId choose another one; the default is the topic's name with -value"
            return DatasetNotFound(f"the schema registry {self.url} has none such: {said}", hint=hint)
        if error.code in _CONFLICTS:
            hint = "change the rows so that they fit the versions before, or the compatibility of the subject"
            return SchemaMismatch(f"the schema registry {self.url} refuses the schema: {said}", hint=hint)
        return DepotUnreachable(f"the schema registry {self.url} fails with {error.code}: {said}")


def _said(answer: bytes) -> str:
    try:
        found = json.loads(answer)
        return str(found["message"])
    except (ValueError, KeyError, TypeError):
        return answer.decode("utf-8", "replace")[:200] or "it gives no reason"


def _schema(found: Mapping[str, Any], what: str) -> RegisteredSchema:
    kind = found.get("schemaType", "AVRO")
    if kind != "AVRO" or found.get("references"):
        why = f"is {kind}" if kind != "AVRO" else "refers to other subjects"
        raise DepotUnsupported(
            f"{what} in the schema registry {why}, and only Avro that stands by itself is read",
            hint="give the columns with `schemaString`, and leave the registry out",
        )
    return RegisteredSchema(int(found["id"]), str(found["schema"]))
