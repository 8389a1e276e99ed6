"""Which snapshots go and which stay, decided from a table's metadata alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dataos_dagster.depots.lakehouse.expiry import expiry_of
from dataos_dagster.depots.lakehouse.metadata import TableState
from dataos_dagster.depots.maintenance import ExpireSnapshots
from dataos_dagster.depots.streams import batch_mark

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def days_ago(days):
    return NOW - timedelta(days=days)


def snapshot(number, days, parent=None, **summary):
    """Return a snapshot that was made so many days ago; its parent is the one before unless it is said."""
    return {
        "snapshot-id": number,
        "parent-snapshot-id": number - 1 if parent is None and number > 1 else parent,
        "timestamp-ms": int(days_ago(days).timestamp() * 1000),
        "summary": summary,
    }


def table(*snapshots, refs=None, properties=None):
    """Return a table whose main branch is at the last snapshot."""
    main = {"main": {"snapshot-id": snapshots[-1]["snapshot-id"], "type": "branch"}}
    return TableState({"snapshots": list(snapshots), "refs": main | (refs or {}), "properties": properties or {}})


FIVE = tuple(snapshot(number, 10 - number) for number in range(1, 6))


def expired(state, **work):
    return expiry_of(state, ExpireSnapshots(**work), NOW).ids


def test_snapshots_before_a_moment_go_and_the_present_one_stays():
    assert expired(table(*FIVE), older_than=days_ago(6.5)) == (1, 2, 3)
    assert expired(table(*FIVE), older_than=NOW) == (1, 2, 3, 4)


def test_the_newest_stay_however_old_they_are():
    assert expired(table(*FIVE), older_than=NOW, retain_last=3) == (1, 2)
    assert expired(table(*FIVE), older_than=NOW, retain_last=9) == ()


def test_without_a_moment_the_tables_own_limits_count():
    assert expired(table(*FIVE)) == (1, 2, 3, 4)  # five days, unless the table says otherwise
    properties = {"history.expire.max-snapshot-age-ms": str(7 * 24 * 3600 * 1000)}
    assert expired(table(*FIVE, properties=properties)) == (1, 2)
    assert expired(table(*FIVE, properties={"history.expire.min-snapshots-to-keep": "4"})) == (1,)


def test_a_list_means_these_and_no_others():
    found = expiry_of(table(*FIVE), ExpireSnapshots(snapshot_ids=(2, 42)), NOW)

    assert found.ids == (2,)
    assert found.unknown == (42,)
    assert found.total == 5


def test_a_list_and_a_moment_mean_both():
    assert expired(table(*FIVE), snapshot_ids=(4,), older_than=days_ago(8.5)) == (1, 4)


def test_the_present_state_of_a_branch_or_tag_is_in_use():
    state = table(*FIVE, refs={"audit": {"snapshot-id": 2, "type": "tag"}})
    found = expiry_of(state, ExpireSnapshots(snapshot_ids=(2, 5, 1)), NOW)

    assert found.in_use == ((2, "audit"), (5, "main"))
    assert found.ids == (1,)


def test_a_branch_keeps_its_own_newest():
    side = snapshot(11, 9, parent=1), snapshot(12, 8, parent=11)
    refs = {"side": {"snapshot-id": 12, "type": "branch", "min-snapshots-to-keep": 2}}
    state = table(*side, *FIVE, refs=refs)

    assert expired(state, older_than=NOW) == (1, 2, 3, 4)


def test_a_branch_has_an_age_of_its_own():
    refs = {"side": {"snapshot-id": 4, "type": "branch", "max-snapshot-age-ms": 8 * 24 * 3600 * 1000}}

    assert expired(table(*FIVE, refs=refs), older_than=NOW) == (1,)


def test_branches_and_tags_that_are_too_old_go_with_their_snapshots():
    refs = {"old": {"snapshot-id": 1, "type": "tag", "max-ref-age-ms": 1000}, "kept": {"snapshot-id": 2, "type": "tag"}}
    found = expiry_of(table(*FIVE, refs=refs), ExpireSnapshots(older_than=NOW), NOW)

    assert found.refs == ("old",)
    assert found.ids == (1, 3, 4)


def test_snapshots_that_no_branch_leads_to_go_by_age_alone():
    loose = snapshot(21, 2, parent=1), snapshot(22, 9, parent=1)

    assert expired(table(*loose, *FIVE), older_than=days_ago(3), retain_last=5) == (22,)


def test_a_stream_finds_its_last_batch_for_a_day():
    hour = 1 / 24
    mine, other = batch_mark("mine", 7), batch_mark("mine", 6)
    snapshots = (
        snapshot(1, 3 * hour, **{"dataos.write": other}),
        snapshot(2, 2 * hour, **{"dataos.write": mine}),
        snapshot(3, hour),
        snapshot(4, 0),
    )
    found = expiry_of(table(*snapshots), ExpireSnapshots(older_than=NOW + timedelta(days=1)), NOW)

    # From the present one down to the stream's last: by the parents of a snapshot it is found.
    assert found.ids == (1,)
    assert found.for_streams == (2, 3)


def test_streams_that_spark_writes_itself_are_known_by_their_query():
    query = {"spark.sql.streaming.queryId": "q"}
    young = snapshot(1, 0.5, **query), snapshot(2, 0.2, **query), snapshot(3, 0.1)
    old = snapshot(1, 3, **query), snapshot(2, 2, **query), snapshot(3, 0.1)

    assert expiry_of(table(*young), ExpireSnapshots(older_than=NOW), NOW).ids == (1,)
    assert expiry_of(table(*old), ExpireSnapshots(older_than=NOW), NOW).ids == (1, 2)


def test_what_a_stream_may_look_for_goes_when_it_is_named():
    snapshots = snapshot(1, 0.2, **{"dataos.write": batch_mark("mine", 1)}), snapshot(2, 0.1)

    assert expired(table(*snapshots), snapshot_ids=(1,)) == (1,)


def test_metadata_of_the_first_version_names_its_present_snapshot_only():
    state = TableState({"snapshots": list(FIVE), "current-snapshot-id": 5, "properties": {}})

    assert expired(state, older_than=NOW) == (1, 2, 3, 4)


def test_an_empty_table_has_nothing_to_expire():
    assert expired(TableState({"snapshots": [], "refs": {}, "properties": {}}), older_than=NOW) == ()
