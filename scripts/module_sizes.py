"""Print how large the modules and functions of the package are: the longest first, and the distribution."""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dataos_dagster"


def module_lines(package: Path = PACKAGE) -> dict[str, int]:
    """Return the number of lines of each module, by its path inside the package."""
    return {
        file.relative_to(package).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in sorted(package.rglob("*.py"))
    }


def function_lines(package: Path = PACKAGE) -> dict[str, int]:
    """Return the number of lines of each function's body, without its docstring, by `module:name`."""
    return {
        f"{file.relative_to(package).as_posix()}:{node.name}": body_lines(node)
        for file in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines of a function's body, without its docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def describe(title: str, sizes: dict[str, int], *, longest: int = 10) -> str:
    """Return a report of one kind of size."""
    if not sizes:
        return f"{title}: none\n"
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    nine_of_ten = ranked[len(ranked) // 10][1]
    head = f"{title}: {len(sizes)}, median {statistics.median(sizes.values()):.0f}, 9 of 10 up to {nine_of_ten} lines"
    return "\n".join([head, *(f"  {lines:5d}  {name}" for name, lines in ranked[:longest]), ""])


def main() -> None:
    """Print both reports."""
    sys.stdout.write(describe("modules", module_lines()) + describe("functions", function_lines()))


if __name__ == "__main__":
    main()
