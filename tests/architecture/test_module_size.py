"""Modules and functions stay of a size that can be read at once."""

import runpy
from pathlib import Path

LONGEST_MODULE = 450
LONGEST_FUNCTION = 60

# Longer on purpose: name and reason.
EXCEPTIONS: dict[str, str] = {
    "engines/routing/proven.py": "a table, written by the parity suite",
}

report = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "module_sizes.py"))


def test_no_module_outgrows_the_reader():
    longest = {name: lines for name, lines in report["module_lines"]().items() if lines > LONGEST_MODULE}
    assert longest.keys() - EXCEPTIONS.keys() == set(), report["describe"]("modules", longest)


def test_no_function_outgrows_the_screen():
    longest = {name: lines for name, lines in report["function_lines"]().items() if lines > LONGEST_FUNCTION}
    assert longest.keys() - EXCEPTIONS.keys() == set(), report["describe"]("functions", longest)


def test_every_exception_is_still_one():
    sizes = report["module_lines"]() | report["function_lines"]()
    bounds = {name: LONGEST_FUNCTION if ":" in name else LONGEST_MODULE for name in EXCEPTIONS}
    assert [name for name, bound in bounds.items() if sizes.get(name, 0) <= bound] == []
