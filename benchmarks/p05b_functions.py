"""P5b: CPU seconds of one Flare job of ten functions over 10 million rows, against the same by hand in PySpark.

The same data, engine (Sail) and way of counting as P5. The job's step selects everything, and its ten functions change
it; by hand it is the same chain of DataFrame calls.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import yaml
from measure import conclude, parse_arguments
from p05_one_large_job import WORKFLOW, measure, write_project
from peer_functions import run_by_hand

FUNCTIONS = [
    {"name": "rename", "column": "customer_id", "asColumn": "customer"},
    {"name": "set_type", "columns": {"amount": "decimal(10,2)"}},
    {"name": "change_case", "column": "region", "case": "upper"},
    {"name": "find_and_replace", "column": "region", "sedExpression": "s/[OU]/_/g"},
    {"name": "add_column", "column": "channel", "value": "web", "type": "string"},
    {"name": "merge", "columns": ["region", "channel"], "separator": "-", "asColumn": "origin"},
    {"name": "set_variable", "column": "gross", "expression": "ROUND(amount * 1.19, 2)"},
    {"name": "format_date", "column": "ordered_at", "format": "yyyy-MM-dd"},
    {"name": "hash", "column": "region", "algo": "MD5"},
    {"name": "drop", "columns": ["channel"]},
]


def use_functions(folder: Path) -> None:
    """Make the project's job one of functions."""
    manifest = yaml.safe_load(WORKFLOW)
    [item] = manifest["workflow"]["dag"][0]["spec"]["stackSpec"]["job"]["steps"][0]["sequence"]
    item["functions"] = FUNCTIONS
    (folder / "workflow.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    (folder / "job.sql").write_text("SELECT * FROM orders", encoding="utf-8")


def main() -> None:
    """Measure both, turn by turn, and print the result of the median turns."""
    quick = parse_arguments(__doc__).quick
    rows, turns = (1_000_000, 1) if quick else (10_000_000, 9)
    with tempfile.TemporaryDirectory() as name:
        write_project(Path(name), rows)
        use_functions(Path(name))
        ours, peer = measure(Path(name), turns, run_by_hand)
    conclude("P5b", ours=statistics.median(ours), peer=statistics.median(peer), goal=1.10, better="less")


if __name__ == "__main__":
    main()
