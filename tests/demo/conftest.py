"""The flights product, run once in a copy of the project, and its files read another way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Product:
    """A project in which every job of the flights product has run."""

    root: Path
    report: dict[str, object]  # what `dataos run --json` said

    def csv(self, name: str) -> pd.DataFrame:
        """Return one of the files, read by pandas: the other way to every number."""
        return pd.read_csv(self.root / ".dataos" / "files" / f"{name}.csv", keep_default_na=False, na_values=["NA"])

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the lakehouse, read by pyiceberg from its newest metadata file."""
        from pyiceberg.table import StaticTable

        folder = self.root / ".dataos" / "lakehouse" / "flights" / name
        version = (folder / "metadata" / "version-hint.text").read_text().strip()
        [metadata] = [
            file
            for file in (folder / "metadata").glob("v*.metadata.json")
            if file.name.partition(".")[0] == f"v{version}"
        ]
        return StaticTable.from_metadata(str(metadata)).scan().to_pandas()


@pytest.fixture(scope="session")
def product(tmp_path_factory) -> Product:
    """Run the whole product, on a machine that seems to have no Java."""
    root = tmp_path_factory.mktemp("product") / "flights"
    shutil.copytree(ROOT / "definitions" / "flights", root, ignore=shutil.ignore_patterns("__pycache__", ".dataos"))
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"} | {"PATH": str(BIN)}
    subprocess.run([sys.executable, root / "unpack.py"], check=True, capture_output=True)
    done = subprocess.run(
        [BIN / "dataos", "run", ".", "--json"], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Product(root, json.loads(done.stdout))
