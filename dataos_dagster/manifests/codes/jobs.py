"""What the graph of a project's jobs has to decide."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "duplicate-job",
        "Two jobs of one name",
        "A job is identified by workspace, workflow and name. The first one counts; the other is left out.",
        wrong="# two workflows called `load` in two workspaces that are one here\n"
        "dag: [{name: orders, spec: …}]\n"
        "dag: [{name: orders, spec: …}]",
        right="dag: [{name: orders, spec: …}]\ndag: [{name: orders-again, spec: …}]",
    ),
    CodeEntry(
        "stack-not-run",
        "A job that is read and not yet run",
        "Jobs of this stack, or with this feature, are checked and shown, but nothing runs them here. Jobs that depend "
        "on one wait for what it depends on instead, and schedules leave it out.",
        wrong="stack: toolbox\n"
        "stackSpec:\n"
        "  dataset: dataos://icebase:retail/orders\n"
        "  action: {name: set_version, value: latest}",
        right="# nothing to mend: other jobs run as if its datasets came from elsewhere",
    ),
    CodeEntry(
        "runs-until-stopped",
        "A stream without an end",
        "Such a job is no part of a run: it would never end. In Dagster a sensor keeps it running, outside of runs; "
        "`dataos streams start` does it by hand. Nobody waits for it: what it writes is there at any time.",
        wrong="# meant to be a job of the schedule\n"
        "streaming: {triggerMode: ProcessingTime, triggerDuration: 1 minute}",
        right="# reads what is there, and ends\nstreaming: {triggerMode: AvailableNow}",
    ),
    CodeEntry(
        "self-dependency",
        "A job that reads what it writes",
        "That is how a table is maintained or upserted into, and nothing needs to be done: the job reads the table as "
        "it was and does not wait for itself.",
        wrong="inputs:\n"
        "  - {name: orders, dataset: dataos://lakehouse:retail/orders}\n"
        "outputs:\n"
        "  - {name: orders, dataset: dataos://lakehouse:retail/orders?acl=rw}",
        right="# nothing to mend: the job reads the table as it was before",
    ),
    CodeEntry(
        "several-writers",
        "A dataset that several jobs write",
        "A dataset belongs to the first job that writes it, in the order of paths, documents and entries. Each other "
        "job appears under its own name and reports what it writes to the dataset, so that its history is whole. Jobs "
        "that read the dataset wait for all of them.",
        wrong="# job `daily` and job `corrections`\n"
        "outputs: [{name: rows, dataset: dataos://lakehouse:retail/orders?acl=rw}]",
        right="# nothing to mend, unless one of them was meant to write another dataset\n"
        "outputs: [{name: rows, dataset: dataos://lakehouse:retail/corrections?acl=rw}]",
    ),
    CodeEntry(
        "data-cycle",
        "Jobs that read each other's results",
        "Each of them would have to run before the other, so the dependency that comes last in the manifests is left "
        "out: that job reads what the last run has left. What `dependencies:` states is kept and decides the order.",
        wrong="dag:\n  - name: a\n    spec: {… reads t2 and writes t1 …}\n"
        "  - name: b\n    spec: {… reads t1 and writes t2 …}",
        right="dag:\n  - name: a\n    spec: {… reads t2 and writes t1 …}\n"
        "  - name: b\n    dependencies: [a]\n    spec: {… reads t1 and writes t2 …}",
    ),
)
