"""What someone sees who opens the flights product in Dagster: the graph, a dataset with its numbers, a broken manifest."""

import re
import time

import pytest
from playwright.sync_api import expect

FLIGHTS = "/assets/lakehouse/flights/flights"
DATASETS = (
    "airlines",
    "airports",
    "planes",
    "weather",
    "flights",
    "carrier_delays_daily",
    "route_performance",
    "weather_delays",
)
BROKEN = "/assets/dataos_manifests/workflows/night-report.yaml"
BLOCKED = "/assets/lakehouse/shop/sales"
SECONDS_TO_RUN = 180

LAUNCH = """
mutation ($assets: [AssetKeyInput!]!) {
  launchPipelineExecution(executionParams: {
    selector: {
      repositoryLocationName: "flights", repositoryName: "__repository__", pipelineName: "__ASSET_JOB",
      assetSelection: $assets
    },
    mode: "default", runConfigData: {}
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
TARGETS = """
query ($schedule: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $schedule) { ... on Schedule { assetSelection { assetKeys { path } } } }
}
"""
STATUS = "query ($run: ID!) {runOrError(runId: $run) {... on Run {status}}}"


# The page asks for each asset's state after it has drawn the graph; its own default is five seconds.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def materialized(deployment) -> None:
    """Materialize the whole product through the running deployment, as the button does."""
    keys = [{"path": ["lakehouse", "flights", dataset]} for dataset in DATASETS]
    launched = deployment.graphql(LAUNCH, assets=keys)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]
    deadline = time.monotonic() + SECONDS_TO_RUN
    while (status := deployment.graphql(STATUS, run=run)["runOrError"]["status"]) not in {"SUCCESS", "FAILURE"}:
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.5)
    assert status == "SUCCESS", deployment.log.read_text()


@pytest.mark.usefixtures("materialized")
def test_the_graph_joins_files_tables_and_products(page, picture):
    page.goto("/assets/lakehouse/flights/carrier_delays_daily?view=lineage&lineageScope=upstream&lineageDepth=5")
    graph = page.locator("svg").filter(has_text="carrier_delays_daily")
    for dataset in ("carrier_delays_daily", "flights", "airlines", "airlines.csv", "flights.csv"):
        expect(graph.get_by_text(dataset, exact=True).first).to_be_visible()
    expect(graph.get_by_text("Materialized").first).to_be_visible()
    picture("lineage")


def test_the_whole_product_is_one_group_a_workflow(page):
    page.goto("/asset-groups")
    for group in ("aviation", "nycfiles", "dataos_manifests"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()


@pytest.mark.usefixtures("materialized")
def test_a_materialized_dataset_shows_its_rows_and_its_engine(page, picture):
    page.goto(FLIGHTS)
    body = page.locator("body")
    expect(body).to_contain_text(re.compile(r"Row count\s*336,?776"))
    expect(body).to_contain_text("sail")
    expect(body).to_contain_text("Domain.Aviation")
    picture("dataset")


@pytest.mark.usefixtures("materialized")
def test_a_materialized_dataset_shows_its_columns(page):
    page.goto(f"{FLIGHTS}?view=overview")
    for column in ("dep_delay", "time_hour"):
        expect(page.get_by_text(column, exact=True).first).to_be_visible()


def test_a_dataset_leads_to_the_line_of_its_manifest(page):
    page.goto(FLIGHTS)
    expect(page.get_by_text("flights-ingest/load-flights").first).to_be_visible()
    link = page.locator("a[href*='ingest.yaml']").first
    expect(link).to_have_attribute("href", re.compile(r"workflows/ingest\.yaml:\d+"))


def test_a_broken_manifest_says_what_is_wrong_and_the_rest_works(page, picture):
    page.goto(BROKEN)
    body = page.locator("body")
    expect(body).to_contain_text("night-report.yaml:5:20")
    expect(body).to_contain_text("a cron has five fields, this one has 4")
    picture("quarantine")
    page.goto("/assets")
    expect(page.locator("a[href='/assets/lakehouse/flights/carrier_delays_daily']").first).to_be_visible()


def test_a_job_that_cannot_run_says_so_at_its_dataset(page, picture):
    page.goto(BLOCKED)
    body = page.locator("body")
    expect(body).to_contain_text("there is no depot")
    expect(body).to_contain_text("lost-report.yaml:12")
    picture("blocked")
    page.goto(f"{BLOCKED}?view=checks")
    expect(page.get_by_text("manifest_is_valid").first).to_be_visible()
    # The sensor reports the failure within its first half minute.
    expect(body).to_contain_text("Failed", timeout=60_000)
    picture("blocked_check")


def test_schedules_of_the_manifests_wait_to_be_started(page, deployment):
    named = {"repositoryLocationName": "flights", "repositoryName": "__repository__"}
    asked = deployment.graphql(TARGETS, schedule=named | {"scheduleName": "aviation__flights_ingest"})
    targets = {"/".join(key["path"]) for key in asked["scheduleOrError"]["assetSelection"]["assetKeys"]}
    assert FLIGHTS.removeprefix("/assets/") in targets
    assert "lakehouse/flights/route_performance" not in targets
    page.goto("/automation")
    for schedule in ("aviation__flights_ingest", "aviation__flights_delays"):
        expect(page.get_by_text(schedule, exact=True)).to_be_visible()
    expect(page.get_by_text("05:00 AM")).to_be_visible()


def test_a_manifest_that_is_added_appears_by_itself(deployment):
    """Last here: the deployment is another one afterwards."""
    ingest = (deployment.folder / "definitions" / "flights" / "workflows" / "ingest.yaml").read_text()
    head, _, jobs = ingest.partition("  dag:\n")
    first = (
        jobs.partition("\n\n")[0]
        .replace("load-airlines", "copy-airlines")
        .replace("flights/airlines", "flights/copied")
    )
    text = head.replace("flights-ingest", "flights-copy") + "  dag:\n" + first + "\n"
    (deployment.folder / "definitions" / "flights" / "workflows" / "copy.yaml").write_text(text)
    query = "{assetNodes {assetKey {path}}}"
    deadline = time.monotonic() + SECONDS_TO_RUN
    added = ["lakehouse", "flights", "copied"]
    while added not in [node["assetKey"]["path"] for node in deployment.graphql(query)["assetNodes"]]:
        assert time.monotonic() < deadline, deployment.log.read_text()
        time.sleep(0.5)
    # It is said when the reload has ended, which may be after its result is seen.
    while "copy.yaml changed: definitions loaded again" not in deployment.log.read_text():
        assert time.monotonic() < deadline, deployment.log.read_text()
        time.sleep(0.5)
