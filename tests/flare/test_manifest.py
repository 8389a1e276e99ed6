"""Flare jobs as they are written: every old or misplaced form becomes the present one, with one warning each."""

from __future__ import annotations

from textwrap import indent

import pytest

from dataos_dagster.flare.manifest import parse_test, spark_memory

HEAD = """
name: wf
version: v1
type: workflow
workflow:
  dag:
    - name: load
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
"""
# The line of the first line of a spec in the file.
FIRST = 12
INPUT = "{name: orders, dataset: dataos://lakehouse:retail/orders}"
OUTPUT = "{name: orders, dataset: dataos://lakehouse:retail/copy}"


def manifest(spec: str) -> str:
    return HEAD + indent(spec.strip("\n"), " " * 10)


def job(*, inputs=INPUT, outputs=OUTPUT, rest=""):
    return manifest(f"job:\n  inputs:\n    - {inputs}\n  outputs:\n    - {outputs}\n{indent(rest, '  ')}")


@pytest.fixture
def read(project_of):
    """Return a function that gives the spec of a manifest, and its diagnostics."""

    def load(text, **options):
        project = project_of(text, **options)
        specs = [entry.spec.stack_spec for resource in project.resources for entry in resource.section.dag]
        return (specs[0] if specs else None), project.diagnostics

    return load


def codes(diagnostics):
    return [found.code for found in diagnostics]


def test_a_present_form_has_nothing_to_say(read):
    spec, found = read(
        manifest("""
driver: {coreLimit: 1200m, cores: 1, memory: 1024m}
executor: {coreLimit: 1200m, cores: 1, instances: 2, memory: 1600Mi}
sparkConf:
  - spark.sql.shuffle.partitions: 8
  - spark.sql.adaptive.enabled: true
  - spark.sql.shuffle.partitions: 4
job:
  explain: true
  logLevel: info
  showPreviewLines: 5
  inputs:
    - name: orders
      dataset: dataos://lakehouse:retail/orders
      format: Iceberg
      options: {branch: staging}
      incremental:
        context: all_orders
        sql: SELECT * FROM all_orders WHERE id > $|start|
        keys:
          - {name: start, sql: SELECT 0}
        state:
          - {key: start, value: start}
  steps:
    - sequence:
        - name: daily
          sql: SELECT * FROM orders
          doc: per day
          functions:
            - name: cleanse_column_names
            - {name: rename, column: a, asColumn: b}
          commands:
            - {name: persist, sequenceName: daily, mode: MEMORY_AND_DISK}
  outputs:
    - name: daily
      dataset: dataos://lakehouse:retail/daily?acl=rw
      format: Iceberg
      title: Daily
      tags: [Tier.Gold]
      options:
        saveMode: Append
        sort: {mode: partition, columns: [{name: day, order: DESC}]}
        iceberg:
          properties: {write.format.default: parquet, history.expire.max-snapshot-age-ms: 1}
          partitionSpec:
            - {type: day, column: ordered_at, name: ordered_day}
            - {type: bucket, column: id, numBuckets: 8}
            - {type: truncate, column: sku, width: 4}
      columnTags:
        - {columnRegex: "mail.*", tags: [PII.Email]}
      assertions:
        - {column: id, tests: ["missing_count == 0", "avg > 1.5"]}
  streaming: {triggerMode: availablenow, outputMode: replace}
  variables: {keepSystemColumns: "false"}
  profile: {level: basic, filters: [{type: expression, expression: a > 1}]}
  actions:
    - {name: rewrite_manifests, input: orders, options: {useCaching: true}}
""")
    )

    assert {each.code for each in found} <= {"no-effect"}
    assert spec.driver.spark_memory == "1024m"
    assert spec.executor.spark_memory == "1600m"
    assert spec.spark_conf == {"spark.sql.shuffle.partitions": "4", "spark.sql.adaptive.enabled": "true"}
    assert spec.job.log_level == "INFO"
    output = spec.job.outputs[0]
    assert (output.format, output.options.save_mode) == ("iceberg", "append")
    assert output.options.sort.columns[0].order == "desc"
    assert [field.type for field in output.options.iceberg.partition_spec] == ["day", "bucket", "truncate"]
    assert output.options.iceberg.properties["history.expire.max-snapshot-age-ms"] == "1"
    tests = [parse_test(text) for text in output.assertions[0].tests]
    assert tests == [("missing_count", "==", 0.0), ("avg", ">", 1.5)]
    assert spec.job.actions[0].name == "rewrite_manifest"
    assert spec.job.streaming.trigger_mode == "AvailableNow"
    assert spec.job.streaming.output_mode == "complete"
    assert spec.job.variables.keep_system_columns is False
    assert spec.job.steps[0].sequence[0].functions[1].parameters == {"column": "a", "asColumn": "b"}


