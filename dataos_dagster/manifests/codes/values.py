"""What is YAML, and means something else than its writer thinks."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "duplicate-key",
        "A key stands twice in one mapping",
        "Only the last of the two counts, in DataOS as well; what the first says is lost without a word. Keep one.",
        wrong="job:\n  logLevel: INFO\n  explain: true\n  logLevel: WARN",
        right="job:\n  logLevel: WARN\n  explain: true",
    ),
    CodeEntry(
        "unquoted-braces",
        "Braces without quotes",
        "`{` begins a mapping in YAML, so `{{ x }}` is a mapping in a mapping, and text behind it is an error. A value "
        "with braces must stand in quotes.",
        wrong="description: {{ description }}",
        right='description: "{{ description }}"',
    ),
    CodeEntry(
        "unknown-tag",
        "A value begins with '!'",
        "`!word` in front of a value is a YAML tag, not part of the value. Passwords that begin with '!' lose it this "
        "way. Put the value in quotes.",
        wrong="title: !important news",
        right='title: "!important news"',
    ),
    CodeEntry(
        "complex-key",
        "A list or mapping stands where a key is expected",
        "Keys of manifests are plain words. A key that begins with '[', '{' or '? ' is read as a list or mapping.",
        wrong="{a, b}: 1",
        right='"{a, b}": 1',
    ),
    CodeEntry(
        "wrong-merge",
        "'<<' merges something that is no mapping",
        "`<<: *name` adds the entries of the mapping that the anchor `&name` marks. It cannot add a list or a text.",
        wrong="defaults: &defaults [a]\njob:\n  <<: *defaults",
        right="defaults: &defaults {a: 1}\njob:\n  <<: *defaults",
    ),
    CodeEntry(
        "trailing-comma",
        "A comma stands behind a value",
        "Keys are separated by line breaks in YAML, not by commas: the comma becomes part of the value, or an error "
        "behind a closing quote.",
        wrong="name: margin,\ntype: number",
        right="name: margin\ntype: number",
    ),
    CodeEntry(
        "typographic-quotes",
        "Quotes of a word processor",
        "Only ' and \" quote in YAML. The slanted quotes of word processors become part of the value.",
        wrong="version: “v1”",
        right='version: "v1"',
    ),
    CodeEntry(
        "key-in-comment",
        "A key stands at the end of a comment",
        "A line break was lost between a comment and the key below it, so the key is part of the comment and does not "
        "count. Begin a new line in front of the key.",
        wrong="# Resource meta sectionname: runtime-monitor\nversion: v1alpha",
        right="# Resource meta section\nname: runtime-monitor\nversion: v1alpha",
    ),
    CodeEntry(
        "section-not-indented",
        "A section holds nothing, because its lines are not indented",
        "The section's key has no value, and the lines below it stand in its own column: they are its neighbours, not "
        "its content. Indentation was lost; indent them by two spaces.",
        wrong="type: database\ndatabase:\nmigrate:\n  command: up",
        right="type: database\ndatabase:\n  migrate:\n    command: up",
    ),
)
