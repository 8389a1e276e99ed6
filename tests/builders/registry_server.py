"""A schema registry in this process: the four calls of Confluent's API that are made, answered as its reference says.

No registry can be had from the package indexes that tests install from. What is sent is kept, so that tests compare it
with the reference.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Registry:
    """What the registry holds, and what it was asked.

    Attributes:
        schemas: Text by id.
        subjects: Ids of the versions of each subject, oldest first.
        asked: Method, path, content type and authorization of each request.
        extra: Further keys of every schema that is answered, such as `schemaType`.
        refuses: Status and message of every answer, instead of one.
        moved: Where every request is sent on to.
    """

    url: str = ""
    schemas: dict[int, str] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    refuses: tuple[int, str] | None = None
    moved: str | None = None

    def add(self, subject: str, schema: dict[str, Any] | str) -> int:
        """Make a schema the newest version of a subject, unless it is one, and return its id."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        number = next((number for number, known in self.schemas.items() if known == text), len(self.schemas) + 1)
        self.schemas[number] = text
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Return status and answer of a request."""
        if self.moved:
            return 302, {}
        if self.refuses:
            return self.refuses[0], {"error_code": self.refuses[0], "message": self.refuses[1]}
        found: Any = None
        match [unquote(part) for part in path.strip("/").split("/")]:
            case ["subjects", subject, "versions"] if method == "POST":
                found = {"id": self.add(subject, json.loads(body)["schema"])}
            case ["subjects", subject, "versions"] if subject in self.subjects:
                found = list(range(1, len(self.subjects[subject]) + 1))
            case ["subjects", subject, "versions", version] if subject in self.subjects:
                number = self.subjects[subject][int(version) - 1]
                known = {"subject": subject, "version": int(version), "id": number, "schema": self.schemas[number]}
                found = known | self.extra
            case ["schemas", "ids", number] if int(number) in self.schemas:
                found = {"schema": self.schemas[int(number)]} | self.extra
        missing = {"error_code": 40401, "message": f"{path} not found."}
        return (404, missing) if found is None else (200, found)


@contextmanager
def registry_server() -> Iterator[Registry]:
    """Answer on a loopback port for the block's time."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            kind, login = self.headers.get("Content-Type"), self.headers.get("Authorization")
            registry.asked.append((self.command, self.path, kind, login))
            status, found = registry.answer(self.command, self.path, body)
            text = json.dumps(found).encode()
            self.send_response(status)
            if registry.moved:
                self.send_header("Location", f"{registry.moved}{self.path}")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
