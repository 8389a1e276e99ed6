"""What starting costs: the budget of the package's import, and what the light commands must not load."""

import json
import subprocess
import sys

import pytest

MANIFEST = """\
name: load-orders
version: v1
type: workflow
workflow:
  dag:
    - name: orders
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - {name: orders, dataset: "dataos://lakehouse:shop/raw_orders"}
            steps:
              - sequence:
                  - {name: counted, sql: SELECT count(*) AS n FROM orders}
            outputs:
              - {name: counted, dataset: "dataos://lakehouse:shop/counted?acl=rw"}
"""

# CPU seconds, so that a busy machine does not fail the test; the least of several, because caches warm up. What it
# takes is a six-hundredth of it, as long as the package is the only module that is loaded.
BUDGET = 0.2
ATTEMPTS = 3


def run_python(code: str, *arguments: str, cwd=None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=cwd, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_costs_little_beside_dagster():
    code = """
import gc, time
import dagster
gc.disable()
start = time.process_time()
import dataos_dagster
print(time.process_time() - start)
"""
    cost = min(float(run_python(code)) for _ in range(ATTEMPTS))
    assert cost <= BUDGET


def test_importing_the_package_loads_no_other_module():
    loaded = set(run_python("import dataos_dagster, sys; print(*sys.modules)").split())
    without = set(run_python("import sys, importlib, typing; print(*sys.modules)").split())
    assert loaded - without - sys.stdlib_module_names == {"dataos_dagster"}


LOADED = """
import json, sys
from dataos_dagster.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_by(*command: str, cwd) -> set[str]:
    return set(json.loads(run_python(LOADED, *command, cwd=cwd).splitlines()[-1]))


def test_sql_that_was_read_before_needs_no_parser(tmp_path):
    (tmp_path / "orders.yaml").write_text(MANIFEST)
    assert "sqlglot" in loaded_by("check", cwd=tmp_path)
    assert "sqlglot" not in loaded_by("check", cwd=tmp_path)


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["schema"], ["explain", "unknown-key"]])
def test_light_commands_load_neither_dagster_nor_an_engine(tmp_path, command):
    (tmp_path / "orders.yaml").write_text(MANIFEST)
    loaded = loaded_by(*command, cwd=tmp_path)
    assert not {"dagster", "dagster_shared", "pyspark", "pysail", "pandas", "pyarrow", "sqlalchemy"} & loaded
