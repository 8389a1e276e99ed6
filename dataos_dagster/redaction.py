"""Keep secret values out of everything that is written: log records, messages of errors, stored texts.

The values that are known are kept once a process, because a log record or an exception does not say where it comes
from: whoever reads a secret registers it here, and whatever is about to leave the process is masked. Short values
(under 4 characters) are not masked: they would blot out half of every text and hide nothing.

A value is also found as it looks in a URL, in JSON, and in base64, which is how it travels.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

MASK = "***"
SHORTEST = 4
# A short word, such as the user name "shop", is masked as a word only: else "shopping" would read "***ping".
_WORD = 8


class Redactor:
    """The secret values that are known, and their replacement in texts. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, *values: SecretStr | str) -> None:
        """Remember values; from now on they are masked."""
        texts = [value if isinstance(value, str) else value.get_secret_value() for value in values]
        forms = {form for text in texts if len(text.strip()) >= SHORTEST for form in _forms(text.strip())}
        with self._lock:
            if forms <= self._forms:
                return
            self._forms |= forms
            # Longest first: a value that contains another one is masked as a whole.
            self._pattern = re.compile(
                "|".join(_expression(form) for form in sorted(self._forms, key=len, reverse=True))
            )

    def redact(self, text: str) -> str:
        """Return a text with every known value replaced by `***`."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text


def _forms(value: str) -> Iterable[str]:
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    if len(value) >= _WORD:
        yield base64.b64encode(value.encode()).decode()


def _expression(form: str) -> str:
    if len(form) < _WORD and form.isalnum():
        return rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
    return re.escape(form)


_REDACTOR = Redactor()
register = _REDACTOR.register
redact = _REDACTOR.redact


def redact_exception(error: BaseException) -> None:
    """Mask the texts inside an exception and all that it was raised from, before it leaves this process.

    Drivers put what they were given into their messages; this changes their arguments in place.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.args = tuple(redact(value) if isinstance(value, str) else value for value in current.args)
        current.__notes__ = [redact(note) for note in getattr(current, "__notes__", ())]
        waiting += [current.__cause__, current.__context__]


def redact_logs() -> None:
    """Mask known values in every log record of this process, tracebacks included; calling it again changes nothing.

    Records are masked as they are made. A filter on a logger would not do: it is not asked for the records of the
    loggers below it, and those of Dagster and of drivers have handlers of their own.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def make_redacted(*args: object, **kwargs: object) -> logging.LogRecord:
        return _redact_record(make(*args, **kwargs))

    make_redacted.redacts = True  # type: ignore[attr-defined]  # marks our own factory
    logging.setLogRecordFactory(make_redacted)


def _redact_record(record: logging.LogRecord) -> logging.LogRecord:
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):
        return record  # the arguments do not fit the message: logging itself reports that
    masked = redact(said)
    if masked != said:
        record.msg, record.args = masked, ()
    if record.exc_info and record.exc_info[0] is not None:
        # Formatters take the text that is there already instead of formatting the exception.
        formatted = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        masked = redact(formatted)
        if masked != formatted:
            record.exc_text = masked
    return record
