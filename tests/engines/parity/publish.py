"""Write down what the suite shows: `proven.py`, which routing reads, and the table in the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from parity.suite import AREAS, results_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parity.suite import Proof

ROOT = Path(__file__).parents[3]
PROVEN_FILE = ROOT / "dataos_dagster" / "engines" / "routing" / "proven.py"
FUNCTIONS_FILE = PROVEN_FILE.with_name("builtin.py")
DOCUMENT = ROOT / "docs" / "engines.md"
BEGIN, END = "<!-- parity: begin -->", "<!-- parity: end -->"

_HEAD = '''"""What the parity suite has shown equal on Sail and on Apache Spark: rows and types, nulls and edges included.

Written by `python tests/engines/parity`, which runs every vector on both engines; a test demands that this file says
exactly what the suite shows. Operands are given as the families of `operands.family_of`, joined by commas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# ruff: noqa: E501 - one construct a line
# fmt: off

'''


_FUNCTIONS_HEAD = '''"""The functions that Apache Spark 4.1.1 has, by name: those of `SHOW SYSTEM FUNCTIONS` that are words.

Written by `python tests/engines/parity`; a test compares it with Spark.
"""

from __future__ import annotations

# fmt: off
FUNCTIONS = frozenset([
'''


def functions_source(names: Iterable[str]) -> str:
    """Return the text of `builtin.py` for the names that Spark shows."""
    words = ", ".join(f'"{name}"' for name in sorted(names) if re.fullmatch(r"\w+", name))
    lines = textwrap.wrap(words, width=112, break_long_words=False, break_on_hyphens=False)
    return f"{_FUNCTIONS_HEAD}{textwrap.indent(chr(10).join(lines), '    ')},\n])\n# fmt: on\n"


def proven_source(proofs: Mapping[str, Proof]) -> str:
    """Return the text of `proven.py`."""
    lines = [_HEAD]
    lines.append("# Construct: sets of operand families on which the engines agree.\n")
    lines.append("PROVEN: Mapping[str, tuple[str, ...]] = {\n")
    lines += [f"    {name!r}: {_tuple(proof.proven)},\n" for name, proof in proofs.items() if proof.proven]
    lines.append("}\n\n# Construct: sets of operand families on which they are known to differ.\n")
    lines.append("DIFFERENT: Mapping[str, tuple[str, ...]] = {\n")
    lines += [f"    {name!r}: {_tuple(proof.different)},\n" for name, proof in proofs.items() if proof.different]
    lines.append("}\n\n# Construct: family of its result by operands.\n")
    lines.append("RESULTS: dict[str, dict[str, str]] = {\n")
    lines += [f"    {name!r}: {results!r},\n" for name, results in results_of(dict(proofs)).items()]
    lines.append("}\n")
    return _as_formatted("".join(lines))


def table(proofs: Mapping[str, Proof]) -> str:
    """Return the documentation's tables: what is proven, and what is known to differ."""
    proven = {name: proof for name, proof in proofs.items() if proof.proven}
    vectors = sum(proof.vectors for proof in proofs.values())
    lines = [f"{len(proven)} constructs are proven equal, by {vectors} vectors on twelve rows each.", ""]
    lines += ["| area | proven equal on Sail and Spark |", "|---|---|"]
    for area, title in AREAS.items():
        names = ", ".join(_code(name) for name, proof in proven.items() if proof.area == area)
        lines.append(f"| {title} | {names} |")
    lines += ["", "| construct | operands on which the engines differ | example |", "|---|---|---|"]
    for name, proof in proofs.items():
        if proof.different:
            operands = "; ".join(sorted(" and ".join(each) for each in proof.different if each)) or "any"
            lines.append(f"| {_code(name)} | {operands} | {_escaped('; '.join(proof.because))} |")
    return "\n".join(lines)


def publish(proofs: Mapping[str, Proof], functions: Iterable[str]) -> None:
    """Write all three files: what the suite shows, the documentation of it, and the functions that Spark has."""
    FUNCTIONS_FILE.write_text(functions_source(functions), "utf-8")
    PROVEN_FILE.write_text(proven_source(proofs), "utf-8")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text("utf-8"), table(proofs)), "utf-8")


def with_table(document: str, text: str) -> str:
    """Return the document with the tables between its markers."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _tuple(combinations: Iterable[tuple[str, ...]]) -> str:
    return repr(tuple(sorted(",".join(each) for each in combinations)))


def _code(name: str) -> str:
    return f"`{_escaped(name)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("\r", "\\r").replace("\t", "\\t").replace("\0", "\\0")


def _as_formatted(source: str) -> str:
    """Return the source as the project's linter has it."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--fix-only",
        "--quiet",
        "--stdin-filename",
        str(PROVEN_FILE),
        "-",
    ]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout
