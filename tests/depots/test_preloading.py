"""Whatever jobs import on the way is imported before two of them can do so at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import dataos_dagster
from dataos_dagster.depots.preloading import PACKAGES

# Packages of which code that jobs run imports nothing but the package itself, or modules without circles.
ALONE = {"alembic", "cryptography", "filelock", "keyring", "orjson", "pydantic", "pysail", "sqlalchemy", "yaml"}
JOBS = ("depots", "engines", "flare", "workflows")


def imported_on_the_way() -> set[str]:
    """Return third-party packages that functions of the packages of jobs import."""
    found: set[str] = set()
    for package in JOBS:
        for file in Path(dataos_dagster.__file__).parent.joinpath(package).rglob("*.py"):
            functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
            for statement in (node for function in functions for node in ast.walk(function)):
                if isinstance(statement, ast.Import):
                    found.update(alias.name.partition(".")[0] for alias in statement.names)
                elif isinstance(statement, ast.ImportFrom) and statement.module:
                    found.add(statement.module.partition(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names} - {"dataos_dagster"}


def test_every_package_that_jobs_import_on_the_way_is_preloaded_or_known_to_be_harmless():
    preloaded = {name.partition(".")[0] for name in PACKAGES}
    assert imported_on_the_way() - preloaded - ALONE == set()


def test_threads_that_import_what_is_preloaded_in_any_order_do_not_meet():
    """In a process of its own, because here everything is imported already."""
    program = (
        "import importlib, threading\n"
        "from dataos_dagster.depots.preloading import PACKAGES, preload\n"
        "preload()\n"
        "errors = []\n"
        "def load(name):\n"
        "    try: importlib.import_module(name)\n"
        "    except Exception as error: errors.append(f'{name}: {error!r}')\n"
        "names = ['sqlglot', 'sqlglot.dialects.dialect', 'pyspark.sql', 'pyiceberg', 'pyiceberg.io', *PACKAGES]\n"
        "threads = [threading.Thread(target=load, args=(name,)) for name in names]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(errors)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
