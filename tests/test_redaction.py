"""Known secret values appear in no log record, no message and no traceback, in any of the forms in which they travel."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from dataos_dagster import redaction
from dataos_dagster.errors import DataOSError
from dataos_dagster.redaction import MASK, Redactor


@pytest.fixture
def redactor():
    return Redactor()


@pytest.fixture
def logged():
    """Return what a logger below the root writes with an ordinary formatter, masked records and all."""
    factory = logging.getLogRecordFactory()
    redaction.redact_logs()
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    logger = logging.getLogger("some.driver.of.others")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, output
    logger.removeHandler(handler)
    logging.setLogRecordFactory(factory)


def test_a_known_value_is_masked_wherever_it_stands(redactor):
    redactor.register(SecretStr("tulip-1637"))
    assert redactor.redact("jdbc:x?password=tulip-1637&a=1 (tulip-1637)") == "jdbc:x?password=***&a=1 (***)"


def test_without_known_values_a_text_stays(redactor):
    assert redactor.redact("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize("value", ["", "abc", "   ", " ab "])
def test_values_that_are_too_short_to_hide_are_left(redactor, value):
    redactor.register(value)
    assert redactor.redact(f"x{value}x abc ab") == f"x{value}x abc ab"


def test_a_short_word_is_masked_as_a_word_only(redactor):
    redactor.register("shop")
    assert redactor.redact("user shop of shopping:shop") == "user *** of shopping:***"


def test_a_value_inside_another_does_not_leave_the_rest_of_it(redactor):
    redactor.register("tulip-1637", "tulip-1637-mania")
    assert redactor.redact("tulip-1637-mania") == MASK


@given(st.text(min_size=4).filter(lambda value: len(value.strip()) >= 8))
def test_no_form_of_a_value_survives(value):
    value = value.strip()
    redactor = Redactor()
    redactor.register(value)
    forms = (value, quote(value, safe=""), json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode())
    for form in forms:
        assert redactor.redact(f"before {form} after") == f"before {MASK} after"


def test_values_may_be_registered_while_texts_are_masked(redactor):
    values = [f"secret-value-{number}" for number in range(200)]
    threads = [threading.Thread(target=redactor.register, args=values[start::4]) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {redactor.redact(value) for value in values} == {MASK}


def test_an_error_masks_its_message_and_hint():
    redaction.register("orchid-1840")
    error = DataOSError("cannot log in with orchid-1840", hint="is orchid-1840 right?")
    assert str(error) == "cannot log in with ***\n  hint: is *** right?"
    assert error.args == ("cannot log in with ***",)


def test_an_exception_is_masked_with_all_that_it_came_from():
    redaction.register("orchid-1840")
    error = RuntimeError("outer orchid-1840", 7)
    error.add_note("note orchid-1840")
    error.__cause__ = ValueError("cause orchid-1840")
    redaction.redact_exception(error)
    assert error.args == ("outer ***", 7)
    assert error.__notes__ == ["note ***"]
    assert str(error.__cause__) == "cause ***"


def test_an_exception_that_refers_to_itself_is_no_trap():
    error = RuntimeError("round")
    error.__context__ = RuntimeError("and round")
    error.__context__.__context__ = error
    redaction.redact_exception(error)
    assert str(error) == "round"


def test_log_records_of_any_logger_are_masked(logged):
    logger, output = logged
    redaction.register("lily-of-1901")
    logger.error("connecting with %s to %r", "lily-of-1901", {"password": "lily-of-1901"})
    assert output.getvalue() == "connecting with *** to {'password': '***'}\n"


def test_logged_tracebacks_are_masked(logged):
    logger, output = logged
    redaction.register("lily-of-1901")
    try:
        int("lily-of-1901")
    except ValueError:
        logger.exception("it failed")
    assert "ValueError: invalid literal for int() with base 10: '***'" in output.getvalue()
    assert "lily-of-1901" not in output.getvalue()


def test_records_without_secrets_stay_as_they_are(logged):
    logger, output = logged
    records = []
    logger.addFilter(lambda record: records.append((record.msg, record.args)) or True)
    logger.error("%d of %d", 1, 2)
    assert records == [("%d of %d", (1, 2))]
    assert output.getvalue() == "1 of 2\n"


def test_masking_logs_twice_masks_once(logged):
    factory = logging.getLogRecordFactory()
    redaction.redact_logs()
    assert logging.getLogRecordFactory() is factory
