"""Actions as they are written: typed by their names, older spellings rewritten, mistakes told at their place."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import indent

import pytest

from dataos_dagster.flare.manifest import ExpireSnapshots, RemoveOrphans, RewriteDataset, RewriteManifest

HEAD = """
name: wf
version: v1
type: workflow
workflow:
  dag:
    - name: tidy
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - {name: orders, dataset: dataos://lakehouse:retail/orders?acl=rw, format: Iceberg}
            actions:
"""
# The line of the first action in the file.
FIRST = 16


@pytest.fixture
def read(project_of):
    """Return a function that gives the actions of a job, and what there is to say about them."""

    def load(actions, head=HEAD, more="", **options):
        project = project_of(head + indent(actions.strip("\n"), " " * 14) + more, **options)
        specs = [entry.spec.stack_spec for workflow in project.of_kind("workflow") for entry in workflow.section.dag]
        return (specs[0].job.actions if specs else ()), project.diagnostics

    return load


def test_each_action_has_options_of_its_own(read):
    actions, found = read("""
- name: rewrite_dataset
  options: {strategy: sort, sortOrder: "zorder(a, b)", where: a > 1, properties: {target-file-size-bytes: 2500048}}
- {name: rewrite_manifest, options: {useCaching: false, specId: 0}}
- name: expire_snapshots
  options: {olderThanMillis: "1741987433222", retainLast: 5, maxConcurrentDeletes: 4, streamDeleteResults: true}
- {name: remove_orphans, input: ORDERS, options: {olderThanTimestamp: 2021-06-30 00:00:00.000, dryRun: true}}
- {name: delete_from_dataset, deleteWhere: target.id = 1}
""")

    assert found == ()
    compact, manifests, expire, orphans, delete = (action.options for action in actions)
    assert isinstance(compact, RewriteDataset)
    assert (compact.strategy, compact.sort_order, compact.where) == ("sort", "zorder(a, b)", "a > 1")
    assert compact.properties == {"target-file-size-bytes": "2500048"}
    assert isinstance(manifests, RewriteManifest)
    assert (manifests.use_caching, manifests.spec_id) == (False, 0)
    assert isinstance(expire, ExpireSnapshots)
    assert expire.older_than == datetime(2025, 3, 14, 21, 23, 53, 222000, UTC)
    assert (expire.retain_last, expire.max_concurrent_deletes, expire.stream_delete_results) == (5, 4, True)
    assert isinstance(orphans, RemoveOrphans)
    assert (orphans.older_than, orphans.dry_run) == (datetime(2021, 6, 30, tzinfo=UTC), True)
    assert delete.model_dump() == {}
    assert actions[4].delete_where == "target.id = 1"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{name: expire_snapshots, options: {expireOlderThan: 5000000000000}}", {"older_than_millis": 5000000000000}),
        ("{name: remove_orphans, options: {olderThan: '1700000000000'}}", {"older_than_millis": 1700000000000}),
        ("{name: expire_snapshots, options: {expireSnapshotId: 42}}", {"snapshot_ids": ("42",)}),
        ("{name: rewrite_dataset, options: {filter: id > 3}}", {"where": "id > 3"}),
        (
            "{name: rewrite_dataset, options: {targetSizeInBytes: 1000}}",
            {"properties": {"target-file-size-bytes": "1000"}},
        ),
        ("{name: rewrite_dataset, options: {splitLookback: 10}}", {"properties": {}}),
        ("{name: rewrite_manifest, options: {stagingLocation: /tmp/x}}", {"use_caching": True}),
        (
            "{name: rewrite_dataset, options: {strategy: sort, sortOrder: '(id, ASC NULLS FIRST).'}}",
            {"sort_order": "id ASC NULLS FIRST"},
        ),
    ],
)
def test_older_spellings_are_read_with_one_warning(read, written, expected):
    actions, found = read(f"- {written}")

    assert [(each.severity, each.line) for each in found] == [("warning", FIRST)]
    options = actions[0].options.model_dump()
    assert {key: options[key] for key in expected} == expected


@pytest.mark.parametrize("name", ["rewrite_manifests", "REWRITE_MANIFEST", "Rewrite_Manifests"])
def test_names_of_actions_have_two_spellings_and_any_case(read, name):
    actions, found = read(f"- {{name: {name}, options: {{useCaching: false}}}}")

    assert found == ()
    assert actions[0].name == "rewrite_manifest"
    assert actions[0].options.use_caching is False


def test_a_right_sort_order_is_left_alone(read):
    actions, found = read("- {name: rewrite_dataset, options: {strategy: sort, sortOrder: 'zorder(a, b)'}}")

    assert found == ()
    assert actions[0].options.sort_order == "zorder(a, b)"


@pytest.mark.parametrize(
    ("written", "severity", "message", "hint"),
    [
        ("{name: expire_snapsots}", "error", "must be one of", "did you mean `expire_snapshots`?"),
        ("{name: expire_snapshots, options: {retainlast: 3}}", "warning", "spelt `retainLast`", "retainLast"),
        (
            "{name: expire_snapshots, options: {retainLats: 3}}",
            "error",
            "expire_snapshots has no `retainLats`",
            "did you mean `retainLast`?",
        ),
        ("{name: expire_snapshots, options: {retainLast: few}}", "error", "must be a whole number", ""),
        ("{name: expire_snapshots, options: {retainLast: 0}}", "error", "must be greater than 0", ""),
        ("{name: expire_snapshots, options: {snapshotIds: [abc]}}", "error", "a snapshot's id is a number", ""),
        ("{name: remove_orphans, options: {olderThanTimestamp: soon}}", "error", "a moment reads", ""),
        (
            "{name: remove_orphans, options: {olderThanTimestamp: '2021-06-30', olderThanMillis: 1741987433222}}",
            "error",
            "say the same thing",
            "remove one",
        ),
        (
            "{name: expire_snapshots, options: {olderThanMillis: 1741987433}}",
            "warning",
            "are these seconds?",
            "13 digits",
        ),
        ("{name: rewrite_dataset, options: {strategy: z}}", "error", "must be one of binpack, sort", ""),
        (
            "{name: rewrite_dataset, options: {sortOrder: id}}",
            "warning",
            "no effect with the strategy",
            "strategy: sort",
        ),
        (
            "{name: rewrite_dataset, options: {properties: {target-file-size-byte: 1}}}",
            "warning",
            "has no option",
            "did you mean `target-file-size-bytes`?",
        ),
        ("{name: rewrite_dataset, option: {strategy: sort}}", "error", "an action has no `option`", "`options`"),
        ("{name: delete_from_dataset, deleteWhere: a = 1, options: {x: 1}}", "error", "has no `x`", "remove it"),
        ("{name: delete_from_dataset, deleteWhre: a = 1}", "error", "`deleteWhre` is no key", "`deleteWhere`"),
        ("{name: delete_from_dataset}", "error", "`deleteWhere` is missing", "condition"),
        ("{name: remove_orphans, deleteWhere: id = 1}", "warning", "has no meaning", "remove it"),
        ("{name: remove_orphans, input: order}", "error", "no input is called `order`", "did you mean `orders`?"),
        ("{name: rewrite_dataset, options: fast}", "error", "must be a mapping", ""),
    ],
)
def test_a_mistake_is_told_where_it_stands(read, written, severity, message, hint):
    _, found = read(f"- {written}")

    [told] = found
    assert (told.severity, told.line) == (severity, FIRST)
    assert message in told.message
    assert hint in (told.hint or "")


def test_an_action_of_several_inputs_says_which(read):
    head = HEAD.replace(
        "            actions:", "              - {name: gone, dataset: dataos://lakehouse:a/b}\n            actions:"
    )
    _, found = read("- {name: expire_snapshots}", head=head)

    [told] = found
    assert told.code == "missing-key"
    assert "needs `input`" in told.message


def test_a_table_that_is_no_iceberg_table_has_no_actions(read):
    _, found = read(
        "- {name: expire_snapshots}\n- {name: remove_orphans, input: orders}", head=HEAD.replace("Iceberg", "csv")
    )

    assert {(told.code, told.line) for told in found} == {("wrong-value", FIRST), ("wrong-value", FIRST + 1)}


def test_a_depot_that_may_only_be_read_is_not_maintained(read):
    depot = """
---
name: lakehouse
version: v2alpha
type: depot
depot:
  type: S3
  secrets: [{name: lake-r}]
  s3: {bucket: lake, format: ICEBERG}
---
name: lake-r
version: v1
type: instance-secret
instance-secret: {type: key-value-properties, acl: r, data: {accesskeyid: a, secretkey: b}}
"""
    _, found = read("- {name: expire_snapshots}", more=depot)

    assert [(told.code, told.line) for told in found] == [("missing-access", FIRST - 2)]


def test_placeholders_are_no_mistakes(read):
    _, found = read(
        '- name: expire_snapshots\n  options: {olderThanMillis: "${{millis}}", retainLast: "${{count}}"}',
        allow_placeholders=True,
    )

    assert {told.code for told in found} <= {"placeholder"}
