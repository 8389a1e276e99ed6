"""The source tree as the architecture tests read it: files and their syntax trees, parsed once."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dataos_dagster"


@dataclass(frozen=True)
class Module:
    """One module of the package."""

    name: str  # relative to the package, such as "flare/steps.py"
    text: str
    tree: ast.Module

    def imports(self) -> list[tuple[int, str]]:
        """Return (line, dotted name) of everything imported at run time, inside functions too."""
        annotations_only = {
            id(node)
            for block in ast.walk(self.tree)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
            for statement in block.body
            for node in ast.walk(statement)
        }
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if id(node) in annotations_only:
                continue
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        return found


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Return every module of the package."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        found.append(Module(file.relative_to(PACKAGE).as_posix(), text, ast.parse(text)))
    return found


@pytest.fixture(scope="session")
def committed_files() -> list[Path]:
    """Return the files that git tracks; where there is no git (a source archive), all that is not generated."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    generated = {".venv", ".dataos", "__pycache__", ".git"}
    return [file for file in ROOT.rglob("*") if file.is_file() and not generated & set(file.relative_to(ROOT).parts)]
