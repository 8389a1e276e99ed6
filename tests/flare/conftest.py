"""Fixtures of Flare's tests: functions applied on both engines, and jobs run in a project of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dataos_dagster.flare.functions.registry import read_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession


@pytest.fixture
def rows_of(engine_session: EngineSession) -> Callable[..., tuple[list[str], list[tuple[object, ...]]]]:
    """Return columns with types, and rows, of a query after functions."""

    def run(sql: str, *functions: dict[str, object]) -> tuple[list[str], list[tuple[object, ...]]]:
        frame: DataFrame = engine_session.spark.sql(sql)
        for entry in functions:
            parameters = {key: value for key, value in entry.items() if key != "name"}
            frame = read_function(str(entry["name"]), parameters).apply(frame, engine_session.engine)
        columns = [f"{field.name} {field.dataType.simpleString()}" for field in frame.schema.fields]
        return columns, [tuple(row) for row in frame.collect()]

    return run