def test_the_section_named_flare_is_the_stack_spec(read):
    spec, found = read(job().replace("stackSpec:", "flare:"))

    assert codes(found) == ["old-form"]
    assert (found[0].line, found[0].column) == (11, 9)
    assert spec.job.inputs[0].name == "orders"


def test_stack_spec_wins_over_the_section_named_flare(read):
    text = job() + "\n        flare: {job: {inputs: []}}"
    spec, found = read(text)

    assert codes(found) == ["old-form"]
    assert len(spec.job.inputs) == 1


def test_a_spec_beside_an_empty_spec_is_moved_into_it(read):
    text = (
        job().replace("      spec:\n", "      spec:\n").replace("        s", "      s").replace("        c", "      c")
    )
    spec, found = read(text)

    assert set(codes(found)) == {"misplaced-key"}
    assert spec.job.outputs[0].name == "orders"


def test_a_section_named_flare_beside_an_empty_spec_is_moved_into_it(read):
    text = job().replace("        s", "      s").replace("        c", "      c").replace("stackSpec:", "flare:")
    spec, found = read(text)

    assert set(codes(found)) == {"misplaced-key", "old-form"}
    assert spec.job.outputs[0].name == "orders"


def test_a_job_whose_parts_stand_in_the_stack_spec_is_moved_into_it(read):
    spec, found = read(manifest(f"job:\ninputs:\n  - {INPUT}\noutputs:\n  - {OUTPUT}"))

    assert codes(found) == ["misplaced-key", "misplaced-key"]
    assert [item.line for item in found] == [FIRST + 1, FIRST + 3]
    assert spec.job.inputs[0].name == "orders"


@pytest.mark.parametrize("spec", ["${{stack spec}}", "{job: '${{job}}'}"])
def test_a_template_may_leave_open_what_a_job_does(read, spec):
    text = HEAD.rstrip("\n").rstrip(":").rsplit("\n", 1)[0] + f"\n        stackSpec: {spec}\n"
    _, found = read(text, allow_placeholders=True)

    assert [item for item in found if item.severity == "error"] == []
    assert "placeholder" in codes(found)


SINGLE = {
    "inputs": f"job:\n  inputs: {INPUT}\n  outputs: [{OUTPUT}]",
    "outputs": f"job:\n  inputs: [{INPUT}]\n  outputs: {OUTPUT}",
    "steps": f"job:\n  inputs: [{INPUT}]\n  steps: {{sequence: [{{name: a, sqlfile: q}}, {{name: orders, sql: SELECT 1}}]}}",
    "sequence": f"job:\n  inputs: [{INPUT}]\n  steps: [{{sequence: {{name: a, sql: SELECT 1}}}}]",
    "functions": f"job:\n  inputs: [{INPUT}]\n  steps: [{{sequence: [{{name: a, sql: SELECT 1, functions: {{name: snake_case}}}}]}}]",
}


@pytest.mark.parametrize("key", SINGLE)
def test_one_item_may_stand_without_a_list(read, key):
    spec, found = read(manifest(SINGLE[key]), allow_placeholders=True)

    said = [(item.code, item.message) for item in found if item.code == "old-form"]
    assert said == [("old-form", f"`{key}` is a list: read as one with a single item")]
    assert spec.job.inputs[0].name == "orders"
    if key == "steps":
        # Old forms inside of it are found as well.
        assert [item.sql_file for item in spec.job.steps[0].sequence] == ["q", None]


