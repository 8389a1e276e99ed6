"""Names of other things that lead nowhere, or in a circle."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

_TEMPLATES = " With `--allow-placeholders` it is a warning."

ENTRIES = (
    CodeEntry(
        "unknown-depot",
        "There is no such depot",
        "The address begins with a depot that no manifest of the project and no `catalogs` entry of `dataos.yaml` "
        f"declares. `lakehouse`, also called `icebase`, is always there.{_TEMPLATES}",
        wrong="dataset: dataos://lakehous:retail/orders",
        right="dataset: dataos://lakehouse:retail/orders",
    ),
    CodeEntry(
        "unknown-secret",
        "There is no such secret",
        "No Secret or Instance Secret of the project has this name (and workspace), and neither the environment nor "
        "the folder of secrets holds it. It is only a remark while there is an encrypted store, which may hold it and "
        f"cannot be read without its key; a job that needs the secret looks there.{_TEMPLATES}",
        wrong="dataosSecrets:\n  - name: shop-rr",
        right="dataosSecrets:\n  - name: shop-r",
    ),
    CodeEntry(
        "unknown-compute",
        "There is no such compute",
        "Neither a manifest nor `computes` in `dataos.yaml` declares it. Jobs run all the same, where this project "
        "runs them.",
        wrong="compute: runable-default",
        right="compute: runnable-default",
    ),
    CodeEntry(
        "unknown-volume",
        "There is no such volume",
        "No Volume of the project has this name. Jobs run all the same: nothing here mounts volumes.",
        wrong="dataosVolumes:\n  - {name: scrach, directory: /scratch}",
        right="dataosVolumes:\n  - {name: scratch, directory: /scratch}",
    ),
    CodeEntry(
        "unknown-dependency",
        "A dependency that is not there",
        f"`dependencies` names entries of the same `dag`, or nodes of the same bundle.{_TEMPLATES}",
        wrong="dag:\n  - {name: load, file: load.yaml}\n  - {name: check, file: check.yaml, dependencies: [laod]}",
        right="dag:\n  - {name: load, file: load.yaml}\n  - {name: check, file: check.yaml, dependencies: [load]}",
    ),
    CodeEntry(
        "unknown-file",
        "A file that is not there",
        "A path in a manifest counts from the folder of the manifest, then from the working directory; the file has "
        f"to be of the kind that is expected.{_TEMPLATES}",
        wrong="dag:\n  - {name: nested, file: workflows/nested.yaml}   # beside this file",
        right="dag:\n  - {name: nested, file: nested.yaml}",
    ),
    CodeEntry(
        "unreadable-file",
        "A file that cannot be read",
        "Queries and schemas that a manifest names must be text in UTF-8.",
        wrong="sqlFile: daily.sql.gz",
        right="sqlFile: daily.sql",
    ),
    CodeEntry(
        "unknown-view",
        "A view that is not there",
        "The SQL of a step reads inputs and steps before it, an output writes one of them, and an action maintains an "
        "input: there is none of this name in the job. A dataset that is read in SQL is written "
        "depot.collection.dataset.",
        wrong="steps:\n  - sequence:\n      - {name: daily, sql: SELECT 1}\noutputs:\n  - {name: dayly, dataset: …}",
        right="steps:\n  - sequence:\n      - {name: daily, sql: SELECT 1}\noutputs:\n  - {name: daily, dataset: …}",
    ),
    CodeEntry(
        "unknown-output",
        "A sink of an output that is not there",
        "`outputName` of a `sink` names the entry of `outputs` whose `depot` it writes to.",
        wrong="outputs:\n"
        "  - {name: out, depot: dataos://lakehouse:retail?acl=rw}\n"
        "sink:\n"
        "  - {sequenceName: daily, outputName: output, datasetName: daily}",
        right="outputs:\n"
        "  - {name: out, depot: dataos://lakehouse:retail?acl=rw}\n"
        "sink:\n"
        "  - {sequenceName: daily, outputName: out, datasetName: daily}",
    ),
    CodeEntry(
        "unknown-name-in-settings",
        "dataos.yaml speaks of something that is not there",
        "Settings for single jobs (`workflow/job`), depots and bundles name them. There is none of this name in the "
        "project, so that what is set has no effect.",
        wrong="run:\n  seconds_of: {wf-orders/dialy: 600}",
        right="run:\n  seconds_of: {wf-orders/daily: 600}",
    ),
    CodeEntry(
        "dependency-cycle",
        "Jobs or nodes that wait for each other",
        "None of them could ever start. Remove one of the dependencies on the circle that the message shows.",
        wrong="dag:\n  - {name: a, file: a.yaml, dependencies: [b]}\n  - {name: b, file: b.yaml, dependencies: [a]}",
        right="dag:\n  - {name: a, file: a.yaml}\n  - {name: b, file: b.yaml, dependencies: [a]}",
    ),
    CodeEntry(
        "include-cycle",
        "Manifests that take each other in",
        "A workflow or bundle that names another one by `file:` contains it, so they cannot contain each other.",
        wrong="# a.yaml\ndag: [{name: b, file: b.yaml}]\n# b.yaml\ndag: [{name: a, file: a.yaml}]",
        right="# a.yaml\ndag: [{name: b, file: b.yaml}]\n# b.yaml\ndag: [{name: orders, spec: …}]",
    ),
    CodeEntry(
        "duplicate-resource",
        "Two resources of one name",
        "A name is unique for its type and workspace. The first one counts, in the order of paths; the other is left "
        "out.",
        wrong="# a.yaml\nname: load\ntype: workflow\n# b.yaml\nname: load\ntype: workflow",
        right="# a.yaml\nname: load\ntype: workflow\n# b.yaml\nname: load-again\ntype: workflow",
    ),
)
