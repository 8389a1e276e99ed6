"""What of a job is a stream, and how each sink is fed: decided from the manifest, before anything is started."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from depot_manifests import kafka_depot

from dataos_dagster.depots.streams import batch_mark
from dataos_dagster.errors import StatementFailed, StepError
from dataos_dagster.flare.manifest import Streaming
from dataos_dagster.flare.streaming.progress import Progress
from dataos_dagster.flare.streaming.run import RunningQuery, _repeat
from dataos_dagster.flare.streaming.trigger import Trigger, trigger_of
from dataos_dagster.flare.streaming.whole import plan_of_rest
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.runner import run_jobs

from .conftest import StreamProject

JOB = """
    {streaming}
    inputs:
      - {{name: orders, dataset: "dataos://events:default/orders"{stream}}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw", format: Iceberg{output}}}
    """


@pytest.fixture
def planned(tmp_path):
    """Return a project whose broker is never asked: a plan touches no data."""
    project = StreamProject(tmp_path, None, None)
    project.write("depot.yaml", kafka_depot("127.0.0.1:1"))
    return project


def job(planned, streaming="", stream="", output="", head=""):
    planned.job(JOB.format(streaming=streaming, stream=stream, output=output), head=head)
    return planned


def section(**values):
    return Streaming.model_validate(values)


@pytest.mark.parametrize(
    ("streaming", "scheduled", "expected"),
    [
        (None, False, Trigger(None)),
        (section(triggerMode="once"), False, Trigger("Once")),
        (section(triggerMode="AVAILABLENOW"), True, Trigger("AvailableNow")),
        (
            section(triggerMode="ProcessingTime", triggerDuration="5 seconds"),
            False,
            Trigger("ProcessingTime", "5 seconds"),
        ),
        (section(triggerMode="Continuous"), False, Trigger("Continuous", "1 second")),
        (
            section(batchMode=True, triggerMode="Continuous", triggerDuration="3 seconds"),
            False,
            Trigger("Continuous", "3 seconds"),
        ),
    ],
)
def test_the_trigger_is_that_of_the_manifest(streaming, scheduled, expected):
    assert trigger_of(streaming, is_scheduled=scheduled) == expected


@pytest.mark.parametrize(("streaming", "scheduled"), [(section(batchMode=True), False), (None, True)])
def test_a_stream_that_is_meant_to_end_ends_and_says_why(streaming, scheduled):
    found = trigger_of(streaming, is_scheduled=scheduled)
    assert (found.mode, found.is_bounded) == ("AvailableNow", True)
    assert "AvailableNow" in found.note


def test_a_topic_is_a_stream_unless_the_manifest_says_otherwise(planned):
    plan = job(planned, "streaming: {triggerMode: Once}").plan()
    assert plan.inputs[0].request.stream
    assert plan.engine == "spark"
    assert any("because its depot is one of streams" in note for note in plan.notes)
    batch = job(planned, "streaming: {triggerMode: Once}", stream=", isStream: false").plan()
    assert batch.stream is None
    assert not batch.inputs[0].request.stream


@pytest.mark.parametrize(
    ("streaming", "output", "how", "guarantee"),
    [
        ("{triggerMode: Once}", "", [], "exactly once"),
        ("{triggerMode: Once, forEachBatchMode: 'true'}", "", ["`forEachBatchMode` asks for it"], "exactly once"),
        ("{triggerMode: Once, outputMode: replace}", "", [], "exactly once"),
        (
            "{triggerMode: Once, outputMode: update}",
            "",
            ["Iceberg's stream writer appends or replaces, and cannot update"],
            "exactly once",
        ),
        (
            "{triggerMode: ProcessingTime, triggerDuration: 10 seconds}",
            "",
            ["without a catalog the table is locked for each batch"],
            "exactly once",
        ),
    ],
)
def test_how_a_sink_is_fed_follows_from_what_it_can(planned, streaming, output, how, guarantee):
    [query] = job(planned, f"streaming: {streaming}", output=output).plan().as_json()["stream"]["queries"]
    assert query["because"] == how
    assert query["guarantee"] == guarantee


def test_continuous_passes_single_rows_to_a_topic_and_batches_to_a_table(planned):
    plan = job(planned, "streaming: {triggerMode: Continuous}").plan()
    assert dict(plan.stream.queries[0].query.trigger) == {"processingTime": "1 second"}
    assert any("takes no single rows, so a micro-batch is written every 1 second" in note for note in plan.notes)
    planned.job(
        JOB.format(streaming="streaming: {triggerMode: Continuous}", stream="", output="")
        .replace("lakehouse:shop/orders", "events:default/copies")
        .replace(", format: Iceberg", "")
    )
    [query] = planned.plan().stream.queries
    assert dict(query.query.trigger) == {"continuous": "1 second"}
    assert query.guarantee == "at least once"


def test_assertions_in_front_of_an_output_make_batches_of_continuous(planned):
    asserts = ", assertions: [{column: key, tests: ['missing_count == 0']}]"
    plan = job(planned, "streaming: {triggerMode: Continuous}", output=asserts).plan()
    [query] = plan.stream.queries
    assert dict(query.query.trigger) == {"processingTime": "1 second"}
    assert query.batches == ("its assertions look at each batch before it is written",)
    assert any("its assertions look at batches, so a micro-batch is written" in note for note in plan.notes)


MAINTAIN = "actions: [{name: rewrite_dataset, input: orders}]"
PROFILE = "profile: {level: basic}"
OF_INPUT = "assertions: [{sql: 'SELECT count(*) AS n FROM read', tests: ['n > 0']}]"
OF_OUTPUT = "assertions: [{sql: 'SELECT count(*) AS n FROM orders', tests: ['n > 0']}]"
STEP = """
    {section}
    streaming: {{triggerMode: {trigger}}}
    inputs:
      - {{name: read, dataset: "dataos://events:default/orders", isStream: true, options: {{startingOffsets: latest}}}}
      - {{name: names, dataset: "dataos://lakehouse:shop/names?acl=rw"}}
    steps:
      - sequence:
          - {{name: orders, sql: "SELECT * FROM read"}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw"{output}}}
    """


def sectioned(planned, section, trigger, output=""):
    planned.job(STEP.format(section=section, trigger=trigger, output=output))
    return planned


@pytest.mark.parametrize("section", [PROFILE, OF_INPUT, MAINTAIN.replace("orders", "names")])
def test_what_is_about_whole_datasets_is_done_when_a_stream_has_ended_and_refused_at_its_line_without_an_end(
    planned, section
):
    name = section.partition(":")[0]
    plan = sectioned(planned, section, "Once").plan()
    assert plan.stream.rest == (name,)
    rest = plan_of_rest(plan, plan.stream.assertions)
    assert not rest.inputs[0].request.stream
    assert "startingOffsets" not in rest.inputs[0].request.options
    assert [planned.output for planned in rest.assertions] == ([None] if name == "assertions" else [])
    assert f"  then   {name}, over whole datasets" in plan.as_text()
    with pytest.raises(StepError, match=f"`{name}` cannot be done while a stream runs") as raised:
        sectioned(planned, section, "ProcessingTime").plan()
    assert str(raised.value.location).startswith("wf.yaml:11:")
    assert "AvailableNow" in raised.value.hint


@pytest.mark.parametrize("trigger", ["Once", "ProcessingTime"])
def test_assertions_of_the_job_look_at_batches_of_a_view_that_is_written_and_once_at_one_that_does_not_grow(
    planned, trigger
):
    once = ", {sql: 'SELECT count(*) AS n FROM names', tests: ['n > 1']}]"
    plan = sectioned(planned, OF_OUTPUT.removesuffix("]") + once, trigger).plan()
    assert plan.stream.rest == ()
    [query] = plan.stream.queries
    assert [test.text for each in query.assertions for asked in each.queries for test in asked.tests] == ["n > 0"]
    assert query.batches == ("its assertions look at each batch before it is written",)
    [first] = plan.stream.assertions.first
    assert [test.text for asked in first.queries for test in asked.tests] == ["n > 1"]


def test_assertions_in_front_of_an_output_cannot_ask_another_view_that_grows(planned):
    asserts = f", {OF_INPUT}"
    with pytest.raises(StepError, match="of the view read no query sees all rows") as raised:
        sectioned(planned, "", "Once", asserts).plan()
    assert str(raised.value.location).startswith("wf.yaml:19:")
    assert "ask the view orders" in raised.value.hint


def test_rows_are_not_deleted_from_a_table_that_is_read_as_a_stream_unless_it_passes_over_that(planned):
    delete = "actions: [{name: delete_from_dataset, input: read, deleteWhere: 'id = 1'}]"
    manifest = sectioned(planned, delete, "Once").folder / "wf.yaml"
    table = manifest.read_text().replace("events:default", "lakehouse:shop").replace('orders"', 'kept?acl=rw"', 1)
    manifest.write_text(table)
    with pytest.raises(StepError, match="a stream of a table ends at a commit that deletes rows") as raised:
        planned.plan()
    assert str(raised.value.location).startswith("wf.yaml:11:")
    # Whole files that go are commits of one kind, parts of files those of the other.
    both = "streaming-skip-overwrite-snapshots: 'true', Streaming-Skip-Delete-Snapshots: 'TRUE'"
    for some in (*both.split(", "), both.replace("TRUE", "false")):
        manifest.write_text(table.replace("startingOffsets: latest", some))
        with pytest.raises(StepError, match="ends at a commit that deletes rows"):
            planned.plan()
    manifest.write_text(table.replace("startingOffsets: latest", both))
    assert planned.plan().stream.rest == ("actions",)


@pytest.mark.parametrize(
    "option",
    [
        "startingOffsets: ' LATEST'",
        'startingoffsets: \'{"orders": {"0": -1}}\'',
        "startingTimestamp: '1700000000000'",
        'endingOffsets: \'{"orders": {"0": 5}}\'',
        'eventhubs.startingPosition: \'{"offset": "@latest"}\'',
    ],
)
def test_a_topic_is_read_whole_wherever_its_stream_begins(planned, option):
    manifest = sectioned(planned, OF_INPUT, "Once").folder / "wf.yaml"
    text = manifest.read_text().replace("startingOffsets: latest", f"{option}, failOnDataLoss: 'false'")
    manifest.write_text(text)
    plan = planned.plan()
    assert len(plan.inputs[0].request.options) == 2
    rest = plan_of_rest(plan, plan.stream.assertions)
    assert dict(rest.inputs[0].request.options) == {"failOnDataLoss": "false"}


INCREMENT = """
    streaming: {{triggerMode: {trigger}}}
    inputs:
      - name: read
        dataset: dataos://events:default/orders
      - name: names
        dataset: dataos://lakehouse:shop/names
    steps:
      - sequence:
          - {{name: orders, sql: "SELECT read.* FROM read JOIN names ON read.key = names.key"}}
    outputs:
      - {{name: orders, dataset: "dataos://lakehouse:shop/orders?acl=rw"}}
    """
WINDOW = """
        incremental:
          context: all_of_it
          sql: SELECT * FROM all_of_it WHERE id > $|last| AND id <= $|newest|
          keys: [{name: last, default: "0"}, {name: newest, sql: SELECT max(id) FROM all_of_it}]
          state: [{key: last, value: newest}]
"""


def test_what_is_new_beside_a_stream_is_kept_by_a_run_that_ends_only(planned):
    body = INCREMENT.format(trigger="Once").replace("shop/names\n", f"shop/names{WINDOW.rstrip()}\n")
    planned.job(body)
    assert planned.plan().stream is not None
    planned.job(body.replace("Once", "ProcessingTime"))
    with pytest.raises(StepError, match="this stream runs until it is stopped") as raised:
        planned.plan()
    assert str(raised.value.location).startswith("wf.yaml:18:")
    planned.job("\n".join(line for line in body.replace("Once", "ProcessingTime").split("\n") if "state:" not in line))
    assert planned.plan().stream is not None


def test_a_topic_takes_no_window_whoever_says_that_it_is_a_stream(planned):
    body = INCREMENT.format(trigger="Once").replace("default/orders\n", f"default/orders{WINDOW.rstrip()}\n")
    for said in ("", "\n        isStream: true"):
        planned.job(body.replace("- name: read", f"- name: read{said}"))
        with pytest.raises(StepError, match="takes no `incremental`"):
            planned.plan()


def test_a_job_that_writes_nothing_reads_a_topic_as_it_is(planned):
    body = """
        inputs: [{{name: orders, dataset: "dataos://events:default/orders"{stream}}}]
        profile: {{level: basic}}
        """
    planned.job(body.format(stream=""))
    assert planned.node().is_run
    assert planned.plan().stream is None
    planned.job(body.format(stream=", isStream: true").replace("profile: {level: basic}", ""))
    with pytest.raises(StepError, match="reads a stream without an end and writes nothing"):
        planned.plan()


def test_continuous_with_batches_is_refused_at_its_line(planned):
    with pytest.raises(StepError) as raised:
        job(planned, "streaming: {triggerMode: Continuous, forEachBatchMode: true}").plan()
    assert str(raised.value.location).startswith("wf.yaml:11:")
    assert "has no batches" in raised.value.message


@pytest.mark.parametrize(
    ("options", "output", "streaming", "expected"),
    [
        (", options: {checkpointLocation: a}", ", checkpointLocation: b", ", checkpointLocation: c", "a"),
        ("", ", checkpointLocation: b", ", checkpointLocation: c", "b"),
        ("", "", ", checkpointLocation: 'dataos://lakehouse:sys01/c'", ".dataos/lakehouse/sys01/c"),
        ("", "", "", ".dataos/checkpoints/public/wf/job/0_orders"),
    ],
)
def test_the_checkpoint_closest_to_the_rows_counts(planned, options, output, streaming, expected):
    plan = job(planned, f"streaming: {{triggerMode: Once{streaming}}}", output=output + options).plan()
    assert str(plan.stream.queries[0].query.checkpoint) == str(planned.folder / expected)


def test_a_stream_without_an_end_is_no_part_of_a_run(planned):
    node = job(planned, "streaming: {triggerMode: ProcessingTime}").node()
    assert node.service is not None
    assert not node.is_run
    assert [str(address) for address in node.owned] == ["dataos://lakehouse:shop/orders"]
    assert "runs until it is stopped" in node.missing.message
    assert job(planned, head="schedule: {cron: '* * * * *'}").node().is_run


def test_running_everything_leaves_a_stream_without_an_end_to_the_supervisor(planned):
    job(planned, "streaming: {triggerMode: ProcessingTime}")
    settings = load_settings(planned.folder)
    graph = build_graph(load_project(planned.folder, settings=settings, use_cache=False))
    with planned.runner() as runner:
        summary = run_jobs(graph, graph.order(), runner.context("run", record=False))
    assert [(outcome.state, outcome.error) for outcome in summary.outcomes] == [("skipped", None)]
    assert "dataos streams start wf/job" in graph.nodes["public/wf/job"].missing.hint
    [diagnostic] = [found for found in graph.diagnostics if found.code == "runs-until-stopped"]
    assert diagnostic.message == "wf/job runs until it is stopped: no run has it"


def test_progress_counts_what_the_source_has_and_the_stream_has_not():
    told = {
        "batchId": 7,
        "timestamp": "2026-11-22T21:16:00.047Z",
        "batchDuration": 500,
        "sources": [
            {
                "numInputRows": 40,
                "processedRowsPerSecond": 80.0,
                "endOffset": '{"t":{"0":10,"1":5}}',
                "latestOffset": '{"t":{"0":12,"1":5}}',
            }
        ],
        "sink": {"numOutputRows": -1},
    }
    found = Progress.of(told)
    assert (found.batch, found.rows, found.written, found.rows_per_second, found.seconds, found.behind) == (
        7,
        40,
        0,
        80.0,
        0.5,
        2,
    )
    assert Progress.of(told | {"sources": [{"endOffset": '{"logOffset":3}'}]}).behind is None


def test_a_batch_that_was_repeated_first_counts_as_work_of_the_stream():
    def query(written, **given):
        told = {"batchId": 1, "timestamp": "2026-11-22T21:16:00.047Z", "sink": {"numOutputRows": written}}
        seen = {1: Progress.of(told)} if written is not None else {}
        return RunningQuery(None, None, None, None, (), (), seen, **given)

    assert not query(None).has_worked
    later = query(None, earlier=query(4))
    assert (later.has_worked, later.rows) == (True, 4)
    assert query(3, earlier=query(4)).rows == 7


def test_rows_of_a_repeated_batch_that_spark_could_not_report_are_unknown(monkeypatch):
    planned = SimpleNamespace(output=SimpleNamespace(dataset="topic"))
    query = RunningQuery(planned, None, None, None, (), ())

    def fail(_query):
        raise StatementFailed(
            'Cannot invoke "scala.collection.IterableOps.map(f)" because "scala.Option.get()" is null'
        )

    monkeypatch.setattr(RunningQuery, "has_ended", fail)
    _repeat(query, 1, lambda _: None, threading.Event())
    assert RunningQuery(None, None, None, None, (), (), earlier=query).rows is None
    told = {"batchId": 1, "timestamp": "2026-11-22T21:16:00.047Z", "sink": {"numOutputRows": 4}}
    query = RunningQuery(planned, None, None, None, (), (), {1: Progress.of(told)})
    _repeat(query, 1, lambda _: None, threading.Event())
    assert query.rows == 4


def test_a_batch_has_one_mark_whenever_it_comes():
    assert batch_mark("q", 3) == batch_mark("q", 3) != batch_mark("q", 4)
