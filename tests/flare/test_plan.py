"""Plans: everything is decided before data is touched, and said why."""

from __future__ import annotations

import os
import re

import pytest

from dataos_dagster.depots.requests import Merge, PartitionField, Sort, SortColumn
from dataos_dagster.engines.configuration import memory_bytes
from dataos_dagster.errors import EngineUnavailable, StepError
from dataos_dagster.flare.manifest import FlareSpec
from dataos_dagster.flare.sizing import sizing_of

COPY = """
    inputs:
      - {{name: orders, dataset: dataos://lakehouse:sales/orders}}
    outputs:
      - name: orders
        dataset: dataos://lakehouse:sales/copy?acl=rw
        format: Iceberg
        options: {options}
    """


def write_request(project, options):
    [output] = project.plan(COPY.format(options=options)).outputs
    return output.request


def test_a_plan_needs_no_data_and_starts_no_engine(sail_project):
    plan = sail_project.plan(COPY.format(options="{saveMode: Append}"))
    assert plan.engine == "sail"
    assert [planned.dataset for planned in plan.inputs] == ["dataos://lakehouse:sales/orders"]
    assert plan.as_json()["outputs"] == [
        {
            "view": "orders",
            "dataset": "dataos://lakehouse:sales/copy",
            "mode": "append",
            "format": "iceberg",
            "options": {},
        }
    ]
    assert "write  orders → dataos://lakehouse:sales/copy (append)" in plan.as_text()


def test_options_of_an_output_become_one_request(sail_project):
    request = write_request(
        sail_project,
        """
          saveMode: overwrite
          compressionType: snappy
          sort: {mode: global, columns: [{name: at}, {name: id, order: DESC}]}
          extraOptions: {branch: main, fanout-enabled: true}
          iceberg:
            properties: {write.format.default: parquet, overwrite-mode: dynamic, history.expire.max-snapshot-age-ms: 7}
            partitionSpec:
              - {type: months, column: at, name: at_month}
              - {type: bucket, column: id, numBuckets: 8}
              - {type: truncate, column: name, width: 3}
        """,
    )
    assert (request.mode, request.compression, request.dynamic_overwrite, request.branch) == (
        "overwrite",
        "snappy",
        True,
        None,
    )
    assert request.properties == {"write.format.default": "parquet", "history.expire.max-snapshot-age-ms": "7"}
    assert request.options == {"fanout-enabled": "true"}
    assert request.sort == Sort("global", (SortColumn("at"), SortColumn("id", descending=True)))
    assert request.partition_spec == (
        PartitionField("month", "at", "at_month"),
        PartitionField("bucket", "id", None, 8),
        PartitionField("truncate", "name", None, 3),
    )


def test_a_merge_speaks_of_old_and_new_whatever_it_is_written_with(sail_project):
    request = write_request(
        sail_project,
        """
          iceberg:
            merge:
              onClause: target.id = source.id AND target.x <> 'source.y'
              whenClause: matched then update set target.x = source.x
        """,
    )
    assert request.merge == Merge("old.id = new.id AND old.x <> 'source.y'", "matched then update set old.x = new.x")


MERGE = """
          iceberg:
            merge:
              onClause: {on}
              whenClause: {when}
        """


@pytest.mark.parametrize(
    ("on", "when", "message"),
    [
        ("old.id IN (SELECT id FROM parquet.`/etc/x`)", "matched then delete", "'parquet./etc/x' is another relation"),
        ("old.id = new.id", "matched and exists (select 1 from orders) then delete", "'orders' is another relation"),
        ("old.id = new.id", "matched and new.n = (select max(n) from old) then delete", "'old' is another relation"),
        ("old.id = new.id", "matched then update set n = reflect('a', 'b')", "reflect calls Java"),
        ("old.id = new.id", "matched then delete; drop table x", "statements"),
        ("old.id = = new.id", "matched then delete", "does not parse"),
    ],
)
def test_a_merge_reads_its_two_sides_and_nothing_else(sail_project, on, when, message):
    with pytest.raises(StepError, match=re.escape(message)) as caught:
        write_request(sail_project, MERGE.format(on=f'"{on}"', when=f'"{when}"'))
    assert caught.value.location is not None


