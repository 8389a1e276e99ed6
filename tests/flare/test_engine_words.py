"""What engines refuse of a query is told in sentences, at the word, with a hint that fits; on both engines alike."""

from __future__ import annotations

import pytest

from dataos_dagster.errors import StepError
from dataos_dagster.flare.engine_words import refusal

ORDERS = "dataos://lakehouse:sales/orders"
# Of the insides of an engine's program or of another's document, and of prefixes and places that are told otherwise.
NOT_FOR_READERS = ("ObjectName", "Identifier", "AggregateFunction", "SQLSTATE", "pos ", "invalid argument", "https://")


def job(sql: str) -> str:
    return f"""
        inputs: [{{name: orders, dataset: "{ORDERS}"}}]
        steps:
          - sequence: [{{name: made, sql: "{sql}"}}]
        outputs: [{{name: made, dataset: "dataos://lakehouse:sales/made?acl=rw"}}]
        """


@pytest.mark.parametrize(
    ("sql", "word", "message", "hint"),
    [
        (
            "SELECT name FROM orders a JOIN orders b ON a.id = b.id",
            "name",
            "'name' may mean more than one column: a and b have it",
            "say of which: a.name or b.name",
        ),
        (
            "SELECT a.id FROM orders a, orders b WHERE id > 3",
            "id > 3",
            "'id' may mean more than one column: a and b have it",
            "say of which: a.id or b.id",
        ),
        ("SELECT id FROM orders ORDER BY 4", None, "position 4", "counts the columns behind SELECT"),
        ("SELECT id FROM orders UNION SELECT id, name FROM orders", None, "olumns", "as many columns on both sides"),
        ("SELECT substring(name) AS s FROM orders", None, "(…) takes 2 or 3 arguments", "Spark SQL reference"),
        ("SELECT id FROM orders ORDER BY sum(id)", None, "aggregate", None),
    ],
)
def test_what_an_engine_refuses_is_a_sentence_at_the_word(project, sql, word, message, hint):
    project.seed(ORDERS, "SELECT 1 AS id, 'x' AS name")
    error = project.error_of(job(sql))
    assert isinstance(error, StepError)
    assert message in error.message
    assert hint is None or hint in str(error.hint)
    assert not [strange for strange in NOT_FOR_READERS if strange in error.message]
    if word is not None:
        line = (project.folder / "job.yaml").read_text("utf-8").splitlines()[error.location.line - 1]
        assert line[error.location.column - 1 :].startswith(word)


@pytest.mark.parametrize(
    ("said", "message", "place"),
    [
        (
            "invalid argument: found Y at 16:17 expected '->', '.', or end of input",
            "the SQL does not parse at 'y'",
            (2, 8, 1),
        ),
        (
            "[PARSE_SYNTAX_ERROR] Syntax error at or near 'y'. SQLSTATE: 42601 (line 2, pos 7)",
            "[PARSE_SYNTAX_ERROR] Syntax error at or near 'y'.",
            (2, 8, 1),
        ),
        (
            (
                "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `date_add` requires 2 parameters but the actual number is 1. "
                "Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix. "
                "SQLSTATE: 42605; line 1 pos 7"
            ),
            "date_add(…) takes 2 arguments, and is given 1",
            (1, 8, 1),
        ),
        (
            (
                'attribute ObjectName([Identifier("o"), Identifier("amt")]) is missing from the schema: '
                "cannot resolve attribute"
            ),
            "there is no column 'o.amt' here",
            None,
        ),
        ("Division by zero", "Division by zero", None),
    ],
)
def test_a_message_loses_what_speaks_to_nobody_and_gives_its_place(said, message, place):
    found = refusal(said, "SELECT a\nFROM b y")
    assert (found.message, found.place) == (message, place)