def test_a_mapping_that_is_no_item_is_no_list(read):
    spec, found = read(manifest(f"job:\n  inputs: {{orders: {INPUT}}}"))

    assert spec is None
    assert [(item.code, item.hint) for item in found] == [("wrong-type", "write `- ` in front of each item")]


def test_a_function_may_be_its_name_only(read):
    calls = "[cleanse_column_names, {name: drop, columns: [a]}]"
    spec, found = read(
        manifest(
            f"job:\n  inputs: [{INPUT}]\n  steps: [{{sequence: [{{name: a, sql: SELECT 1, functions: {calls}}}]}}]"
        )
    )

    assert codes(found) == ["old-form"]
    assert [call.name for call in spec.job.steps[0].sequence[0].functions] == ["cleanse_column_names", "drop"]


def test_an_item_of_spark_conf_that_is_no_mapping_is_told_by_its_number(read):
    _, [wrong] = read(manifest(f"sparkConf: [{{a: 1}}, b=2]\njob: {{inputs: [{INPUT}]}}"))

    assert (wrong.code, wrong.message) == (
        "wrong-value",
        "`sparkConf`: item 2 is no mapping; write `- key: value`",
    )


SINKS = manifest("""
job:
  inputs:
    - {name: orders, dataset: dataos://lakehouse:retail/orders}
  steps:
    - sink:
        - sequenceName: daily
          datasetName: daily_orders
          outputName: lake
          outputType: Iceberg
          title: Daily
          tags: [Tier.Gold]
          outputOptions:
            saveMode: overwrite
            iceberg: {properties: {write.format.default: parquet}}
        - sequenceName: orders
          datasetName: copy
          outputName: shop
          outputType: JDBC
      sequence:
        - {name: daily, sql: SELECT 1}
  outputs:
    - {name: lake, depot: "dataos://lakehouse:retail?acl=rw"}
    - {name: plain, dataset: dataos://lakehouse:retail/plain}
    - {name: shop, depot: "dataos://icebase:shop", driver: org.postgresql.Driver}
""")


def test_each_sink_entry_becomes_an_output(read):
    spec, found = read(SINKS)

    assert codes(found) == ["old-form", "old-form", "unknown-view"]
    assert [item.line for item in found] == [17, 26, 34]
    assert [(output.name, output.dataset, output.format) for output in spec.job.outputs] == [
        ("plain", "dataos://lakehouse:retail/plain", None),
        ("daily", "dataos://lakehouse:retail/daily_orders?acl=rw", "iceberg"),
        ("orders", "dataos://icebase:shop/copy", "jdbc"),
    ]
    daily, copy = spec.job.outputs[1:]
    assert daily.title == "Daily"
    assert daily.options.iceberg.properties == {"write.format.default": "parquet"}
    assert copy.driver == "org.postgresql.Driver"


def test_values_of_a_sink_are_reported_where_they_were_written(read):
    _, found = read(SINKS.replace("saveMode: overwrite", "saveMode: replace"))

    [wrong] = [item for item in found if item.code == "wrong-value"]
    assert wrong.line == 24


def test_a_sink_of_an_unknown_output_is_refused(read):
    _, found = read(SINKS.replace("outputName: lake", "outputName: lke"))

    [wrong] = [item for item in found if item.code == "unknown-output"]
    assert (wrong.severity, wrong.line) == ("error", 19)
    assert "lake" in wrong.hint


def test_a_sink_may_name_an_output_whose_dataset_is_that_of_a_depot(read):
    spec, found = read(SINKS.replace("{name: lake, depot:", "{name: lake, dataset:"))

    assert codes(found) == ["old-form", "old-form", "unknown-view"]
    assert spec.job.outputs[1].dataset == "dataos://lakehouse:retail/daily_orders?acl=rw"


@pytest.mark.parametrize(
    "output",
    [
        "{name: lake, dataset: 'dataos://lakehouse:retail/daily?acl=rw'}",
        "{name: lake, dataset: 'dataos://lakehouse:retail?acl=rw', options: {saveMode: append}}",
    ],
)
def test_a_sink_takes_nothing_from_an_output_that_says_more_than_its_depot(read, output):
    _, found = read(SINKS.replace('{name: lake, depot: "dataos://lakehouse:retail?acl=rw"}', output))

    assert [item.line for item in found if item.code == "unknown-output"] == [19]


