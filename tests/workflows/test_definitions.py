"""How jobs appear in Dagster."""

from __future__ import annotations

import dagster as dg
import pytest
from manifest_builder import file_depot, flare, other, workflow, write_project

from dataos_dagster import JobTranslator, load_definitions


def key(*path: str) -> dg.AssetKey:
    return dg.AssetKey(list(path))


def table(name: str) -> dg.AssetKey:
    return key("lakehouse", "shop", name)


def load(folder, *dag, settings: str = "", **envelope):
    """Load a project whose workflow `wf` stands in `wf.yaml`."""
    write_project(folder, {"wf.yaml": workflow("wf", *dag, **envelope), "dataos.yaml": settings or "{}"})
    definitions = load_definitions(folder)
    dg.Definitions.validate_loadable(definitions)
    return definitions


def specs(definitions) -> dict[dg.AssetKey, dg.AssetSpec]:
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def executable(definitions) -> set[dg.AssetKey]:
    return set(definitions.get_repository_def().asset_graph.executable_asset_keys)


def parents(definitions, asset: dg.AssetKey) -> set[dg.AssetKey]:
    return set(definitions.get_repository_def().asset_graph.get(asset).parent_keys)


def test_a_dataset_is_an_asset_named_by_depot_collection_and_dataset(tmp_path):
    definitions = load(tmp_path, flare("load", reads="raw", writes=["clean", "dataos://lakehouse:shop/a/b"]))
    assert executable(definitions) == {table("clean"), key("lakehouse", "shop", "a", "b")}
    assert set(specs(definitions)) - executable(definitions) == {table("raw")}


def test_one_job_is_one_op_however_many_datasets_it_writes(tmp_path):
    definitions = load(tmp_path, flare("load", writes=["a", "b", "c"]))
    [op] = definitions.get_repository_def().get_job("__ASSET_JOB").nodes
    assert op.name == "public__wf__load"


def test_an_asset_says_what_its_manifest_says(tmp_path):
    entry = flare("load", reads="raw", writes="clean", description="The clean rows.", tags=["Tier.Gold", "a:b c"])
    settings = "owners: {mira: mira@example.com}"
    definitions = load(tmp_path, entry, owner="mira", tags=["sales"], workspace="trade", settings=settings)
    spec = specs(definitions)[table("clean")]
    assert spec.description == "The clean rows."
    assert spec.group_name == "trade/wf"
    assert spec.owners == ["mira@example.com"]
    assert spec.kinds == {"flare", "iceberg"}
    assert {"sales", "Tier.Gold"} <= spec.tags.keys()
    assert spec.metadata["dataos/tags"] == ["sales", "Tier.Gold", "a:b c"]
    assert spec.metadata["dataos/job"] == "trade/wf/load"
    assert spec.metadata["dataos/address"] == "dataos://lakehouse:shop/clean"


def test_words_on_an_output_win_over_those_on_the_job(tmp_path):
    entry = flare("load", writes="clean", description="The job.")
    [output] = entry["spec"]["stackSpec"]["job"]["outputs"]
    output |= {"title": "Clean", "description": "The table.", "tags": ["PII.Email"]}
    spec = specs(load(tmp_path, entry))[table("clean")]
    assert spec.description == "The table."
    assert "PII.Email" in spec.tags


def test_an_asset_leads_to_the_line_of_its_job(tmp_path):
    definitions = load(tmp_path, flare("first", writes="a"), flare("second", writes="b"))
    [reference] = specs(definitions)[table("b")].metadata["dagster/code_references"].code_references
    lines = (tmp_path / "wf.yaml").read_text().splitlines()
    assert reference.file_path == str(tmp_path / "wf.yaml")
    assert lines[reference.line_number - 1] == "  - name: second"


def test_a_job_that_writes_nothing_is_an_asset_itself(tmp_path):
    definitions = load(tmp_path, flare("look", reads="raw"))
    assert executable(definitions) == {key("public", "wf", "look")}
    assert parents(definitions, key("public", "wf", "look")) == {table("raw")}


def test_stated_dependencies_join_assets_that_share_no_data(tmp_path):
    definitions = load(
        tmp_path, flare("load", writes=["a", "b"]), flare("after", reads="x", writes="c", dependencies=["load"])
    )
    assert parents(definitions, table("c")) == {table("x"), table("a")}


def test_stated_dependencies_add_nothing_where_data_joins_already(tmp_path):
    definitions = load(
        tmp_path, flare("load", writes=["a", "b"]), flare("after", reads="b", writes="c", dependencies=["load"])
    )
    assert parents(definitions, table("c")) == {table("b")}


