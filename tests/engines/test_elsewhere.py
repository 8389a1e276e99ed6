"""Work on a server that is not ours is found by other processes, and ended."""

from __future__ import annotations

import threading

import pytest

from dataos_dagster.engines.elsewhere import WorkElsewhere
from dataos_dagster.engines.session import SessionConfiguration, Sessions
from dataos_dagster.errors import DataOSError, EngineUnavailable
from dataos_dagster.settings import ConnectSettings, EngineSettings, Settings

ENDLESS = "SELECT count(*) FROM range(4000000000) a JOIN range(3000) b ON a.id % 7 = b.id % 5"


@pytest.fixture
def cluster(engine_session) -> ConnectSettings:
    """Return the settings by which the tests' engine is somebody else's."""
    return ConnectSettings(url=engine_session.endpoint.url, token=engine_session.endpoint.token)


def test_an_engine_of_ours_ends_with_us_and_has_no_work_elsewhere(sail_session):
    assert sail_session.elsewhere is None


def test_what_a_session_runs_is_ended_by_who_knows_its_number(cluster, tmp_path):
    settings = Settings(project=tmp_path, engines=EngineSettings(connect=cluster))
    with Sessions(settings) as sessions:
        session = sessions.get(SessionConfiguration("connect"))
        raised: list[DataOSError] = []

        def run() -> None:
            try:
                with session.failures():
                    session.spark.sql(ENDLESS).collect()
            except DataOSError as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(2)
        assert thread.is_alive()
        work = session.elsewhere
        assert work.server in cluster.url
        work.interrupt(cluster)
        thread.join(30)
        assert not thread.is_alive()
        assert raised
        assert session.spark.range(3).count() == 3
        work.end(cluster)
        work.end(cluster)  # the server has forgotten it by now


def test_work_on_a_server_that_is_gone_is_none_any_more():
    WorkElsewhere("127.0.0.1:1", "ann", "3b1f8f2e-7d67-4c57-8c5e-1d1d6f3d6a11").end(
        ConnectSettings(url="sc://127.0.0.1:1")
    )


def test_work_on_a_server_that_is_not_named_any_more_is_not_taken_for_ended():
    work = WorkElsewhere("elsewhere:15002", "ann", "3b1f8f2e-7d67-4c57-8c5e-1d1d6f3d6a11")
    with pytest.raises(EngineUnavailable, match="left work on elsewhere:15002") as refused:
        work.end(ConnectSettings(url="sc://other:15002/;use_ssl=true"))
    assert "name sc://elsewhere:15002 once more" in refused.value.hint
    with pytest.raises(EngineUnavailable, match="names no server"):
        work.end(ConnectSettings())
