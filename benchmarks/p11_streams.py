"""P11: seconds to bring three million Kafka messages into an Iceberg table, against structured streaming by hand.

Both read the same topic of a real broker, parse the same JSON, run the same SQL and write a new table with a new
checkpoint, turn by turn on one warm Spark, which of them first by turns; planning, locking and recording the job are in
our figure. The medians of the turns are compared.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

from measure import conclude, parse_arguments, say
from peer_stream import QUERY, SCHEMA, stream_by_hand

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path += [str(TESTS / "engines"), str(TESTS / "builders")]  # the real broker, and the manifest of a depot on it

MESSAGES, QUICK_MESSAGES, TURNS, QUICK_TURNS = 3_000_000, 20_000, 4, 1
REGIONS = ("north", "south", "east", "west")
SETTINGS = 'engines: {spark: {master: "local[2]", conf: {spark.sql.shuffle.partitions: "2"}}}\n'
WORKFLOW = """\
name: stream
version: v1
type: workflow
workflow:
  dag:
    - name: job
      spec:
        stack: flare:7.0
        stackSpec:
          job:
            streaming: {{triggerMode: AvailableNow, checkpointLocation: checkpoints/{turn}}}
            inputs:
              - name: orders
                dataset: dataos://events:default/{topic}
                format: kafkajson
                isStream: true
                schemaString: "{schema}"
                options: {{startingOffsets: earliest}}
            steps:
              - sequence:
                  - {{name: result, sql: "{query}"}}
            outputs:
              - name: result
                dataset: dataos://lakehouse:large/orders_{turn}?acl=rw
                options: {{saveMode: append}}
"""


def messages(count: int) -> list[str]:
    """Return the messages of the topic."""
    return [
        json.dumps({"id": n, "customer": n % 1000, "amount": n % 700 + 0.5, "region": REGIONS[n % 4]})
        for n in range(count)
    ]


def measure(folder: Path, bootstrap: str, topic: str, turns: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each turn, ours and the peer's; one turn before them warms both."""
    from dataos_dagster.flare.plan import plan_job
    from dataos_dagster.manifests.project import load_project
    from dataos_dagster.settings import load_settings
    from dataos_dagster.workflows.building import build_graph
    from dataos_dagster.workflows.execution import JobRunner

    ours, peer = [], []
    for turn in range(turns + 1):
        text = WORKFLOW.format(turn=turn, topic=topic, schema=SCHEMA, query=QUERY)
        (folder / "stream.yaml").write_text(text, encoding="utf-8")
        settings = load_settings(folder)
        project = load_project(folder, settings=settings, use_cache=False)
        [node] = build_graph(project).nodes.values()
        if turn == 0:
            runner = JobRunner(project, settings)
        current = JobRunner(project, settings)
        current.__dict__["sessions"] = runner.sessions  # one warm Spark for all turns
        context = current.context("plan", record=False)
        plan = plan_job(
            node.job, door=context.door, settings=settings, availability=context.availability, requested="spark"
        )
        session = runner.sessions.get(plan.configuration)
        by_hand = f"lakehouse.large.by_hand_{turn}"
        for side in ("ours", "by hand") if turn % 2 else ("by hand", "ours"):
            start = time.perf_counter()
            if side == "ours":
                result = current.run(node, uuid.uuid4().hex)
                ours.append(time.perf_counter() - start)
            else:
                stream_by_hand(session.spark, bootstrap, topic, by_hand, folder / "by_hand" / str(turn))
                peer.append(time.perf_counter() - start)
        [written] = session.spark.sql(f"SELECT count(*) FROM {by_hand}").collect()
        say(f"turn {turn}: ours {ours[-1]:.2f} s, by hand {peer[-1]:.2f} s, {result.rows} and {written[0]} rows")
        if result.rows != written[0]:
            sys.exit("the tables differ")
    runner.close()
    return ours[1:], peer[1:]


def main() -> int:
    """Measure, and return 1 when the goal is not reached."""
    quick = parse_arguments(__doc__).quick
    kafka = importlib.import_module("servers.kafka").start_kafka()
    depot = importlib.import_module("depot_manifests").kafka_depot(kafka.bootstrap)
    try:
        topic = kafka.create_topic(partitions=2)
        kafka.produce(topic, messages(QUICK_MESSAGES if quick else MESSAGES))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "dataos.yaml").write_text(SETTINGS, encoding="utf-8")
            (folder / "depot.yaml").write_text(depot, encoding="utf-8")
            ours, peer = measure(folder, kafka.bootstrap, topic, QUICK_TURNS if quick else TURNS)
    finally:
        kafka.stop()
    reached = conclude("P11", ours=statistics.median(ours), peer=statistics.median(peer), goal=0.95, better="more")
    return 0 if reached or quick else 1


if __name__ == "__main__":
    sys.exit(main())