def test_the_engine_is_chosen_for_a_merges_clauses_too(sail_project):
    clauses = MERGE.format(on="old.id = new.id", when="matched then update set name = initcap(new.name)")
    [output] = sail_project.plan(COPY.format(options=clauses)).outputs
    assert "initcap/1" in [construct.name for construct in output.constructs]
    assert [construct for construct in output.constructs if construct.name.endswith("syntax")] == []
    assert "initcap/1" in sail_project.plan(COPY.format(options=clauses)).route.warning


def test_a_partition_spec_outside_of_iceberg_is_applied_only_when_the_project_says_so(sail_project):
    options = "{partitionSpec: [{type: day, column: at}]}"
    assert write_request(sail_project, options).partition_spec == ()
    sail_project.write("dataos.yaml", "flare: {honour_options_partition_spec: true}\n")
    assert write_request(sail_project, options).partition_spec == (PartitionField("day", "at"),)


def test_the_projects_save_mode_holds_where_a_manifest_gives_none(sail_project):
    sail_project.write("dataos.yaml", "flare: {default_save_mode: append}\n")
    assert write_request(sail_project, "{}").mode == "append"


STANDALONE = """
    inputs:
      - name: orders
        inputType: file
        file: {path: /data/orders, format: csv, schemaString: "id int, at timestamp", options: {delimiter: ;}}
      - name: table
        inputType: file
        file: {warehousePath: /warehouse, schemaName: sales, tableName: orders, format: iceberg}
    outputs:
      - name: orders
        outputType: file
        file: {path: /out, format: parquet, options: {saveMode: append, partitionBy: [at], maxRecordsPerFile: 9}}
    """


def test_standalone_sections_become_requests_like_any_other(sail_project):
    plan = sail_project.plan(STANDALONE)
    orders, table = plan.inputs
    assert (orders.request.target.path, orders.request.format, orders.request.options) == (
        "/data/orders",
        "csv",
        {"delimiter": ";"},
    )
    assert (orders.request.schema.language, orders.request.schema.text) == ("ddl", "id int, at timestamp")
    assert (table.request.target.warehouse, table.request.target.namespace, table.request.target.table) == (
        "/warehouse",
        "sales",
        "orders",
    )
    request = plan.outputs[0].request
    assert (request.target.path, request.mode, request.partition_by) == ("/out", "append", ("at",))
    assert request.options == {"maxRecordsPerFile": "9"}


def test_absolute_paths_of_standalone_jobs_can_be_put_below_a_folder(sail_project):
    sail_project.write("dataos.yaml", "flare: {data_root: ./mounted}\n")
    path = sail_project.plan(STANDALONE).inputs[0].request.target.path
    assert path == str(sail_project.folder / "mounted" / "data" / "orders")


@pytest.mark.parametrize(
    ("entry", "language"),
    [
        ("""schemaType: AVRO, schemaString: '{"type": "record", "name": "r", "fields": []}'""", "avro"),
        ("""schemaString: '{"type": "record", "name": "r", "fields": []}'""", "avro"),
        ("""schemaType: sparkJson, schemaString: '{"type": "struct", "fields": []}'""", "spark"),
        ("""schemaString: '{"type": "struct", "fields": []}'""", "spark"),
        ("schemaType: sparkJson, schemaString: 'id INT, name STRING'", "ddl"),
    ],
)
def test_the_text_of_a_schema_says_its_language(sail_project, entry, language):
    plan = sail_project.plan(f"inputs: [{{name: a, dataset: dataos://lakehouse:x/a.csv, format: csv, {entry}}}]")
    assert plan.inputs[0].request.schema.language == language


