"""What published manifests call a secret is masked while they are read, and not in the tests of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dataos_dagster import redaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _forget_published_secrets() -> Iterator[None]:
    """Forget the values that a test has made known: some pages write `password: password`."""
    known = redaction._REDACTOR  # a process never forgets a secret, but for this
    forms, pattern = set(known._forms), known._pattern
    yield
    known._forms, known._pattern = forms, pattern
