"""Every manifest of docs/maintenance.md runs, on a table of three small commits, and says what stands below it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

PAGE = Path(__file__).parents[3] / "docs" / "maintenance.md"
_BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
ORDERS, REQUESTS = "dataos://lakehouse:shop/orders", "dataos://lakehouse:shop/requests"


def blocks(language):
    return [found["text"] for found in _BLOCK.finditer(PAGE.read_text("utf-8")) if found["language"] == language]


def test_every_manifest_of_the_page_says_what_stands_below_it(spark_lake):
    jobs = spark_lake.jobs
    order = "SELECT {0}L AS id, concat('c', {0}) AS customer"  # one row, so one file a commit
    for number in range(3):
        spark_lake.write(order.format(number), "append" if number else "overwrite", ORDERS)
    jobs.seed(REQUESTS, "SELECT * FROM VALUES ('c1', true), ('c2', false) AS r(customer, granted)")
    tidy, compact, forget = blocks("yaml")

    jobs.write("maintenance.yaml", tidy)
    [outcome] = jobs.run("look-after-orders").outcomes
    assert outcome.error is None, outcome.error
    said = [f"{action.name}: {action.summary}" for action in outcome.result.actions]
    [expected] = blocks("text")
    for line, told in zip(expected.splitlines(), said, strict=True):
        assert told.startswith(line)

    [done] = jobs.run_job(compact).actions
    assert done.counts["data_files_added"] == 1

    jobs.write("delete.yaml", forget)
    [outcome] = jobs.run("forget-customers").outcomes
    assert outcome.error is None, outcome.error
    assert jobs.table(ORDERS)[1] == [(0, "c0"), (2, "c2")]


def test_the_page_names_every_action_and_every_option():
    from dataos_dagster.flare.manifest.actions import OPTIONS
    from dataos_dagster.manifests.fields import keys_of

    page = PAGE.read_text("utf-8")
    for name, model in OPTIONS.items():
        assert f"`{name}`" in page
        for key in keys_of(model):
            assert f"`{key}`" in page, f"{name}: {key}"


def test_the_schedule_of_the_page_is_one():
    assert yaml.safe_load(blocks("yaml")[0])["workflow"]["schedule"]["cron"] == "0 3 * * 0"
