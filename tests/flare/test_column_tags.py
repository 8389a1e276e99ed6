"""Tags of an output's columns, from the manifest to the schema that the materialization shows."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import StepError
from dataos_dagster.workflows.metadata import column_schema

ORDERS = "dataos://lakehouse:sales/orders"
TAGS = """[{columnName: Email, tags: [PII.Email, PII.Contact]}, {columnNames: [id, email], tags: Tier.Key},
    {columnRegex: 'mail|e.*l$', tags: [PII.Email]}]"""


def job(tags: str) -> str:
    return f"""
        inputs: [{{name: orders, dataset: "{ORDERS}"}}]
        outputs: [{{name: orders, dataset: "dataos://lakehouse:sales/copy?acl=rw", columnTags: {tags}}}]
        """


def test_entries_add_up_and_reach_the_schema_of_the_materialization(sail_project):
    sail_project.seed(ORDERS, "SELECT 1 AS id, 'a@b.c' AS email, 'x' AS gmail, 2 AS n")
    [output] = sail_project.run_job(job(TAGS)).outputs
    assert {column.name: column.tags for column in output.schema} == {
        "id": ("Tier.Key",),
        "email": ("PII.Email", "PII.Contact", "Tier.Key"),
        "gmail": (),
        "n": (),
    }
    [_, email, *_] = column_schema(output.schema).columns
    assert email.tags == {"PII.Email": "", "PII.Contact": "", "Tier.Key": ""}


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (
            "[{columnName: a, columnRegex: b, tags: [A.B]}]",
            "needs exactly one of columnName, columnNames and columnRegex",
        ),
        ("[{tags: [A.B]}]", "needs exactly one of"),
        ("[{columnRegex: '(', tags: [A.B]}]", "is no regular expression"),
    ],
)
def test_an_entry_that_means_nothing_is_told_at_its_line(sail_project, tags, said):
    error = sail_project.error_of(job(tags))
    assert isinstance(error, StepError)
    assert said in error.message
    assert error.location is not None
