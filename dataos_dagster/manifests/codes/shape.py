"""Keys and values that are not those of a kind of resource."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "unknown-kind",
        "There is no such type of resource",
        "`type:` names the kind of resource, in lower case and in the singular; the section of the manifest has the "
        "same name.",
        wrong="type: workflows",
        right="type: workflow",
    ),
    CodeEntry(
        "missing-section",
        "A section is missing",
        "What a resource is stands in the section named after its `type`; what a connection is, in the section named "
        "after the type of the source.",
        wrong="name: orders\nversion: v1\ntype: workflow\njobs: []",
        right="name: orders\nversion: v1\ntype: workflow\nworkflow:\n  dag: []",
    ),
    CodeEntry(
        "missing-key",
        "A key is missing, or empty",
        "The resource cannot work without this key. A key with nothing behind its `:` counts as missing.",
        wrong="inputs:\n  - dataset: dataos://lakehouse:retail/orders",
        right="inputs:\n  - name: orders\n    dataset: dataos://lakehouse:retail/orders",
    ),
    CodeEntry(
        "unknown-key",
        "A key that means nothing here",
        "The key is ignored. It may be misspelt, or stand at the wrong place: keys count only in the mapping they "
        "belong to. `dataos schema KIND` lists the keys of a kind.",
        wrong="schedule:\n  crom: '15 5 * * *'",
        right="schedule:\n  cron: '15 5 * * *'",
    ),
    CodeEntry(
        "key-spelling",
        "A key is spelt in another way",
        "The key is taken for the one it resembles: letter case, `_` and `-` aside they are the same, or it is a "
        "misspelling that published manifests have. Write it as the message says.",
        wrong="loglevel: INFO",
        right="logLevel: INFO",
    ),
    CodeEntry(
        "conflicting-keys",
        "Keys that exclude each other",
        "Each of the keys says the same thing in its own way, so only one may be there.",
        wrong="- name: orders\n  dataset: dataos://lakehouse:retail/orders\n  query: SELECT 1",
        right="- name: orders\n  dataset: dataos://lakehouse:retail/orders",
    ),
    CodeEntry(
        "wrong-type",
        "A value of the wrong type",
        "A text, a number, a list or a mapping is expected here, and something else is written. A list has a `-` in "
        "front of each item; a mapping has further keys, indented.",
        wrong="dag:\n  name: load",
        right="dag:\n  - name: load",
    ),
    CodeEntry(
        "wrong-value",
        "A value that is not allowed here",
        "Only some words, or numbers within bounds, are allowed here; the message names them. Letter case does not "
        "matter.",
        wrong="saveMode: replace",
        right="saveMode: overwrite",
    ),
    CodeEntry(
        "bad-address",
        "The text is not an address of a dataset",
        "Addresses have the form `dataos://depot:collection/dataset?acl=r|rw`. `none` stands for the collection where "
        "the depot has no such level. The position is that of the first character that does not fit.",
        wrong="dataset: dataos://lakehouse/orders",
        right="dataset: dataos://lakehouse:retail/orders",
    ),
    CodeEntry(
        "bad-cron",
        "The text is not a cron expression",
        "A cron has five fields: minute, hour, day of month, month, day of week. Each is a number, `*`, a range such "
        "as `1-5`, a list such as `0,30`, or one of these with a step such as `*/15`.",
        wrong="cron: '/10 * * * *'",
        right="cron: '*/10 * * * *'",
    ),
    CodeEntry(
        "bad-timezone",
        "There is no such time zone",
        "Time zones have the names of the tz database: a region and a city, or UTC. Abbreviations such as CET or IST "
        "do not say which rules hold.",
        wrong="timezone: Kolkata",
        right="timezone: Asia/Kolkata",
    ),
    CodeEntry(
        "name-rule",
        "A name that the platform may refuse",
        "Names of resources and jobs have lower-case letters, digits and hyphens, up to 48 characters; depots and "
        "clusters have no hyphens. The platform appends 17 characters to the names of workflows and jobs. This "
        "project takes any name; the warning is for manifests that are to run elsewhere too.",
        wrong="name: Daily_Orders",
        right="name: daily-orders",
    ),
    CodeEntry(
        "unusual-version",
        "Another version than the kind has",
        "The version is that of the manifest's form, not of its content. Every known version is read in the same way: "
        "what counts is the form itself.",
        wrong="version: v1beta1\ntype: workflow",
        right="version: v1\ntype: workflow",
    ),
    CodeEntry(
        "unknown-layer",
        "There is no such layer",
        "`layer` divides resources into those of users and those of the system. It has no effect here.",
        wrong="layer: users",
        right="layer: user",
    ),
    CodeEntry(
        "ignored-workspace",
        "A workspace where there is none",
        "Depots, bundles, instance secrets and the like belong to the whole instance, so a workspace has no effect.",
        wrong="name: orders\nversion: v1beta\ntype: bundle\nworkspace: public",
        right="name: orders\nversion: v1beta\ntype: bundle",
    ),
    CodeEntry(
        "duplicate-name",
        "A name that is given twice",
        "Jobs of a workflow, nodes of a bundle and inputs of a job are told apart by their names.",
        wrong="dag:\n  - name: load\n    file: a.yaml\n  - name: load\n    file: b.yaml",
        right="dag:\n  - name: load-a\n    file: a.yaml\n  - name: load-b\n    file: b.yaml",
    ),
    CodeEntry(
        "unknown-source-type",
        "There is no such type of source",
        "`depot.type` names the kind of source, in any letter case. Databases without a type of their own are JDBC, "
        "with their sub-protocol.",
        wrong="depot:\n  type: POSTGRESS",
        right="depot:\n  type: POSTGRESQL",
    ),
    CodeEntry(
        "unknown-stack",
        "There is no such stack",
        "`stack` is a stack's name, with a language and a version where it has them: `flare:7.0`, `soda+python:1.0`.",
        wrong="stack: flair:7.0",
        right="stack: flare:7.0",
    ),
    CodeEntry(
        "wrong-function",
        "A function is not written right",
        "There is no such function, or one of its parameters is missing, unknown or of the wrong type. The message "
        "names the parameters that the function has. Of the job's own functions (`udfs`), one is declared wrongly.",
        wrong="functions:\n  - {name: rename, column: a, as: b}",
        right="functions:\n  - {name: rename, column: a, asColumn: b}",
    ),
    CodeEntry(
        "unknown-format",
        "There is no such format",
        "The word behind `format:` is no format that DataOS knows, so nobody can tell how the data is read or written. "
        "Case does not matter; leave the key out to take the format of the depot.",
        wrong="format: iceburg",
        right="format: iceberg",
    ),
    CodeEntry(
        "not-run",
        "Read, and not yet run",
        "The manifest is checked as far as its form is known, and has no effect here.",
        wrong="name: sales\nversion: v1alpha\ntype: lens",
        right="# nothing to mend: it is checked as far as its form is known",
    ),
)
