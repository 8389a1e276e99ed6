"""`dataos schema`: JSON Schema of manifests, for editors."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated

import typer

from dataos_dagster.cli.failures import USAGE

app = typer.Typer()


@app.command()
def schema(
    kind: Annotated[
        str | None, typer.Argument(help="Such as workflow; without one, one schema for all.", show_default=False)
    ] = None,
    list_kinds: Annotated[bool, typer.Option("--list", help="List the kinds of resources.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file.", show_default=False)
    ] = None,
) -> None:
    """Print the JSON Schema of manifests, which editors complete and check by.

    For the YAML language server, write it to a file and begin a manifest with
    `# yaml-language-server: $schema=<file>`. Ends with 2 when there is no such kind.
    """
    from dataos_dagster.manifests.kinds import KINDS

    if list_kinds:
        typer.echo("\n".join(KINDS))
        return
    if kind is not None and kind not in KINDS:
        from dataos_dagster.manifests.spelling import suggestion

        typer.echo(f"error: there is no kind {kind!r}; {suggestion(kind, list(KINDS), what='kinds')}", err=True)
        raise typer.Exit(USAGE)
    from dataos_dagster.manifests.json_schema import json_schema

    text = json.dumps(json_schema(kind), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        typer.echo(f"error: {output} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(USAGE) from None
    typer.echo(f"wrote {output}", err=True)
