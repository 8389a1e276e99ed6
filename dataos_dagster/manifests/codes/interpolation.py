"""What is still open in a document."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "placeholder",
        "A placeholder is not filled in",
        "Templates mark what their reader has to fill in as `${{x}}`, `{{x}}`, `${some words}` or `<x>`. DataOS never "
        "replaces these, so a manifest with one cannot work. Write the value in its place. To check a template as it "
        "is, use `--allow-placeholders`: then it is a warning.",
        wrong="owner: ${{owner-name}}",
        right="owner: mira",
    ),
    CodeEntry(
        "undefined-variable",
        "An environment variable is not set",
        "`${NAME}` is replaced by the environment variable NAME, and it is not set where this command runs. A scalar "
        "that is exactly `$NAME` is replaced as well, but stays text when the variable is not set. In SQL, templates "
        "and the data of secrets only scalars that are nothing but a variable are replaced.",
        wrong="dataset: dataos://lakehouse:${SCHEMA}/orders   # SCHEMA is not set",
        right="dataset: dataos://lakehouse:retail/orders",
    ),
)
