"""`dataos explain`: the long form of a diagnostic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dataos_dagster.cli.failures import USAGE

if TYPE_CHECKING:
    from dataos_dagster.manifests.codes import CodeEntry

app = typer.Typer()


@app.command()
def explain(
    code: Annotated[
        str | None, typer.Argument(help="Such as key-beside-dash; without one, all are listed.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain a diagnostic's code at length, with an example; without a code, list all.

    Ends with 2 when there is no such code.
    """
    from dataos_dagster.manifests.codes import CODES

    if code is None:
        typer.echo(_list_json() if as_json else _list_text())
        return
    entry = CODES.get(code.strip().lower())
    if entry is None:
        typer.echo(f"error: there is no diagnostic {code!r}{_suggestion(code)}", err=True)
        raise typer.Exit(USAGE)
    typer.echo(json.dumps(_as_json(entry), ensure_ascii=False) if as_json else _as_text(entry))


def _suggestion(code: str) -> str:
    import difflib

    from dataos_dagster.manifests.codes import CODES

    near = difflib.get_close_matches(code.strip().lower().replace("_", "-"), CODES, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; `dataos explain` lists all"


def _as_text(entry: CodeEntry) -> str:
    import textwrap

    examples = (
        f"{word}:\n\n{textwrap.indent(text, '    ')}" for word, text in (("Wrong", entry.wrong), ("Right", entry.right))
    )
    return "\n\n".join((f"{entry.code}: {entry.title}", textwrap.fill(entry.explanation, 100), *examples))


def _as_json(entry: CodeEntry) -> dict[str, str]:
    return {
        "code": entry.code,
        "title": entry.title,
        "explanation": entry.explanation,
        "wrong": entry.wrong,
        "right": entry.right,
    }


def _list_text() -> str:
    from dataos_dagster.manifests.codes import TOPICS

    width = max(len(entry.code) for entries in TOPICS.values() for entry in entries)
    blocks = [
        "\n".join([f"{topic}:", *(f"  {entry.code:<{width}}  {entry.title}" for entry in entries)])
        for topic, entries in TOPICS.items()
    ]
    return "\n\n".join(blocks)


def _list_json() -> str:
    from dataos_dagster.manifests.codes import CODES

    return json.dumps({"codes": [_as_json(entry) for entry in CODES.values()]}, ensure_ascii=False)
