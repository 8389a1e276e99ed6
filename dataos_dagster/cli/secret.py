"""`dataos secret`: keep secrets in the project's encrypted store, and see which ones are known."""

from __future__ import annotations

import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataos_dagster.cli.failures import reported
from dataos_dagster.cli.projects import project_folder
from dataos_dagster.errors import SecretError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dataos_dagster.manifests.project import Project
    from dataos_dagster.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Keep secrets in the project's encrypted store.")

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9._-]*")

ProjectOption = Annotated[Path, typer.Option("--project", help="The project's folder.", exists=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class AccessLevel(StrEnum):
    """Words for `--acl`."""

    R = "r"
    RW = "rw"


@app.command("set")
def set_secret(
    name: Annotated[str, typer.Argument(help="Name of the secret, such as ferrydb-rw.")],
    keys: Annotated[list[str] | None, typer.Argument(help="Keys whose values are asked for.")] = None,
    acl: Annotated[
        AccessLevel | None, typer.Option(help="What it grants; default: what its name says (-r, -rw).")
    ] = None,
    project: ProjectOption = Path(),
) -> None:
    """Add keys to a secret of the encrypted store, or replace their values.

    Values are asked for, or read from standard input: the value itself when one key is named, `key=value` lines
    otherwise. They never stand on the command line, which ends up in the shell's history.
    """
    with reported():
        from dataos_dagster.secrets.store import encrypted_backend

        _check_names(name, keys or [])
        settings = _settings(project)
        settings.make_state_folder()
        store = encrypted_backend(settings)
        values = _ask(keys or []) if sys.stdin.isatty() else _read(keys or [])
        store.set(name, values, acl.value if acl else None)
        typer.echo(f"{name}: {', '.join(values)} set in {store.file}")


@app.command("list")
def list_secrets(project: ProjectOption = Path(), as_json: JsonOption = False) -> None:
    """List the secrets that are known, with their keys and where they are; values are never shown."""
    with reported(as_json=as_json):
        from dataos_dagster.secrets.store import secret_store

        settings = _settings(project)
        secrets = secret_store(_project(settings), settings).known()
    if as_json:
        rows = [
            {"name": found.name, "acl": found.acl or "r", "keys": list(found.values), "place": found.place}
            for found in secrets
        ]
        typer.echo(json.dumps({"secrets": rows}, ensure_ascii=False))
        return
    for found in secrets:
        typer.echo(f"{found.name}  {found.acl or 'r'}  {', '.join(found.values) or '(no values)'}  {found.place}")
    if not secrets:
        typer.echo("no secrets are known")


@app.command("remove")
def remove_secret(
    name: Annotated[str, typer.Argument(help="Name of the secret.")],
    keys: Annotated[list[str] | None, typer.Argument(help="Only these keys.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also when resources depend on it.")] = False,
    project: ProjectOption = Path(),
) -> None:
    """Remove a secret, or some of its keys, from the encrypted store. It cannot be recovered."""
    with reported():
        from dataos_dagster.secrets.store import encrypted_backend

        settings = _settings(project)
        store = encrypted_backend(settings)
        dependants = [] if force else _dependants(_project(settings), name)
        if dependants:
            raise SecretError(
                f"cannot remove secret {name!r}, it is a dependency of {', '.join(dependants)}",
                hint="remove those first, or say --force",
            )
        store.remove(name, tuple(keys or ()))
        typer.echo(f"{name}: {', '.join(keys) if keys else 'all keys'} removed from {store.file}")


@app.command("rotate-key")
def rotate_key(project: ProjectOption = Path()) -> None:
    """Encrypt the store with a new key, and forget the old one.

    Where the key is given by DATAOS_SECRETS_KEY, the new one is taken from DATAOS_SECRETS_NEW_KEY.
    """
    with reported():
        from dataos_dagster.secrets.store import encrypted_backend

        store = encrypted_backend(_settings(project))
        key = store.rotate()
        typer.echo(f"{store.file} is now encrypted with key {key.id}")


def _settings(path: Path) -> Settings:
    from dataos_dagster.settings import load_settings

    return load_settings(project_folder(path))


def _project(settings: Settings) -> Project:
    from dataos_dagster.manifests.project import load_project

    return load_project(settings.project, settings=settings, allow_placeholders=True)


def _check_names(name: str, keys: list[str]) -> None:
    for text in (name, *keys):
        if "=" in text:
            # What was written is not repeated: it may be the value.
            raise SecretError(
                "a name holds no '=': values do not stand on the command line",
                hint="write dataos secret set NAME KEY, and give the value when it is asked for",
            )
        if not _NAME.fullmatch(text):
            raise SecretError(f"{text!r} is not a name", hint="letters, digits, '.', '_' and '-' make a name")


def _ask(keys: list[str]) -> dict[str, SecretStr]:
    from pydantic import SecretStr

    if not keys:
        raise SecretError("no key is named", hint="name the keys to be asked for, or give key=value lines as input")
    return {key: SecretStr(typer.prompt(key, hide_input=True)) for key in keys}


def _read(keys: list[str]) -> dict[str, SecretStr]:
    """Return what standard input says: one value, or pairs."""
    from pydantic import SecretStr

    from dataos_dagster.secrets.properties import parse_properties

    text = sys.stdin.read()
    if len(keys) == 1:
        value = text.removesuffix("\n").removesuffix("\r")
        if not value:
            raise SecretError(f"no value for {keys[0]!r} on standard input")
        return {keys[0]: SecretStr(value)}
    pairs = parse_properties(text)
    if not pairs:
        raise SecretError("standard input holds no key=value lines", hint="write one key=value a line")
    missing = [key for key in keys if key not in pairs]
    if missing:
        raise SecretError(f"no value for {', '.join(missing)} on standard input")
    _check_names("secret", list(pairs))
    return {key: SecretStr(value) for key, value in pairs.items() if not keys or key in keys}


def _dependants(project: Project, name: str) -> list[str]:
    """Return the identifiers of the resources that refer to a secret."""
    from dataos_dagster.manifests.kinds import KINDS, load_rules

    found = []
    for resource in project.resources:
        kind = KINDS.get(resource.kind)
        rules = load_rules(kind.rules) if kind and kind.rules else None
        references = rules.references(resource.section) if rules and rules.references else ()
        if any(reference.kind in {"secret", "instance-secret"} and reference.name == name for reference in references):
            found.append(resource.identifier)
    return found
