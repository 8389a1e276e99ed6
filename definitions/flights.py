# Written by `dataos workspace sync`: it is written again when bundles change.
from pathlib import Path

from dataos_dagster import load_definitions

defs = load_definitions(Path(__file__).parent / "flights")
