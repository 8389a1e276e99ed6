"""Older and misplaced forms, and choices that are probably not meant."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "old-form",
        "A form of an older version",
        "It is read as the present form that the message names, so it works. Newer versions of the platform may not "
        "take it any more.",
        wrong="spec:\n  stack: flare:7.0\n  flare:\n    job: …",
        right="spec:\n  stack: flare:7.0\n  stackSpec:\n    job: …",
    ),
    CodeEntry(
        "misplaced-key",
        "A key at the wrong place",
        "It is read as if it stood where it belongs, or ignored where it means nothing; the message says which. "
        "Usually the indentation is off by one level. It is an error where there is no telling what was meant.",
        wrong="- name: orders\n  driver: org.postgresql.Driver",
        right="- name: orders\n  options:\n    driver: org.postgresql.Driver",
    ),
    CodeEntry(
        "ignored-partition-spec",
        "A partition spec that is not applied",
        "A `partitionSpec` directly under `options` has no effect, here as on the platform: applying it would change "
        "how tables that exist are laid out. Move it below `options.iceberg`; or set "
        "`flare.honour_options_partition_spec` in `dataos.yaml`.",
        wrong="options:\n  partitionSpec:\n    - {type: day, column: ordered_at}",
        right="options:\n  iceberg:\n    partitionSpec:\n      - {type: day, column: ordered_at}",
    ),
    CodeEntry(
        "trailing-slash",
        "A slash behind the name of a table",
        "A slash at the end means a folder of files. It is removed from the address of a table.",
        wrong="dataset: dataos://lakehouse:retail/orders/",
        right="dataset: dataos://lakehouse:retail/orders",
    ),
    CodeEntry(
        "reads-what-it-writes",
        "A job that reads and writes one dataset",
        "All rows are read before any is replaced, so this works. Running the job again starts from what it wrote.",
        wrong="inputs:\n"
        "  - {name: orders, dataset: dataos://lakehouse:retail/orders}\n"
        "outputs:\n"
        "  - {name: cleaned, dataset: dataos://lakehouse:retail/orders?acl=rw}",
        right="inputs:\n"
        "  - {name: orders, dataset: dataos://lakehouse:retail/orders}\n"
        "outputs:\n"
        "  - {name: cleaned, dataset: dataos://lakehouse:retail/orders_cleaned?acl=rw}",
    ),
    CodeEntry(
        "inline-credentials",
        "Credentials in a depot's own manifest",
        "Whoever can read the manifest can read the credentials. Put them into an Instance Secret, and name that in "
        "`secrets`.",
        wrong="connectionSecret:\n  - acl: r\n    type: key-value-properties\n    data: {username: svc, password: …}",
        right="secrets:\n  - name: orders-r\n    allkeys: true",
    ),
    CodeEntry(
        "missing-credential",
        "Credentials lack a key",
        "Each type of source has its own keys: `username` and `password` for databases, an access key and its secret "
        "for S3, a key file for Google Cloud.",
        wrong="type: key-value-properties\nacl: r\ndata:\n  username: shop",
        right="type: key-value-properties\nacl: r\ndata:\n  username: shop\n  password: $SHOP_PASSWORD",
    ),
    CodeEntry(
        "missing-access",
        "A write to a depot that can only be read",
        "Each secret of a depot grants reading (`acl: r`) or reading and writing (`acl: rw`). A write needs one of the "
        "second kind; a credential for writing serves reads too, never the other way round.",
        wrong="instance-secret:\n  acl: r",
        right="instance-secret:\n  acl: rw",
    ),
    CodeEntry(
        "default-role",
        "A Snowflake depot without a role",
        "The role decides what can be seen. Without one it is the user's default role, which may be PUBLIC.",
        wrong="snowflake:\n  warehouse: wh\n  database: shop",
        right="snowflake:\n  warehouse: wh\n  database: shop\n  role: ANALYST",
    ),
    CodeEntry(
        "empty-secret",
        "A secret that holds nothing",
        "It has neither `data` nor `files`, so whoever uses it gets no value.",
        wrong="secret:\n  type: key-value\n  acl: r",
        right="secret:\n  type: key-value\n  acl: r\n  data:\n    token: $SHOP_TOKEN",
    ),
    CodeEntry(
        "no-effect",
        "A key that is accepted and has no effect",
        "DataOS knows the key, and nothing here reads it; the message says why. It is told without a warning "
        "where a job does and writes the same all the same, such as a log level.",
        wrong="persistentVolume: {name: scratch, directory: /scratch}",
        right="# files stand in a folder of the machine that runs the job",
    ),
)
