"""Kernels on workers that have Python and pyarrow, and not this package."""

from __future__ import annotations

import re
import subprocess
import sys

import pyarrow as pa
from pyspark import cloudpickle

from dataos_dagster.flare.functions.kernels import dates, encodings, json_texts, texts, urls
from dataos_dagster.flare.functions.vectorised import arrow_function

# A worker: it cannot import this package, applies what it was sent, and prints the result.
WORKER = """
import pickle, sys
sys.modules["dataos_dagster"] = None
for function, values in pickle.load(sys.stdin.buffer):
    print(function(values).to_pylist())
"""
ROW = pa.struct([("a", pa.int32())])
KERNELS = [
    (texts.title_case, (), "ann LEE", "'Ann Lee'"),
    (texts.substitute, (re.compile("a+"), "-", 0), "aab", "'-b'"),
    (texts.html_text, (), "<p>a</p>b", "'a b'"),
    (encodings.encode, ("base32",), "21244", "'GIYTENBU'"),
    (encodings.decode, ("hex",), "3231", "'21'"),
    (dates.to_dates, ((),), "4/3/21", "datetime.date(2021, 3, 4)"),
    (dates.to_timestamps, ((), "+01:00"), "2021-03-04", "datetime.datetime(2021, 3, 4, 1, 0"),
    (urls.split_urls, (), "http://h:1/p", "'port': 1"),
    (json_texts.read_rows, (ROW,), '{"a": 1}', "{'a': 1}"),
]


def test_kernels_are_sent_with_all_their_code():
    work = [(arrow_function(kernel, *constants), pa.array([value, None])) for kernel, constants, value, _ in KERNELS]
    sent = cloudpickle.dumps(work)
    worker = subprocess.run([sys.executable, "-c", WORKER], input=sent, capture_output=True, check=False)
    assert worker.returncode == 0, worker.stderr.decode()
    found = worker.stdout.decode().splitlines()
    for (_, _, _, expected), line in zip(KERNELS, found, strict=True):
        assert expected in line
        assert line.endswith(", None]")
