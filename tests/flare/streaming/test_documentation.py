"""The manifest of docs/streaming.md runs and gives what stands below it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "streaming.md"


def test_the_first_stream_of_the_page_writes_what_stands_below_it(streams):
    text = PAGE.read_text("utf-8")
    [manifest] = re.findall(r"`orders\.yaml`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    [rows] = re.findall(r"then holds:\n\n```csv\n(.*?)```", text, re.DOTALL)
    topic = streams.kafka.create_topic()
    streams.kafka.produce(topic, ['{"id": 1, "name": "ann"}', '{"id": 2, "name": "bob"}'])
    streams.write("orders.yaml", manifest.replace("default/orders", f"default/{topic}"))
    streams.run("wf-orders")
    header, *expected = csv.reader(io.StringIO(rows))
    assert header == ["id", "name"]
    assert streams.table("dataos://lakehouse:shop/orders") == [(int(number), name) for number, name in expected]
