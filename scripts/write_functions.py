"""Write the tables of docs/flare_functions.md from the functions themselves: `python scripts/write_functions.py`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dataos_dagster.flare.functions.registry import FAMILIES

if TYPE_CHECKING:
    from dataos_dagster.flare.functions.function import Function

PAGE = Path(__file__).parents[1] / "docs" / "flare_functions.md"
_TABLE = re.compile(r"<!-- (?P<family>[^>]+): written by scripts/write_functions.py -->\n.*?<!-- end -->", re.DOTALL)


def main() -> None:
    """Rewrite the page in place."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(page: str) -> str:
    """Return a page with the table of each family between its marks."""
    return _TABLE.sub(lambda found: _table(found["family"]), page)


def _table(family: str) -> str:
    rows = [
        f"| `{function.name}` | {_purpose(function)} | {'<br>'.join(_parameters(function))} |"
        for function in FAMILIES[family]
    ]
    head = "| function | what it does | parameters |\n|---|---|---|"
    mark = f"<!-- {family}: written by scripts/write_functions.py -->"
    return "\n".join([mark, "", head, *rows, "", "<!-- end -->"])


def _purpose(function: type[Function]) -> str:
    text = (inspect.getdoc(function) or "").split("\n\n")[0]
    return _cell(" ".join(text.split()))


def _parameters(function: type[Function]) -> list[str]:
    return [
        f"`{field.alias or name}`{'' if field.is_required() else ' (optional)'}: {_cell(field.description or '')}"
        for name, field in function.model_fields.items()
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")


if __name__ == "__main__":
    main()
