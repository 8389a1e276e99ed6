"""The listener that the engine hands its micro-batches to, without an engine."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from dataos_dagster.flare.streaming.batches import BatchListener


class Written:
    """Notes the batches it is to write."""

    def __init__(self):
        self.known = threading.Event()
        self.batches = []

    def write(self, view, batch):
        self.batches.append((view, batch))


def ask(listener, question):
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(10)
        channel.connect(listener.handover.path)
        channel.sendall(question)
        channel.shutdown(socket.SHUT_WR)
        return json.loads(channel.makefile().readline())


@pytest.mark.parametrize("torn", [b"", b'{"view": "x', b"\xff\n"])
def test_a_question_that_was_cut_off_writes_nothing_and_the_next_one_is_answered(torn):
    writer = Written()
    with BatchListener(writer) as listener:
        assert ask(listener, torn) == "no batch was named"
        assert ask(listener, b'{"view": "v", "batch": 7}\n') == "written"
    assert writer.batches == [("v", 7)]
    assert listener.error is None
