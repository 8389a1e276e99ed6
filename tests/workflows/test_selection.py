"""Selecting jobs by name, by address, and with what is around them."""

from __future__ import annotations

import pytest
from manifest_builder import flare, read_project, workflow

from dataos_dagster.errors import AddressError, SelectionError
from dataos_dagster.workflows.building import build_graph
from dataos_dagster.workflows.selection import select


@pytest.fixture
def graph(tmp_path):
    """raw → load → clean → report; a second workflow reads `clean` as well."""
    files = {
        "a.yaml": workflow(
            "daily",
            flare("load", reads="raw", writes="loaded"),
            flare("clean", reads="loaded", writes="clean"),
            flare("report", reads="clean", writes="report"),
        ),
        "b.yaml": workflow("weekly", flare("clean", reads="clean", writes="weekly"), workspace="sales"),
    }
    return build_graph(read_project(tmp_path, files))


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("daily", ["daily/load", "daily/clean", "daily/report"]),
        ("daily/clean", ["daily/clean"]),
        ("sales/weekly/clean", ["weekly/clean"]),
        ("+daily/clean", ["daily/load", "daily/clean"]),
        ("daily/clean+", ["daily/clean", "daily/report", "weekly/clean"]),
        ("+daily/clean+", ["daily/load", "daily/clean", "daily/report", "weekly/clean"]),
        ("dataos://lakehouse:shop/clean", ["daily/clean"]),
        ("+dataos://icebase:shop/clean", ["daily/load", "daily/clean"]),
        ("dataos://lakehouse:shop/raw+", ["daily/load", "daily/clean", "daily/report", "weekly/clean"]),
    ],
)
def test_an_expression_means_these_jobs(graph, expression, labels):
    assert [graph.nodes[job_id].job.label for job_id in select(graph, [expression])] == labels


def test_several_expressions_are_taken_together_in_running_order(graph):
    chosen = select(graph, ["weekly", "daily/load"])
    assert chosen == ("public/daily/load", "sales/weekly/clean")


def test_no_expression_takes_all(graph):
    assert select(graph, []) == graph.order()


def test_a_name_that_means_nothing_names_its_neighbours(graph):
    with pytest.raises(SelectionError, match="'daily/claen' selects no job") as caught:
        select(graph, ["daily/claen"])
    assert "daily/clean" in caught.value.hint


def test_an_address_that_is_only_read_says_how_to_select_its_readers(graph):
    with pytest.raises(SelectionError, match="no job writes") as caught:
        select(graph, ["dataos://lakehouse:shop/raw"])
    assert caught.value.hint == "'dataos://lakehouse:shop/raw+' selects the jobs that read it"


def test_a_text_that_begins_like_an_address_is_read_as_one(graph):
    with pytest.raises(AddressError, match="expected ':'"):
        select(graph, ["dataos://lakehouse/clean"])
