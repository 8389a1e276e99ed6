"""Write docs/settings.md from the model of the settings: `python scripts/settings_reference.py > docs/settings.md`."""

from __future__ import annotations

import inspect
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from dataos_dagster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

HEAD = """\
# Settings

A project's settings stand in the file `dataos.yaml` in its folder; every one of them is optional. A variable wins over
the file: its name is the path of the setting in capitals behind `DATAOS_`, with two underscores between levels
(`engines.default` is `DATAOS_ENGINES__DEFAULT`); lists and mappings are given as JSON. Other variables that begin with
`DATAOS_` are left alone. Unknown settings and wrong values are errors that name the place in the file, or the variable.

```yaml
identity: ann
engines:
  default: auto
  spark: {master: "local[4]"}
  jobs: {daily/heavy-join: spark}
state: {url: "postgresql://dataos@db.internal/state"} # the password: DATAOS_STATE__URL, or ~/.pgpass
catalogs:
  lakehouse: {uri: "http://catalog.internal:8181", warehouse: "s3://lake"}
schedules: stopped
```

<!-- Written by scripts/settings_reference.py from dataos_dagster/settings.py: change it there. -->
"""

NAMES = {
    bool: "true or false",
    datetime: "moment, as ISO 8601 writes it",
    float: "number",
    int: "whole number",
    Path: "path",
    SecretStr: "text (secret)",
    str: "text",
}


def main() -> None:
    """Print the page."""
    sys.stdout.write(HEAD)
    for title, model, prefix in _sections(Settings, ""):
        purpose = (inspect.getdoc(model) or "").splitlines()[0]
        sys.stdout.write(f"\n## {title}\n\n{purpose}\n\n| setting | values | default | meaning |\n|---|---|---|---|\n")
        for name, field in model.model_fields.items():
            if not field.exclude and _nested(field.annotation) is None:
                row = (f"`{prefix}{name}`", _type(field.annotation), _default(field), field.description or "")
                sys.stdout.write(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |\n")


def _sections(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel], str]]:
    yield (f"`{prefix.rstrip('.')}`" if prefix else "The project"), model, prefix
    for name, field in model.model_fields.items():
        nested = _nested(field.annotation)
        if nested:
            step = f"{name}.<name>." if get_origin(field.annotation) is dict else f"{name}."
            yield from _sections(nested, prefix + step)


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _nested(part))), None)


def _type(annotation: Any) -> str:
    arguments = [part for part in get_args(annotation) if part not in {type(None), Ellipsis}]
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping of name to {_type(arguments[1])}"
    if origin is not None:
        return _type(arguments[0])
    return NAMES[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if value is None or value in ({}, ()):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    main()
