"""The files of a new project: a depot of files, and a workflow that brings them into the lakehouse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from dataos_dagster.bundles.workspace import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_OUTSIDE = re.compile(r"[^a-z0-9]+")
# File name extension to the format of a Flare input, with the options that such files usually need.
FORMATS: Mapping[str, tuple[str, dict[str, object]]] = {
    ".csv": ("csv", {"header": True, "inferSchema": True}),
    ".json": ("json", {}),
    ".parquet": ("parquet", {}),
}

ORDERS = """\
order_id,customer,amount
1,ada,12.50
2,grace,80.00
3,ada,7.25
4,edsger,19.90
"""

SETTINGS = """\
# Settings of this project.
# Schedules wait until you start them in Dagster; write `running` to have new ones started.
schedules: stopped
"""


@dataclass(frozen=True, slots=True)
class Starter:
    """What a new project is called, and the files that it reads.

    Attributes:
        name: As the user wrote it.
        data: Folder of the files.
        files: Names of the files in it, with extensions of `FORMATS`.
    """

    name: str
    data: Path
    files: tuple[str, ...]

    @property
    def workflow(self) -> str:
        """Return the name as DataOS writes names: lower case, digits, hyphens, a letter first."""
        return _name(self.name, "-")

    @property
    def depot(self) -> str:
        """Return the name of the depot of the files; depots have no hyphen."""
        return f"{_name(self.name, '')}files"

    @property
    def collection(self) -> str:
        """Return the collection of the lakehouse that is written to."""
        return _name(self.name, "_")


def files_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the files of a folder that a starter can read, sorted."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(file.name for file in folder.iterdir() if file.suffix.lower() in FORMATS))


def manifest_files(starter: Starter, manifests: Path) -> dict[Path, str]:
    """Return the manifests of a starter: where each goes, and its text.

    Args:
        starter: What to write about.
        manifests: Folder that they go to.
    """
    depot = manifests / "depots" / f"{starter.depot}.yaml"
    workflow = manifests / "workflows" / f"{starter.workflow}-daily.yaml"
    return {depot: _depot(starter, depot.parent), workflow: _workflow(starter)}


def sample(data: Path) -> dict[Path, str]:
    """Return the data of a starter for somebody who has none."""
    return {data / "orders.csv": ORDERS}


def write_new(files: Mapping[Path, str]) -> list[Path]:
    """Write the files that are not there yet, and return them; nothing is overwritten.

    Raises:
        SettingsError: One cannot be written.
    """
    written = []
    for file, text in files.items():
        if not file.exists():
            write_file(file, text)
            written.append(file)
    return written


def _name(text: str, joint: str) -> str:
    name = joint.join(part for part in _OUTSIDE.split(text.lower()) if part)
    return name if name[:1].isalpha() else f"p{joint}{name}".rstrip("-_")


def _depot(starter: Starter, folder: Path) -> str:
    path = os.path.relpath(starter.data, folder).replace(os.sep, "/")
    body = {
        "name": starter.depot,
        "version": "v2alpha",
        "type": "depot",
        "description": f"Files of {starter.name}.",
        "depot": {"type": "file", "external": True, "file": {"path": path}},
    }
    return f"# `dataos://{starter.depot}:none/<file>` is a file of this folder.\n{_dump(body)}"


def _workflow(starter: Starter) -> str:
    loads = [_load(starter, file) for file in starter.files]
    body = {
        "name": f"{starter.workflow}-daily",
        "version": "v1",
        "type": "workflow",
        "description": f"Brings the files of {starter.name} into the lakehouse.",
        "workflow": {
            "schedule": {"cron": "15 6 * * *", "timezone": "UTC", "concurrencyPolicy": "Forbid"},
            "dag": [*loads, *_example(starter)],
        },
    }
    return f"# Tables are written to the lakehouse that every project has, in .dataos/lakehouse.\n{_dump(body)}"


def _load(starter: Starter, file: str) -> dict[str, object]:
    stem, _, extension = file.rpartition(".")
    form, options = FORMATS[f".{extension.lower()}"]
    view = _name(stem, "_")
    source: dict[str, object] = {"name": view, "dataset": f"dataos://{starter.depot}:none/{file}", "format": form}
    if options:
        source["options"] = options
    return _job(f"load-{_name(stem, '-')}", f"The rows of {file}.", [source], [], view, _table(starter, view))


def _example(starter: Starter) -> Iterable[dict[str, object]]:
    """Yield a second job over the sample data, which shows steps and dependencies."""
    if starter.files != ("orders.csv",):
        return
    orders = {"name": "orders", "dataset": _table(starter, "orders")}
    sql = "SELECT customer, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer"
    steps = [{"sequence": [{"name": "spend", "sql": sql}]}]
    target = _table(starter, "spend_by_customer")
    yield _job("spend-by-customer", "What each customer has spent.", [orders], steps, "spend", target)


def _table(starter: Starter, name: str) -> str:
    return f"dataos://lakehouse:{starter.collection}/{name}"


def _job(
    name: str, description: str, inputs: Sequence[object], steps: Sequence[object], view: str, target: str
) -> dict[str, object]:
    output = {"name": view, "dataset": f"{target}?acl=rw", "format": "iceberg", "options": {"saveMode": "overwrite"}}
    job = {"inputs": inputs, **({"steps": steps} if steps else {}), "outputs": [output]}
    spec = {"stack": "flare:7.0", "compute": "runnable-default", "stackSpec": {"job": job}}
    return {"name": name, "description": description, "spec": spec}


def _dump(body: object) -> str:
    return yaml.safe_dump(body, sort_keys=False, width=110)