def test_what_an_old_output_says_holds_for_its_sinks_where_they_do_not_say_it(read):
    options = "{compressionType: gzip, saveMode: append, iceberg: {properties: {a: '1', write.format.default: orc}}}"
    lake = (
        f'{{name: lake, depot: "dataos://lakehouse:retail?acl=rw", title: Lake, description: all, options: {options}}}'
    )
    shop = "options: {saveMode: append}"
    spec, found = read(
        SINKS.replace('{name: lake, depot: "dataos://lakehouse:retail?acl=rw"}', lake).replace(
            "driver: org.postgresql.Driver", f"format: postgres, {shop}"
        )
    )

    assert codes(found) == ["old-form", "old-form", "unknown-view"]
    daily, copy = spec.job.outputs[1:]
    assert (daily.title, daily.description) == ("Daily", "all")
    assert (daily.options.save_mode, daily.options.compression_type) == ("overwrite", "gzip")
    assert daily.options.iceberg.properties == {"a": "1", "write.format.default": "parquet"}
    assert (copy.format, copy.options.save_mode) == ("jdbc", "append")


def test_what_is_wrong_with_an_old_output_is_told_once_at_its_place(read):
    wrong_mode = '{name: lake, depot: "dataos://lakehouse:retail?acl=rw", options: {saveMode: replace}}'
    sinks = SINKS.replace('{name: lake, depot: "dataos://lakehouse:retail?acl=rw"}', wrong_mode)
    _, found = read(sinks.replace("saveMode: overwrite", "").replace("outputName: shop", "outputName: lake"))

    [wrong] = [item for item in found if item.code == "wrong-value"]
    assert wrong.line == 33


def test_a_depot_without_sinks_is_the_address(read):
    spec, found = read(job(outputs="{name: orders, depot: 'dataos://lakehouse:retail?acl=rw'}"))

    assert codes(found) == ["old-form", "reads-what-it-writes"]
    assert str(spec.job.outputs[0].address) == "dataos://lakehouse:retail/orders"


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ("saveMode: append", lambda output: output.options.save_mode == "append"),
        (
            "options: {merge: {onClause: a, whenClause: b}}",
            lambda output: output.options.iceberg.merge.on_clause == "a",
        ),
        ("options: {properties: {a: 1}}", lambda output: output.options.iceberg.properties == {"a": "1"}),
        ("iceberg: {properties: {a: 1}}", lambda output: output.options.iceberg.properties == {"a": "1"}),
        ("options: {title: T}", lambda output: output.title == "T"),
        ("options: {tags: [T]}", lambda output: output.tags == ("T",)),
        ("options: {file: {saveMode: append}}", lambda output: output.options.save_mode == "append"),
        ("options: {file: {outputType: CSV}}", lambda output: output.format == "csv"),
        ("type: iceberg", lambda output: output.format == "iceberg"),
        ("outputType: CSV", lambda output: output.format == "csv"),
        ("isStream: true", lambda output: output.format is None),
        (
            "options: {es.nodes.wan.only: true}",
            lambda output: output.options.extra_options == {"es.nodes.wan.only": "true"},
        ),
        ("options: {savemode: append}", lambda output: output.options.save_mode == "append"),
        (
            "options: {iceberg: {properties: {write.metadatacompression-codec: gzip}}}",
            lambda output: output.options.iceberg.properties == {"write.metadata.compression-codec": "gzip"},
        ),
    ],
)
def test_misplaced_keys_of_an_output_are_read_with_one_warning(read, outputs, expected):
    spec, found = read(job(outputs=OUTPUT.replace("}", f", {outputs}}}")))

    assert len(found) == 1
    assert found[0].severity == "warning"
    assert found[0].line == 16
    assert expected(spec.job.outputs[0])


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("driver: org.postgresql.Driver", {"driver": "org.postgresql.Driver"}),
        ("sfWarehouse: WH", {"sfWarehouse": "WH"}),
        ("sheetName: a, options: ", {"sheetName": "a"}),
        ("options: {header: true, saveMode: append}", {"header": "true"}),
    ],
)
def test_misplaced_options_of_an_input_are_read_with_one_warning(read, inputs, expected):
    spec, found = read(job(inputs=INPUT.replace("}", f", {inputs}}}")))

    assert codes(found) == ["misplaced-key"]
    assert spec.job.inputs[0].options == expected