def test_a_second_writer_is_an_asset_itself_and_says_what_it_writes(tmp_path):
    definitions = load(
        tmp_path, flare("one", writes="t"), flare("two", writes="t"), flare("report", reads="t", writes="r")
    )
    second = key("public", "wf", "two")
    assert executable(definitions) == {table("t"), second, table("r")}
    assert specs(definitions)[second].metadata["dataos/also_writes"] == ["dataos://lakehouse:shop/t"]
    assert parents(definitions, table("r")) == {table("t"), second}


def test_a_job_that_reads_and_writes_one_table_loads(tmp_path):
    definitions = load(tmp_path, flare("upsert", reads=["new", "t"], writes="t"))
    assert parents(definitions, table("t")) == {table("new")}


def test_a_circle_is_cut_and_the_asset_says_where(tmp_path):
    definitions = load(tmp_path, flare("a", reads="t2", writes="t1"), flare("b", reads="t1", writes="t2"))
    assert parents(definitions, table("t1")) == {table("t2")}
    assert parents(definitions, table("t2")) == set()
    [cut] = specs(definitions)[table("t2")].metadata["dataos/cut_dependencies"]
    assert "public/wf/b after public/wf/a" in cut


def test_a_job_that_is_not_run_is_shown_and_nothing_waits_for_it(tmp_path):
    definitions = load(
        tmp_path,
        flare("load", writes="t"),
        other("register", dependencies=["load"]),
        flare("report", reads="x", writes="r", dependencies=["register"]),
    )
    shown = specs(definitions)[key("public", "wf", "register")]
    assert shown.key not in executable(definitions)
    assert shown.description.startswith("Not run: jobs of the stack toolbox")
    assert parents(definitions, table("r")) == {table("x"), table("t")}


def test_a_job_with_an_unknown_depot_stays_visible_with_the_problem(tmp_path):
    definitions = load(tmp_path, flare("lost", reads="dataos://nowhere:shop/t", writes="u"))
    assert table("u") in executable(definitions)
    assert "nowhere" in specs(definitions)[table("u")].metadata["dataos/problems"].value


@pytest.mark.parametrize("depot", ["lakehouse", "icebase"])
def test_a_depot_gives_its_pool_to_the_op_by_either_of_its_names(tmp_path, depot):
    definitions = load(tmp_path, flare("load", writes="t"), settings=f"depots: {{{depot}: {{pool: warehouse}}}}")
    assert definitions.get_assets_def(table("t")).op.pool == "warehouse"


def test_a_compute_gives_its_tags_and_its_pool_to_the_op(tmp_path):
    settings = "computes: {big: {tags: {team/size: large}, pool: heavy}}"
    definitions = load(tmp_path, flare("load", writes="t", spec={"compute": "big"}), settings=settings)
    op = definitions.get_assets_def(table("t")).op
    assert op.tags["team/size"] == "large"
    assert op.pool == "heavy"


@pytest.mark.parametrize(
    ("retry", "policy"),
    [
        (None, None),
        ({"count": 2, "strategy": "OnFailure", "duration": "10s"}, dg.RetryPolicy(max_retries=2, delay=10)),
        ({"count": 2, "strategy": "OnError"}, None),
    ],
)
def test_retry_becomes_a_policy_of_the_op(tmp_path, retry, policy):
    definitions = load(tmp_path, flare("load", writes="t", **({"retry": retry} if retry else {})))
    assert definitions.get_assets_def(table("t")).op.retry_policy == policy


def test_depots_are_resources_that_carry_names_only(tmp_path):
    write_project(tmp_path, {"depot.yaml": file_depot("shopfiles", "data")})
    definitions = load(tmp_path, flare("load", reads="dataos://shopfiles:none/a.csv", writes="t"))
    depot = definitions.resources["depot__shopfiles"]
    assert depot.model_dump() == {"depot": "shopfiles", "project": str(tmp_path)}
    assert "depot__lakehouse" in definitions.resources
    assert {"depot__shopfiles", "depot__lakehouse"} < definitions.get_assets_def(table("t")).required_resource_keys


def test_a_translator_changes_how_assets_look(tmp_path):
    class Loud(JobTranslator):
        def get_asset_spec(self, node, address, deps):
            return super().get_asset_spec(node, address, deps).replace_attributes(description=node.job.label.upper())

    write_project(tmp_path, {"wf.yaml": workflow("wf", flare("load", writes="t"))})
    definitions = load_definitions(tmp_path, translator=Loud)
    assert specs(definitions)[table("t")].description == "WF/LOAD"
