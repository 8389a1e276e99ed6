"""The graph of jobs: order, ownership, cycles, what is not run."""

from __future__ import annotations

import pytest
from effort import lines_run
from manifest_builder import flare, other, read_project, workflow

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.workflows.building import build_graph


def graph_of(folder, *dag, **files):
    """Return the graph of a workflow `wf` in `wf.yaml`, and of other files."""
    return build_graph(read_project(folder, {"wf.yaml": workflow("wf", *dag)} | files))


def edges(graph):
    return {
        (edge.upstream.split("/")[-1], edge.downstream.split("/")[-1])
        for n in graph.nodes.values()
        for edge in n.upstream
    }


def order(graph):
    return [job_id.split("/")[-1] for job_id in graph.order()]


def codes(graph):
    return [diagnostic.code for diagnostic in graph.diagnostics]


def node(graph, name):
    return graph.nodes[f"public/wf/{name}"]


def test_a_job_waits_for_the_jobs_that_write_what_it_reads(tmp_path):
    graph = graph_of(tmp_path, flare("report", reads="clean"), flare("clean", reads="raw", writes="clean"))
    assert order(graph) == ["clean", "report"]
    [edge] = node(graph, "report").upstream
    assert (edge.reason, str(edge.address)) == ("data", "dataos://lakehouse:shop/clean")


def test_both_names_of_the_lakehouse_are_one_dataset(tmp_path):
    graph = graph_of(
        tmp_path,
        flare("report", reads="dataos://icebase:shop/clean"),
        flare("clean", writes="dataos://lakehouse:shop/clean"),
    )
    assert edges(graph) == {("clean", "report")}


def test_jobs_that_do_not_wait_for_each_other_keep_the_order_of_the_manifest(tmp_path):
    graph = graph_of(tmp_path, *(flare(name, writes=name) for name in ("d", "b", "c", "a")))
    assert order(graph) == ["d", "b", "c", "a"]


def test_order_of_a_selection_respects_what_is_in_between(tmp_path):
    graph = graph_of(
        tmp_path, flare("last", reads="b"), flare("middle", reads="a", writes="b"), flare("first", writes="a")
    )
    assert graph.order(["public/wf/last", "public/wf/first"]) == ("public/wf/first", "public/wf/last")


def test_the_first_job_that_writes_a_dataset_owns_it(tmp_path):
    graph = graph_of(
        tmp_path, flare("one", writes=["t", "u"]), flare("two", writes=["t", "v"]), flare("three", writes="t")
    )
    assert node(graph, "one").keys == (("lakehouse", "shop", "t"), ("lakehouse", "shop", "u"))
    assert node(graph, "two").keys == (("lakehouse", "shop", "v"),)
    assert [str(address) for address in node(graph, "two").reported] == ["dataos://lakehouse:shop/t"]
    assert node(graph, "three").keys == (("public", "wf", "three"),)
    assert codes(graph) == ["several-writers", "several-writers"]


def test_a_reader_waits_for_all_writers(tmp_path):
    graph = graph_of(tmp_path, flare("report", reads="t"), flare("one", writes="t"), flare("two", writes="t"))
    assert edges(graph) == {("one", "report"), ("two", "report")}


def test_jobs_that_maintain_one_table_do_not_wait_for_each_other(tmp_path):
    upserts = [flare(f"upsert-{number}", reads=[f"s{number}", "t"], writes="t") for number in range(3)]
    graph = graph_of(tmp_path, *upserts)
    assert edges(graph) == {("upsert-0", "upsert-1"), ("upsert-0", "upsert-2")}
    assert "data-cycle" not in codes(graph)


def test_a_job_that_reads_and_writes_one_table_does_not_wait_for_itself(tmp_path):
    graph = graph_of(tmp_path, flare("upsert", reads="t", writes="t"))
    assert edges(graph) == set()
    [told] = graph.diagnostics
    assert (told.code, told.severity, told.file, told.line) == ("self-dependency", Severity.INFO, "wf.yaml", 6)


def test_a_circle_of_data_is_cut_at_the_last_edge_and_told(tmp_path):
    graph = graph_of(tmp_path, flare("a", reads="t2", writes="t1"), flare("b", reads="t1", writes="t2"))
    assert edges(graph) == {("b", "a")}
    assert [str(edge) for edge in node(graph, "b").cut] == [
        "public/wf/b after public/wf/a (reads dataos://lakehouse:shop/t1)"
    ]
    [told] = graph.diagnostics
    assert (told.code, told.severity) == ("data-cycle", Severity.WARNING)


def test_what_a_manifest_states_wins_over_what_data_implies(tmp_path):
    graph = graph_of(
        tmp_path, flare("a", reads="t2", writes="t1"), flare("b", reads="t3", writes="t2", dependencies=["a"])
    )
    assert edges(graph) == {("a", "b")}
    assert [edge.reason for edge in node(graph, "a").cut] == ["data"]


def test_a_job_that_is_not_run_is_passed_through(tmp_path):
    graph = graph_of(
        tmp_path,
        flare("load", writes="t"),
        other("register", dependencies=["load"]),
        flare("report", reads="elsewhere", dependencies=["register"]),
    )
    assert edges(graph) == {("load", "report")}
    assert not node(graph, "register").is_run
    assert codes(graph) == ["stack-not-run"]


def test_a_dry_run_writes_nothing_so_its_datasets_come_from_elsewhere(tmp_path):
    graph = graph_of(tmp_path, flare("load", writes="t", spec={"dryRun": True}), flare("report", reads="t"))
    load = node(graph, "load")
    assert (load.is_run, load.is_dry_run, load.writes, load.keys) == (True, True, (), (("public", "wf", "load"),))
    assert edges(graph) == set()


def test_an_error_inside_a_job_blocks_that_job_alone(tmp_path):
    dag = (flare("fine", writes="t"), flare("lost", reads="dataos://nowhere:shop/t", writes="u"))
    graph = graph_of(tmp_path, *dag)
    assert node(graph, "fine").blocked == ()
    [problem] = node(graph, "lost").blocked
    assert problem.code == "unknown-depot"


def test_errors_of_other_documents_of_the_file_block_nothing(tmp_path):
    lost = workflow("lost", flare("a", reads="dataos://nowhere:shop/t", writes="u"))
    graph = build_graph(read_project(tmp_path, {"both.yaml": [workflow("wf", flare("a", writes="t")), lost]}))
    assert [bool(node.blocked) for node in graph.nodes.values()] == [False, True]


def test_ancestors_and_descendants_are_everything_on_the_way(tmp_path):
    graph = graph_of(
        tmp_path, flare("c", reads="b", writes="c"), flare("b", reads="a", writes="b"), flare("a", writes="a")
    )
    assert graph.ancestors(["public/wf/c"]) == {"public/wf/a", "public/wf/b"}
    assert graph.descendants(["public/wf/a"]) == {"public/wf/b", "public/wf/c"}


@pytest.mark.parametrize("shape", ["chain", "one table"])
def test_cost_grows_with_the_number_of_jobs_and_not_with_its_square(tmp_path, shape):
    def cost(count):
        if shape == "chain":
            dag = [flare(f"j{n}", reads=f"t{n}", writes=f"t{n + 1}") for n in range(count)]
        else:
            dag = [flare(f"j{n}", reads=[f"s{n}", "t"], writes="t") for n in range(count)]
        project = read_project(tmp_path / f"{count}", {"wf.yaml": workflow("wf", *dag)})
        return lines_run(lambda: build_graph(project))

    cost(2)  # imports
    assert cost(800) < 5 * cost(200)