def test_a_schema_on_its_own_is_that_of_spark(read):
    schema = '{"type":"struct","fields":[]}'
    spec, found = read(job(inputs=INPUT.replace("}", f", schema: '{schema}'}}")))

    assert codes(found) == ["old-form"]
    assert (spec.job.inputs[0].schema_string, spec.job.inputs[0].schema_type) == (schema, "sparkjson")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("loglevel: WARN", lambda spec: spec.job.log_level == "WARN"),
        ("sparkConf: [{a: 1}]", lambda spec: spec.spark_conf == {"a": "1"}),
        ("streaming: {showPreviewLines: 3}", lambda spec: spec.job.show_preview_lines == 3),
        ("streaming: {foreachBatchMode: true}", lambda spec: spec.job.streaming.for_each_batch_mode),
        ("options: {SSL: 'true', cluster: a, driver: b}", lambda spec: spec.job.explain is False),
        (
            "rewriteDataset: {mode: full}",
            lambda spec: spec.job.actions[0].options.properties == {"rewrite-all": "true"},
        ),
    ],
)
def test_misplaced_keys_of_a_job_are_read_with_one_warning(read, rest, expected):
    spec, found = read(job(rest=rest))

    # What has no effect is told besides.
    assert [(item.severity, item.line) for item in found if item.code != "no-effect"] == [("warning", 17)]
    assert expected(spec)


def test_a_misspelt_spark_conf_is_read(read):
    spec, found = read(manifest(f"sparkConfig: [{{a: 1}}]\njob: {{inputs: [{INPUT}]}}"))

    assert codes(found) == ["misplaced-key"]
    assert spec.spark_conf == {"a": "1"}


def test_a_partition_spec_directly_under_options_has_no_effect_and_says_so(read):
    spec, found = read(job(outputs=OUTPUT.replace("}", ", options: {partitionSpec: [{type: day, column: a}]}}")))

    assert codes(found) == ["ignored-partition-spec"]
    assert spec.job.outputs[0].options.iceberg is None
    assert spec.job.outputs[0].options.ignored_partition_spec[0].column == "a"


def test_a_slash_behind_a_table_is_removed(read):
    spec, found = read(
        job(outputs="{name: orders, dataset: 'dataos://lakehouse:retail/copy/?acl=rw', format: iceberg}")
    )

    assert codes(found) == ["trailing-slash"]
    assert spec.job.outputs[0].dataset == "dataos://lakehouse:retail/copy?acl=rw"


def test_keys_of_the_job_inside_an_input_are_refused(read):
    spec, found = read(job(inputs=INPUT.replace("}", ", logLevel: INFO}")))

    assert spec is None
    assert codes(found) == ["misplaced-key"]
    assert found[0].severity == "error"


