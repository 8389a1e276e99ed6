"""A write that is interrupted: the engine has stopped before anybody else may write."""

from __future__ import annotations

import pytest

from dataos_dagster.depots.locks import Holder, writing
from dataos_dagster.engines.session import SessionConfiguration, Sessions
from dataos_dagster.settings import Settings


class Cancelled(BaseException):
    """What an orchestrator raises in a step that it cancels."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Cancelled])
def test_the_engine_is_stopped_while_the_lock_is_still_held(tmp_path, interrupt):
    file, held = tmp_path / ".orders.lock", []
    me = Holder.this_process("ann", None, None)
    with (
        pytest.raises(interrupt),
        writing(file, me, seconds=0, what="orders", stop=lambda: held.append(file.read_text())),
    ):
        raise interrupt
    [content] = held
    assert Holder.parse(content) == me
    assert file.read_text() == ""


def test_what_an_engine_reports_leaves_it_running(tmp_path):
    stopped = []
    with (
        pytest.raises(ValueError, match="reported"),
        writing(
            tmp_path / ".orders.lock",
            Holder.this_process("ann", None, None),
            seconds=0,
            what="orders",
            stop=lambda: stopped.append(True),
        ),
    ):
        raise ValueError("reported")
    assert stopped == []


def test_a_lock_whose_engine_could_not_be_stopped_names_it_to_the_next_writer(tmp_path):
    file, me = tmp_path / ".orders.lock", Holder.this_process("ann", None, "run-1")

    def interrupted_again():
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        writing(file, me, seconds=0, what="orders", stop=interrupted_again),
    ):
        raise Cancelled
    assert Holder.parse(file.read_text()) == me


def test_stopping_the_work_ends_our_engine_and_the_next_session_is_a_new_one(tmp_path):
    with Sessions(Settings(project=tmp_path)) as sessions:
        configuration = SessionConfiguration("sail")
        session = sessions.get(configuration)
        with pytest.raises(KeyboardInterrupt), session.stopped_on_interrupt():
            raise KeyboardInterrupt
        assert not session.process.is_running()
        assert sessions.get(configuration).spark.range(2).count() == 2
