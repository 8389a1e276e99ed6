"""The maintenance of tables that either engine has written: what it does, and what it leaves as it was."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dataos_dagster.depots.requests import PartitionField
from dataos_dagster.errors import DatasetLocked, DatasetNotFound, DepotUnsupported, StepError, WriteFailed

# Names of partitions with everything that a path may spell in two ways.
KINDS = "CASE id % 3 WHEN 0 THEN 'a b' WHEN 1 THEN 'c/d%e#f?g=ü' END"
ROWS = f"SELECT id, CAST({KINDS} AS STRING) AS kind FROM range({{}}, {{}})"
BY_KIND = (PartitionField("identity", "kind"),)


def fill(lake, commits=4):
    """Write a table of several small commits; return the snapshots, oldest first."""
    first = lake.write(ROWS.format(0, 9), "overwrite", partition_spec=BY_KIND)
    return [first, *(lake.write(ROWS.format(10 * n, 10 * n + 3)) for n in range(1, commits))]


def millis(moment):
    return int(moment.timestamp() * 1000)


def test_small_files_become_few_and_every_row_stays(lake):
    fill(lake)
    before, many = lake.rows(), lake.files()

    [done] = lake.run("{name: rewrite_dataset, options: {properties: {min-input-files: 2}}}")

    assert lake.rows() == before
    assert done.counts["data_files_rewritten"] == done.counts["data_files_before"] == len(many)
    assert done.counts["data_files_added"] == done.counts["data_files_after"] == 3
    assert done.counts["bytes_rewritten"] > 0
    assert done.snapshot_id == lake.snapshots()[-1]
    assert "became 3" in done.summary
    assert many < lake.files()  # for those who read an older state


def test_rows_are_sorted_and_only_files_that_may_hold_a_row_are_rewritten(lake):
    fill(lake)
    before = lake.rows()

    done = lake.run(
        "{name: rewrite_dataset, options: {strategy: sort, sortOrder: id DESC NULLS LAST, properties: {rewrite-all: true}}}",
        "{name: rewrite_dataset, options: {strategy: sort, sortOrder: 'zorder(id, kind)', properties: {rewrite-all: true}}}",
        "{name: rewrite_dataset, options: {where: kind = 'a b' AND id >= 0, properties: {rewrite-all: true, "
        "target-file-size-bytes: 1048576, max-file-group-size-bytes: 2097152, max-concurrent-file-group-rewrites: 2, "
        "partial-progress.enabled: true, partial-progress.max-commits: 2}}}",
        "{name: rewrite_dataset}",
        "{name: rewrite_manifests, options: {useCaching: false}}",
    )

    assert lake.rows() == before
    sorted_, curved, one, nothing, manifests = done
    assert sorted_.counts["data_files_rewritten"] == len(BY_KIND) * 12
    assert curved.counts["data_files_rewritten"] == sorted_.counts["data_files_added"] == 3
    assert one.counts["data_files_rewritten"] == 1
    assert (nothing.counts["data_files_rewritten"], nothing.snapshot_id) == (0, None)
    assert nothing.summary == "no data file needs to be rewritten"
    assert manifests.counts["manifests_rewritten"] > manifests.counts["manifests_added"] == 1


def test_snapshots_expire_with_their_files_and_those_that_stay_are_read(lake):
    ids = fill(lake)
    states = {snapshot: lake.rows(**{"snapshot-id": snapshot}) for snapshot in ids[-2:]}
    lake.write("SELECT id, kind FROM range(0) CROSS JOIN (SELECT 'x' AS kind)", "overwrite")
    before = lake.files()

    [done] = lake.run(
        f"{{name: expire_snapshots, options: {{olderThanMillis: {millis(datetime.now(UTC))}, retainLast: 3}}}}"
    )

    assert lake.snapshots()[:2] == ids[-2:]
    assert {snapshot: lake.rows(**{"snapshot-id": snapshot}) for snapshot in states} == states
    assert lake.rows() == []
    assert done.counts["snapshots_removed"] == 2
    assert done.counts["snapshots_left"] == 3
    assert done.counts["deleted_manifest_lists"] == 2
    assert lake.files() == before  # each of them belongs to a state that is kept

    [done] = lake.run(
        "{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01 00:00:00', streamDeleteResults: true, maxConcurrentDeletes: 4}}"
    )

    assert done.counts["deleted_data_files"] == len(before)
    assert lake.files() == set()
    assert "expired" in done.summary
    assert "deleted" in done.summary


def test_snapshots_are_named_and_the_present_one_is_not_taken(lake):
    ids = fill(lake)

    [done] = lake.run(f"{{name: expire_snapshots, options: {{snapshotIds: ['{ids[1]}', '42']}}}}")
    assert done.counts["snapshots_removed"] == 1
    assert lake.snapshots() == [ids[0], *ids[2:]]

    error = lake.jobs.error_of(lake.job(f"{{name: expire_snapshots, options: {{snapshotIds: ['{ids[-1]}']}}}}"))
    assert isinstance(error, WriteFailed)
    assert f"{ids[-1]} is the present state of main" in error.message
    assert lake.snapshots() == [ids[0], *ids[2:]]


def test_a_tag_that_is_too_old_goes_also_where_no_snapshot_does(spark_lake):
    spark_lake.write("SELECT id FROM range(3)", "overwrite", properties={"history.expire.max-ref-age-ms": "1"})
    session = spark_lake.jobs.session()
    session.spark.sql("ALTER TABLE lakehouse.retail.orders CREATE TAG old")
    refs = "SELECT name FROM lakehouse.retail.orders.refs ORDER BY name"
    assert [row.name for row in session.spark.sql(refs).collect()] == ["main", "old"]

    [done] = spark_lake.run("{name: expire_snapshots}")

    assert done.counts["snapshots_removed"] == 0
    assert [row.name for row in session.spark.sql(refs).collect()] == ["main"]
    assert spark_lake.rows() == [(0,), (1,), (2,)]


def test_old_orphans_go_and_new_ones_and_every_file_of_the_table_stay(lake):
    fill(lake)
    old = lake.folder / "data" / "kind=a+b" / "orphan-old.parquet"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_bytes(b"0123456789")
    lake.age(days=3.1)
    new = lake.folder / "data" / "orphan-new.parquet"
    new.write_bytes(b"0")
    everything, before = set(lake.folder.rglob("*")), lake.rows()

    [found] = lake.run("{name: remove_orphans, options: {dryRun: true}}")
    assert set(lake.folder.rglob("*")) == everything
    assert [file.removeprefix("file://") for file in found.files] == [str(old)]
    assert found.counts == {"orphan_files": 1, "orphan_bytes": 10}
    assert "a dry run" in found.summary

    [done] = lake.run("{name: remove_orphans, options: {maxConcurrentDeletes: 2}}")
    assert everything - set(lake.folder.rglob("*")) == {old}
    assert done.counts == found.counts
    assert lake.rows() == before
    assert lake.rows(**{"snapshot-id": lake.snapshots()[0]})

    [young] = lake.run(
        "{name: remove_orphans, options: {olderThanTimestamp: '2100-01-01', allowRecent: true, location: data}}"
    )
    assert young.counts["orphan_files"] == 1
    assert not new.exists()
    assert lake.rows() == before


def test_rows_are_deleted_by_a_condition_over_steps_and_nulls_stay(lake):
    fill(lake, commits=1)
    steps = (
        "  - {name: other, dataset: dataos://lakehouse:retail/gone, format: Iceberg}\n"
        "steps:\n  - sequence:\n      - {name: doomed, sql: SELECT id AS key FROM other}\n"
    )
    lake.jobs.seed("dataos://lakehouse:retail/gone", "SELECT id FROM range(2)")
    [done] = lake.run(
        '{name: delete_from_dataset, input: orders, deleteWhere: "exists (SELECT 1 FROM doomed WHERE target.id = key)"}',
        more=steps,
    )
    assert done.counts == {"rows_deleted": 2}
    assert done.summary == "2 rows deleted"

    # What is neither true nor false for a row leaves it alone.
    [done] = lake.run("{name: delete_from_dataset, deleteWhere: kind > 'b' OR id > 100}")
    assert lake.rows() == [(2, None), (3, "a b"), (5, None), (6, "a b"), (8, None)]
    assert done.counts == {"rows_deleted": 2}

    [done] = lake.run("{name: delete_from_dataset, deleteWhere: id > 100}")
    assert done.counts == {"rows_deleted": 0}

    [done] = lake.run("{name: delete_from_dataset, deleteWhere: kind = 'a b'}")  # a whole partition
    assert (done.counts, len(lake.rows())) == ({"rows_deleted": 2}, 3)


def test_sail_deletes_the_same_rows_as_spark(sail_lake):
    fill(sail_lake, commits=1)
    result = sail_lake.jobs.run_job(
        sail_lake.job(
            "{name: delete_from_dataset, input: ORDERS, deleteWhere: \"target.kind > 'b' OR target.id IN (0, 2)\"}"
        )
    )

    assert sail_lake.rows() == [(3, "a b"), (5, None), (6, "a b"), (8, None)]
    [written] = result.outputs
    assert (written.rows, written.rows_deleted, written.total_rows) == (None, 5, 4)
    assert [column.name for column in written.schema] == ["id", "kind"]
    [recorded] = sail_lake.jobs.state.job_runs.history()[0].outputs
    assert recorded.rows_deleted == 5


def test_each_deletion_of_a_job_stands_in_the_history(sail_lake):
    fill(sail_lake, commits=1)
    deletions = [f"{{name: delete_from_dataset, deleteWhere: {rows}}}" for rows in ("id = 0", "id > 5")]
    sail_lake.run(*deletions)
    recorded = sail_lake.jobs.state.job_runs.history()[0].outputs
    assert [output.rows_deleted for output in recorded] == [1, 3]


def test_rows_of_a_branch_are_deleted_and_main_stays(spark_lake):
    spark_lake.write("SELECT id FROM range(3)", "overwrite")
    spark_lake.write("SELECT id FROM range(3, 6)", branch="audit")
    job = spark_lake.job("{name: delete_from_dataset, deleteWhere: id > 1}").replace(
        "format: Iceberg}", "format: Iceberg, options: {branch: audit}}"
    )
    result = spark_lake.jobs.run_job(job)

    assert result.outputs[0].branch == "audit"
    assert spark_lake.rows() == [(0,), (1,), (2,)]
    assert spark_lake.rows(branch="audit") == [(0,), (1,)]
    [done] = spark_lake.run("{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01'}}")
    assert done.counts["snapshots_left"] == 2
    assert spark_lake.rows(branch="audit") == [(0,), (1,)]


def test_a_table_with_delete_files_is_left_to_spark(spark_lake):
    spark_lake.write("SELECT id FROM range(6)", "overwrite", properties={"write.delete.mode": "merge-on-read"})
    anywhere = replace(spark_lake.jobs, engine="auto")
    plan = anywhere.plan(spark_lake.job("{name: delete_from_dataset, deleteWhere: id > 3}"))
    assert plan.engine == "spark"
    assert "has or wants delete files" in plan.as_text()

    [done] = spark_lake.run("{name: delete_from_dataset, deleteWhere: id > 3}")
    assert done.counts == {"rows_deleted": 2}
    assert spark_lake.rows() == [(0,), (1,), (2,), (3,)]
    spark_lake.run("{name: rewrite_dataset, options: {properties: {delete-file-threshold: 1}}}")
    assert len(spark_lake.rows()) == 4


def test_a_tables_own_order_is_that_of_a_sort_without_one(spark_lake):
    spark_lake.write("SELECT id, id % 2 AS k FROM range(10)", "overwrite")
    error = spark_lake.jobs.error_of(spark_lake.job("{name: rewrite_dataset, options: {strategy: sort}}"))
    assert "nothing says how to sort it" in error.message
    assert "sortOrder" in (error.hint or "")

    session = spark_lake.jobs.session()
    session.spark.sql("ALTER TABLE lakehouse.retail.orders WRITE ORDERED BY k DESC")
    [done] = spark_lake.run("{name: rewrite_dataset, options: {strategy: sort, properties: {rewrite-all: true}}}")
    assert done.counts["data_files_added"] == 1
    assert len(spark_lake.rows()) == 10


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("{name: rewrite_dataset, options: {properties: {no-such-option: 1}}}", "no-such-option"),
        ("{name: rewrite_dataset, options: {where: ids = 1}}", "has a column 'ids'"),
        ("{name: rewrite_dataset, options: {where: rand() > 0.5}}", "Cannot convert Spark filter"),
        ("{name: rewrite_dataset, options: {where: id IN (SELECT id FROM orders)}}", "'orders' is another relation"),
        ("{name: delete_from_dataset, deleteWhere: id = array(1)}", "DATATYPE_MISMATCH"),
        ("{name: remove_orphans, options: {location: ../other}}", "is not in the folder"),
        ("{name: remove_orphans, options: {location: /tmp}}", "is not in the folder"),
    ],
)
def test_what_iceberg_refuses_is_told_at_its_action_and_changes_nothing(spark_lake, action, said):
    spark_lake.write("SELECT id FROM range(3)", "overwrite")
    before = spark_lake.snapshots()

    error = spark_lake.jobs.error_of(spark_lake.job(action))

    assert said in error.message
    assert error.location is not None
    assert error.location.line > 1
    assert spark_lake.snapshots() == before
    assert spark_lake.rows() == [(0,), (1,), (2,)]


def test_a_table_inside_the_folder_of_another_is_no_heap_of_orphans(spark_lake):
    spark_lake.write("SELECT id FROM range(3)", "overwrite")
    inner = "dataos://lakehouse:retail/orders/inner"
    spark_lake.jobs.seed(inner, "SELECT 1 AS a")
    spark_lake.age(days=10)

    error = spark_lake.jobs.error_of(spark_lake.job("{name: remove_orphans}"))
    assert isinstance(error, DepotUnsupported)
    assert "another table lies in the folder" in error.message

    [done] = spark_lake.run("{name: remove_orphans, options: {location: data}}")
    assert done.counts["orphan_files"] == 0
    assert spark_lake.jobs.table(inner)[1] == [(1,)]


def test_the_files_of_a_table_that_was_copied_are_not_taken_for_orphans(spark_lake):
    spark_lake.write("SELECT id FROM range(3)", "overwrite")
    copy = spark_lake.folder.with_name("copied")
    shutil.copytree(spark_lake.folder, copy)
    before = set(copy.rglob("*"))
    spark_lake.age(days=10)
    job = spark_lake.job("{name: remove_orphans, options: {olderThanTimestamp: '2100-01-01', allowRecent: true}}")

    error = spark_lake.jobs.error_of(job.replace("retail/orders", "retail/copied"))

    assert isinstance(error, WriteFailed)
    assert "was moved or copied" in error.message
    assert set(copy.rglob("*")) == before


def test_files_younger_than_three_days_are_refused_unless_the_project_says_otherwise(sail_lake):
    sail_lake.write("SELECT id FROM range(3)", "overwrite")
    sail_lake.jobs.engine = "auto"
    recent = datetime.now(UTC) - timedelta(days=2)
    action = f"{{name: remove_orphans, options: {{olderThanMillis: {millis(recent)}}}}}"

    error = sail_lake.jobs.error_of(sail_lake.job(action))
    assert isinstance(error, StepError)
    assert "younger than 3 days" in error.message
    assert "allowRecent" in (error.hint or "")
    assert str(error.location).endswith(f":{error.location.line}:{error.location.column}")

    (sail_lake.jobs.folder / "dataos.yaml").write_text("flare: {orphan_days: 1}\n")
    assert "older than" in sail_lake.jobs.plan(sail_lake.job(action)).as_text()


def test_the_plan_says_what_would_go_and_why_it_is_spark(sail_lake):
    for number in range(3):
        sail_lake.write(f"SELECT {number} AS id", "append" if number else "overwrite")
    sail_lake.jobs.engine = "auto"
    plan = sail_lake.jobs.plan(
        sail_lake.job(
            "{name: expire_snapshots, options: {olderThanTimestamp: '2100-01-01', retainLast: 2}}",
            "{name: rewrite_dataset, options: {where: id = 1}}",
            "{name: remove_orphans, options: {dryRun: true}}",
        )
    )

    assert plan.engine == "spark"
    assert any("Sail has no procedures of Iceberg" in reason for reason in plan.route.reasons)
    assert "the last 2 stay; 1 of 3 snapshots would expire" in plan.as_text()
    expire, rewrite, orphans = plan.as_json()["actions"]
    assert expire["prospect"] == ["1 of 3 snapshots would expire"]
    assert rewrite["details"] == ["small files are joined", "where id = 1"]
    assert rewrite["prospect"] == ["the table has 3 data files"]
    assert "none is removed" in orphans["details"]
    assert len(sail_lake.snapshots()) == 3


def test_a_dry_run_of_the_job_plans_its_actions_and_does_none(sail_lake):
    sail_lake.write("SELECT id FROM range(3)", "overwrite")
    file = sail_lake.jobs.write_job(sail_lake.job("{name: delete_from_dataset, deleteWhere: id > 0}"))
    file.write_text(file.read_text().replace("stack: flare:7.0", "stack: flare:7.0\n      dryRun: true"))

    [outcome] = sail_lake.jobs.run().outcomes

    assert outcome.state == "planned"
    assert "action delete_from_dataset" in outcome.plan.as_text()
    assert len(sail_lake.rows()) == 3


def test_sail_refuses_what_it_has_no_procedure_for(sail_lake):
    sail_lake.write("SELECT id FROM range(3)", "overwrite")
    error = sail_lake.jobs.error_of(sail_lake.job("{name: expire_snapshots}"))

    assert "Sail" in error.message


def test_a_table_that_is_not_there_is_named(sail_lake):
    sail_lake.write("SELECT 1 AS id", "overwrite")
    job = sail_lake.job("{name: delete_from_dataset, deleteWhere: id > 0}").replace("retail/orders", "retail/order")
    error = sail_lake.jobs.error_of(job)

    assert isinstance(error, DatasetNotFound)
    assert "did you mean retail.orders?" in (error.hint or "")


def test_a_writer_at_work_is_waited_for(sail_lake):
    from dataos_dagster.depots.locks import Holder, writing

    sail_lake.write("SELECT id FROM range(3)", "overwrite")
    (sail_lake.jobs.folder / "dataos.yaml").write_text("limits: {lock_seconds: 0.1}\n")
    file = sail_lake.folder.with_name(".orders.lock")
    with writing(file, Holder.this_process("ann", None, "another run"), seconds=1, what="orders"):
        error = sail_lake.jobs.error_of(sail_lake.job("{name: delete_from_dataset, deleteWhere: id > 0}"))

    assert isinstance(error, DatasetLocked)
    assert "another run" in error.message
    assert len(sail_lake.rows()) == 3


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("id = 1 ORDER BY id", "is a condition, and this is more"),
        ("id = 1 UNION SELECT 1", "is a condition, and this is more"),
        ("exists (SELECT 1 FROM target)", "no relation to select from"),
        ("id IN (SELECT id FROM nothing)", "'nothing' is no view"),
        ("id IN (SELECT id FROM parquet.`/etc`)", "opens files"),
        ("reflect('java.lang.System', 'exit') = 1", "calls Java"),
        ("id = ", "ends"),
    ],
)
def test_a_condition_that_is_none_is_refused_before_anything_is_done(sail_lake, condition, said):
    sail_lake.write("SELECT id FROM range(3)", "overwrite")
    error = sail_lake.jobs.error_of(sail_lake.job(f'{{name: delete_from_dataset, deleteWhere: "{condition}"}}'))

    assert isinstance(error, StepError)
    assert said in error.message
    assert len(sail_lake.rows()) == 3


@pytest.mark.parametrize("engine", ["sail", "auto"])
def test_a_column_that_is_not_there_is_told_before_an_engine_looks_for_it(sail_lake, engine):
    sail_lake.write("SELECT id, 'a' AS customer FROM range(3)", "overwrite")
    sail_lake.jobs.engine = engine
    job = sail_lake.job("{name: delete_from_dataset, deleteWhere: target.custmer = 'a'}")

    error = sail_lake.jobs.error_of(job)

    assert isinstance(error, StepError)
    assert "has a column 'custmer'" in error.message
    assert error.hint == "did you mean 'customer'?"
    if engine == "auto":
        with pytest.raises(StepError, match="custmer"):
            sail_lake.jobs.plan(job)


def test_a_dataset_that_a_condition_names_is_an_input_of_the_job(sail_lake):
    sail_lake.write("SELECT id FROM range(5)", "overwrite")
    sail_lake.jobs.seed("dataos://lakehouse:retail/gone", "SELECT id FROM range(2)")
    action = '{name: delete_from_dataset, deleteWhere: "id IN (SELECT id FROM lakehouse.retail.gone)"}'
    result = sail_lake.jobs.run_job(sail_lake.job(action))

    assert sail_lake.rows() == [(2,), (3,), (4,)]
    assert [(entry.dataset, entry.implicit) for entry in result.inputs][1] == ("dataos://lakehouse:retail/gone", True)