class TestStandalone:
    def test_options_and_format_of_a_section_are_those_of_the_input(self, read):
        spec, found = read(
            job(
                inputs="{name: orders, inputType: file, file: {path: /data/orders, format: CSV, isStream: false, options: {header: true}}}",
                outputs="{name: orders, outputType: FILE, file: {path: /data/copy, format: parquet, options: {saveMode: append}}}",
            )
        )

        assert found == ()
        [source], [target] = spec.job.inputs, spec.job.outputs
        assert (source.connection.path, source.format, source.options, source.is_stream) == (
            "/data/orders",
            "csv",
            {"header": "true"},
            False,
        )
        assert (target.connection.path, target.format, target.options.save_mode) == ("/data/copy", "parquet", "append")

    def test_credentials_are_secret(self, read):
        spec, found = read(
            job(
                inputs="{name: orders, inputType: jdbc, jdbc: {url: 'jdbc:postgresql://h/d', table: a, username: u, password: geheim}}"
            )
        )

        assert found == ()
        assert spec.job.inputs[0].connection.password.get_secret_value() == "geheim"
        assert "geheim" not in repr(spec)

    def test_spark_properties_are_not_in_a_repr(self, read):
        spec, _ = read(manifest(f"sparkConf: [{{spark.hadoop.fs.s3a.secret.key: geheim}}]\njob: {{inputs: [{INPUT}]}}"))

        assert "geheim" not in repr(spec)

    def test_the_misspelt_project_of_bigquery_is_read(self, read):
        spec, found = read(
            job(inputs="{name: orders, inputType: bigquery, bigquery: {projected: p, dataset: d, table: t}}")
        )

        assert codes(found) == ["key-spelling"]
        assert spec.job.inputs[0].connection.project_id == "p"

    def test_a_batch_is_no_stream(self, read):
        spec, _ = read(job(inputs="{name: orders, inputType: kafka, kafka: {brokers: 'h:1', topic: t, isBatch: true}}"))

        assert spec.job.inputs[0].is_stream is False
        assert spec.job.inputs[0].connection.brokers == ("h:1",)

    @pytest.mark.parametrize(
        ("written", "format_"), [("avro", "kafkaavro"), ("JSON", "kafkajson"), ("KafkaAvro", "kafkaavro")]
    )
    def test_the_format_among_the_options_of_a_topic_is_that_of_its_messages(self, read, written, format_):
        spec, found = read(
            job(
                outputs=f"{{name: orders, outputType: kafka, kafka: {{brokers: 'h:1', topic: t, options: {{format: {written}}}}}}}"
            )
        )

        assert found == ()
        assert (spec.job.outputs[0].format, spec.job.outputs[0].options.extra_options) == (format_, {})

    def test_a_section_without_its_type_says_the_type(self, read):
        spec, found = read(job(inputs="{name: orders, file: {path: /data}}"))

        assert codes(found) == ["old-form"]
        assert spec.job.inputs[0].input_type == "file"

    def test_a_type_without_its_section_is_refused(self, read):
        _, found = read(job(inputs="{name: orders, inputType: jdbc}"))

        assert codes(found) == ["missing-section"]

    def test_local_paths_are_no_addresses(self, read):
        spec, found = read(job(inputs="{name: orders, dataset: /data/orders}"))

        assert found == ()
        assert spec.job.inputs[0].address is None


class TestFiles:
    def test_queries_and_schemas_are_read_relative_to_the_manifest(self, read):
        text = manifest("""
job:
  inputs:
    - {name: orders, dataset: dataos://lakehouse:retail/orders, schemaPath: schemas/orders.avsc}
    - {name: others, dataset: dataos://lakehouse:retail/others, schemaPath: dataos://lakehouse:none/others.avsc}
  steps:
    - sequence:
        - {name: daily, sqlfile: ./daily.sql}
""")
        spec, found = read(text, files={"schemas/orders.avsc": "{}", "daily.sql": "SELECT 1"})

        assert codes(found) == ["key-spelling"]
        assert spec.job.inputs[0].schema_string == "{}"
        assert spec.job.inputs[1].schema_string is None
        assert spec.job.steps[0].sequence[0].sql == "SELECT 1"

    def test_a_missing_file_is_located(self, read):
        _, found = read(job(rest="steps: [{sequence: [{name: a, sqlFile: gone.sql}]}]"))

        assert codes(found) == ["unknown-file"]
        assert found[0].line == 17
        assert "'gone.sql'" in found[0].message

    def test_steps_in_a_file_of_their_own_are_read(self, read):
        spec, found = read(
            job(outputs="{name: daily, dataset: dataos://lakehouse:retail/daily}", rest="steps: [parts/steps.yaml]"),
            files={"parts/steps.yaml": "sequence:\n  - name: daily\n    sql: SELECT 1"},
        )

        assert found == ()
        assert spec.job.steps[0].sequence[0].name == "daily"

    def test_what_is_wrong_in_a_file_of_steps_has_its_place_there(self, read):
        text = "sequence:\n  - name: daily\n    sql: SELECT 1\n    functions:\n      - {name: trim, colum: a, method: up}\n"
        _, found = read(
            job(outputs="{name: daily, dataset: dataos://lakehouse:retail/daily}", rest="steps: [parts/steps.yaml]"),
            files={"parts/steps.yaml": text},
        )

        assert [told.message for told in found] == [
            "parts/steps.yaml:5:22: trim has no parameter 'colum'",
            "parts/steps.yaml:5:40: trim method: input should be 'trim', 'ltrim' or 'rtrim'",
        ]
        assert {told.line for told in found} == {17}


