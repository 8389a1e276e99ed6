"""Lines that stand at the wrong column."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "key-beside-dash",
        "A key of a list item stands in the column of the dash",
        "What belongs to an item stands below the first character behind its dash, not below the dash.",
        wrong="secrets:\n  - name: orders-r\n  allkeys: true",
        right="secrets:\n  - name: orders-r\n    allkeys: true",
    ),
    CodeEntry(
        "key-among-items",
        "A key stands among the items of a list",
        "In the column of a list's dashes only further items may stand. The key is the neighbour of the key that holds "
        "the list: put it into that column.",
        wrong="inputs:\n  - name: orders\n    dataset: dataos://lakehouse:retail/orders\n  logLevel: INFO",
        right="inputs:\n  - name: orders\n    dataset: dataos://lakehouse:retail/orders\nlogLevel: INFO",
    ),
    CodeEntry(
        "key-too-deep",
        "A key is indented below a key that has a value",
        "A key has a value or further keys below it, not both. Put the key into the column of the one above, or delete "
        "the value of the one above when it is to hold the key.",
        wrong="- name: oracle\n   type: oracle",
        right="- name: oracle\n  type: oracle",
    ),
    CodeEntry(
        "key-misaligned",
        "A key is in line with no other key",
        "Keys of one mapping stand in one column. This one stands between two columns that are open above it.",
        wrong="options:\n    table: orders\n  mode: append",
        right="options:\n    table: orders\n    mode: append",
    ),
    CodeEntry(
        "item-misaligned",
        "A dash is in line with no other item of its list",
        "Dashes of one list stand in one column.",
        wrong="inputs:\n  - ref: a\n      - ref: b",
        right="inputs:\n  - ref: a\n  - ref: b",
    ),
    CodeEntry(
        "list-below-value",
        "A list begins below a key that has a value",
        "A key has a value or a list, not both. Delete the value when the list belongs to the key; otherwise the key "
        "of the list is missing: write it on a line of its own.",
        wrong="external: true\n  - acl: r",
        right="external: true\nconnectionSecret:\n  - acl: r",
    ),
    CodeEntry(
        "text-not-indented",
        "The text of a block is not indented",
        "The lines of a text that begins with '|' or '>' must be indented deeper than its key, every one of them.",
        wrong='bodyTemplate: |\n{\n  "text": "late"\n}',
        right='bodyTemplate: |\n  {\n    "text": "late"\n  }',
    ),
)
