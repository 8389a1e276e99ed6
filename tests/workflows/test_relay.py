"""Who stands between a job and its listener passes everything on."""

from __future__ import annotations

import inspect

import pytest

from dataos_dagster.workflows.relay import Progress
from dataos_dagster.workflows.results import Reporter

EVENTS = [name for name, _ in inspect.getmembers(Reporter, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_reaches_the_listener(event):
    heard = []

    class Listener(Reporter):
        def __getattribute__(self, name):
            return (lambda *told: heard.append((name, told))) if name in EVENTS else super().__getattribute__(name)

    told = tuple(f"value {number}" for number in range(len(inspect.signature(getattr(Reporter, event)).parameters) - 1))
    relay = super(Progress, Progress(Listener()))  # what keeps something itself has tests of its own
    getattr(relay, event)(*told)
    assert heard == [(event, told)]