class TestMistakes:
    @pytest.mark.parametrize("quote", ["", "'", '"'])
    def test_an_address_is_reported_at_the_character(self, read, quote):
        text = job(inputs=f"{{name: orders, dataset: {quote}dataos://retail/city{quote}}}")
        _, [wrong] = read(text)

        assert wrong.code == "bad-address"
        assert wrong.line == 14
        assert text.splitlines()[wrong.line - 1][wrong.column - 1 :].startswith("/city")
        assert wrong.hint == "write dataos://retail:none/city"

    def test_an_output_of_an_unknown_view_names_the_nearest(self, read):
        _, found = read(job(outputs="{name: order, dataset: dataos://lakehouse:retail/copy}"))

        assert codes(found) == ["unknown-view"]
        assert found[0].hint == "did you mean `orders`?"

    def test_views_are_found_in_any_letter_case(self, read):
        _, found = read(job(outputs="{name: ORDERS, dataset: dataos://lakehouse:retail/copy}"))

        assert found == ()

    def test_an_input_has_exactly_one_source(self, read):
        _, none = read(job(inputs="{name: orders}"))
        _, two = read(job(inputs=INPUT.replace("}", ", query: SELECT 1}")))

        assert codes(none) == ["missing-key"]
        assert codes(two) == ["conflicting-keys"]

    def test_an_output_that_asks_to_read_is_told_what_to_ask_for(self, read):
        _, found = read(job(outputs="{name: orders, dataset: 'dataos://lakehouse:retail/copy?acl=r'}"))

        [told] = found
        assert (told.code, told.severity, told.hint) == ("wrong-value", "warning", "write `?acl=rw`")

    def test_a_job_that_reads_what_it_writes_is_told(self, read):
        _, found = read(job(outputs="{name: orders, dataset: dataos://icebase:retail/orders}"))

        assert codes(found) == ["reads-what-it-writes"]

    def test_a_wrong_function_is_located_at_its_parameter(self, read):
        _, found = read(
            job(
                rest="steps:\n  - sequence:\n      - name: a\n        sql: SELECT 1\n        functions:\n          - name: rename\n            column: a\n            asColum: b"
            )
        )

        assert codes(found) == ["wrong-function"]
        assert found[0].line == 24
        assert found[0].hint == "did you mean 'asColumn'?"

    def test_an_item_needs_something_to_do(self, read):
        _, found = read(job(rest="steps: [{sequence: [{name: a}]}]"))

        assert codes(found) == ["missing-key"]

    @pytest.mark.parametrize("test", ["missing_count", "== 1", "a > b", "a >> 1"])
    def test_a_test_has_a_metric_an_operator_and_a_number(self, read, test):
        _, found = read(job(rest=f"assertions: [{{column: a, tests: ['{test}']}}]"))

        assert codes(found) == ["wrong-value"]

    def test_each_wrong_test_of_a_list_is_told_and_hides_no_other(self, read):
        _, found = read(
            job(rest="assertions: [{column: amount, tests: ['missing_cnt == 0', 'max <> 10', 'max < ten', 'avg > 1']}]")
        )

        assert codes(found) == ["wrong-value"] * 3
        metric, operator, limit = (each.message for each in found)
        assert "there is no metric `missing_cnt`; did you mean `missing_count`?" in metric
        assert "there is no operator `<>`; did you mean `!=`?" in operator
        assert "a test reads `<metric> <operator> <number>`" in limit

    @pytest.mark.parametrize(
        ("assertion", "message"),
        [
            ("{column: a, tests: [zzz > 1]}", "there is no metric `zzz`; those of a column are: avg, sum"),
            ("{column: a, tests: [invalid_count == 0]}", "invalid_count needs to know what is valid"),
            ("{tests: [avg > 1]}", "the test `avg > 1` has no column to measure"),
        ],
    )
    def test_a_test_that_nothing_can_be_measured_for_is_told(self, read, assertion, message):
        _, found = read(job(rest=f"assertions: [{assertion}]"))

        assert codes(found) == ["wrong-value"]
        assert message in found[0].message

    @pytest.mark.parametrize(
        ("assertion", "message"),
        [
            ("{column: a}", "an assertion without `tests` tests nothing"),
            ("{column: a, tests: []}", "an assertion without `tests` tests nothing"),
            ("{column: a, sql: SELECT 1 AS n FROM orders, tests: [n == 1]}", "`column` has no part in the values"),
            ("{filter: a > 1, sql: SELECT 1 AS n FROM orders, tests: [n == 1]}", "`filter` has no part in the values"),
        ],
    )
    def test_an_assertion_is_told_what_has_no_part_in_it(self, read, assertion, message):
        _, found = read(job(rest=f"assertions: [{assertion}]"))

        assert [each.severity for each in found] == ["warning"]
        assert message in found[0].message

    def test_tests_of_a_query_name_what_they_like(self, read):
        _, found = read(job(rest="assertions: [{sql: SELECT 1 AS n FROM orders, tests: [n == 1]}]"))

        assert not found

    def test_an_action_needs_its_input_when_there_are_several(self, read):
        two = f"{INPUT}\n    - {INPUT.replace('name: orders', 'name: others')}"
        _, found = read(job(inputs=two, rest="actions: [{name: expire_snapshots}]"))

        assert codes(found) == ["missing-key"]

    def test_deleting_needs_a_condition(self, read):
        _, found = read(job(rest="actions: [{name: delete_from_dataset, input: orders}]"))

        assert codes(found) == ["missing-key"]

    def test_an_output_without_a_name_is_the_last_view(self, read):
        spec, found = read(
            job(
                outputs="{dataset: dataos://lakehouse:retail/copy}",
                rest="steps: [{sequence: [{name: b, sql: SELECT 1}]}]",
            )
        )

        assert codes(found) == ["old-form"]
        assert spec.job.outputs[0].name == "b"

    def test_a_job_that_does_nothing_is_refused(self, read):
        _, found = read(manifest("job: {explain: true}"))

        assert codes(found) == ["missing-key"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1024m", "1024m"),
        ("3072M", "3072m"),
        ("1600Mi", "1600m"),
        ("1Gi", "1g"),
        ("2048", "2048m"),
        ("2GB", "2g"),
        ("a", "a"),
    ],
)
def test_memory_is_written_as_spark_does(text, expected):
    assert spark_memory(text) == expected


@pytest.mark.parametrize("size", ["driver", "executor"])
def test_a_size_of_memory_that_is_none_is_refused_at_its_place(read, size):
    _, found = read(manifest(f"{size}: {{memory: 2 gigs}}\njob: {{inputs: [{INPUT}], outputs: [{OUTPUT}]}}"))

    assert codes(found) == ["wrong-value"]
    assert "a number and a unit" in found[0].message


def test_an_equals_sign_is_two():
    assert parse_test("avg = 1") == ("avg", "==", 1.0)


def test_a_misspelt_format_is_an_error_with_the_right_word(project_of):
    project = project_of("""
        name: wf
        version: v1
        type: workflow
        workflow:
          dag:
            - name: load
              spec:
                stack: flare:7.0
                stackSpec:
                  job:
                    inputs: [{name: a, dataset: "dataos://lakehouse:s/a", format: iceburg}]
                    outputs: [{name: a, dataset: "dataos://lakehouse:s/b", format: ICEBERG}]
        """)
    [found] = project.errors
    assert (found.code, found.hint) == ("unknown-format", "did you mean `iceberg`?")
