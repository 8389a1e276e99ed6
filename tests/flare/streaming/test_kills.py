"""A sample of the killed streams; `make kills` runs the full number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "kills_streams.py"


@pytest.mark.timeout(900)
def test_no_message_is_lost_or_doubled_whatever_is_killed(kafka, spark_jars):
    count = int(os.environ.get("DATAOS_KILLS", "5"))
    command = [sys.executable, str(BENCHMARK), str(count), "--seed", "11", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["kills"] == count
    assert said["messages"] > 0
    assert said["found"] == {"engine": {"lost": 0, "doubled": 0}, "batches": {"lost": 0, "doubled": 0}}