def test_sizes_and_properties_reach_the_session_in_their_order(sail_project):
    extra = {
        "driver": {"memory": "1600Mi", "cores": 1},
        "executor": {"cores": 64, "instances": 2, "memory": "2g"},
        "sparkConf": [
            {"spark.sql.shuffle.partitions": 4},
            {"spark.sql.shuffle.partitions": 8},
            {"spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension"},
            {"spark.hadoop.fs.s3a.secret.key": "verysecret"},
        ],
    }
    sail_project.engine = "spark"
    configuration = sail_project.plan(COPY.format(options="{}"), extra=extra).configuration
    conf = dict(configuration.conf)
    assert conf["spark.sql.shuffle.partitions"] == "8"
    assert set(conf["spark.sql.extensions"].split(",")) == {
        "io.delta.sql.DeltaSparkSessionExtension",
        "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    }
    assert configuration.driver_memory == "2048m"
    assert configuration.driver_cores is not None
    assert "spark.executor.memory" not in conf
    assert dict(configuration.secret_conf)["spark.hadoop.fs.s3a.secret.key"].get_secret_value() == "verysecret"
    assert "verysecret" not in repr(configuration)


@pytest.mark.parametrize(
    ("driver", "executor", "spark_conf", "heap"),
    [
        ("1600Mi", "512m", {}, "1600m"),
        ("1000m", "1500m", {}, "1500m"),
        ("1000m", None, {"spark.executor.memory": "1200m"}, "1200m"),
        ("1000m", "1500m", {"spark.driver.memory": "1800m"}, "1800m"),
        # No less than a Spark of which no size is asked.
        (None, "1000m", {}, None),
        (None, None, {}, None),
    ],
)
def test_a_local_spark_has_the_larger_heap_of_driver_and_executor(driver, executor, spark_conf, heap):
    assert _sized(driver, executor, spark_conf).heap == heap
    assert _sized(driver, executor, spark_conf, master="spark://host:7077").heap == (
        spark_conf.get("spark.driver.memory") or (driver and driver.lower().removesuffix("i"))
    )


def test_a_local_spark_is_no_larger_than_the_machine_unless_the_driver_is():
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    heap = _sized("1g", "4000g", {}).heap
    assert memory_bytes(heap) == pytest.approx(machine * 3 / 4, abs=1 << 20)
    assert _sized("4001g", "4000g", {}).heap == "4001g"


def test_a_size_in_spark_conf_that_is_none_is_told():
    with pytest.raises(EngineUnavailable, match=r"spark\.executor\.memory to 'plenty'"):
        _sized("1g", None, {"spark.executor.memory": "plenty"})


def _sized(driver, executor, spark_conf, *, master="local[*]"):
    spec = {
        "driver": {"memory": driver},
        "executor": {"memory": executor},
        "sparkConf": [spark_conf],
        "job": {"inputs": [{"name": "a", "dataset": "dataos://lakehouse:a/b"}]},
    }
    return sizing_of(FlareSpec.model_validate(spec), master=master, project_conf={})


def test_on_a_cluster_executors_are_sized(sail_project):
    sail_project.write("dataos.yaml", "engines: {spark: {master: 'spark://host:7077'}}\n")
    sail_project.engine = "spark"
    extra = {"executor": {"cores": 2, "instances": 3, "memory": "2048", "coreLimit": "1200m"}}
    conf = dict(sail_project.plan(COPY.format(options="{}"), extra=extra).configuration.conf)
    assert {key: conf[key] for key in conf if "executor" in key} == {
        "spark.executor.cores": "2",
        "spark.executor.instances": "3",
        "spark.executor.memory": "2048m",
        "spark.kubernetes.executor.limit.cores": "1200m",
    }


@pytest.mark.parametrize(
    ("key", "value", "vetoed"),
    [
        ("spark.sql.legacy.timeParserPolicy", "LEGACY", True),
        ("spark.sql.session.timeZone", "Asia/Kolkata", True),
        ("spark.sql.ansi.enabled", "true", True),
        ("spark.sql.ansi.enabled", "false", False),
        ("spark.sql.session.timeZone", "UTC", False),
        ("spark.sql.shuffle.partitions", "8", False),
    ],
)
def test_properties_that_change_meaning_keep_a_job_from_sail(key, value, vetoed):
    spec = FlareSpec.model_validate(
        {"sparkConf": [{key: value}], "job": {"inputs": [{"name": "a", "dataset": "dataos://lakehouse:a/b"}]}}
    )
    assert bool(sizing_of(spec, master="local[*]", project_conf={}).vetoes.get("sail")) is vetoed
    bare = spec.model_copy(update={"spark_conf": {}})
    told = sizing_of(bare, master="local[*]", project_conf={key: value}).vetoes.get("sail", ())
    assert [reason.startswith("engines.spark.conf of dataos.yaml") for reason in told] == [True] * vetoed


def test_a_manifest_may_take_back_what_the_project_sets(sail_project):
    sail_project.write("dataos.yaml", "engines: {spark: {conf: {spark.sql.ansi.enabled: 'true'}}}\n")
    with pytest.raises(EngineUnavailable, match=r"engines\.spark\.conf of dataos\.yaml sets spark\.sql\.ansi\.enabled"):
        sail_project.plan(COPY.format(options="{}"))
    extra = {"sparkConf": [{"spark.sql.ansi.enabled": "false"}]}
    assert sail_project.plan(COPY.format(options="{}"), extra=extra).engine == "sail"
