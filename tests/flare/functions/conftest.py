"""A function applied on both engines to many values at once, next to what plain Python makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataos_dagster.flare.functions.registry import read_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataos_dagster.engines.session import EngineSession


@pytest.fixture
def column_of(engine_session: EngineSession) -> Callable[..., list[Any]]:
    """Return a column of the result for rows given as a mapping of column to values, in their order."""

    def run(values: dict[str, Sequence[Any]], types: str, function: dict[str, Any], column: str) -> list[Any]:
        rows = [(number, *row) for number, row in enumerate(zip(*values.values(), strict=True))]
        frame = engine_session.spark.createDataFrame(rows, f"row_number int, {types}")
        parameters = {key: value for key, value in function.items() if key != "name"}
        frame = read_function(function["name"], parameters).apply(frame, engine_session.engine)
        return [row[0] for row in frame.orderBy("row_number").select(column).collect()]

    return run
