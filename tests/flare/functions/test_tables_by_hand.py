"""Chains of functions that build, choose and turn columns, next to what plain Python makes of the same tables."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from dataos_dagster.depots.fitting import quoted
from dataos_dagster.flare.functions.registry import read_function
from tests.builders.tables_by_hand import Table, pivoted, random_call, random_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from dataos_dagster.engines.session import EngineSession

CHAINS = 12


def frame_of(table: Table, session: EngineSession) -> DataFrame:
    types = ", ".join(f"{quoted(name)} {kind}" for name, kind in zip(table.columns, table.types, strict=True))
    return session.spark.createDataFrame(list(table.rows), types)


def table_of(frame: DataFrame) -> Table:
    fields = frame.schema.fields
    rows = tuple(tuple(row) for row in frame.collect())
    return Table(tuple(field.name for field in fields), tuple(field.dataType.simpleString() for field in fields), rows)


def applied(frame: DataFrame, call: dict[str, object], session: EngineSession) -> DataFrame:
    parameters = {key: value for key, value in call.items() if key != "name"}
    return read_function(str(call["name"]), parameters).apply(frame, session.engine)


@pytest.mark.parametrize("seed", range(CHAINS))
def test_a_chain_of_functions_makes_what_python_makes(engine_session: EngineSession, seed: int):
    chance = random.Random(seed)
    table = random_table(chance)
    frame, calls = frame_of(table, engine_session), []
    for _ in range(6):
        call, table = random_call(table, chance)
        calls.append(call)
        frame = applied(frame, call, engine_session)
    made = table_of(frame)

    assert (made.schema, made.counted) == (table.schema, table.counted), calls


@pytest.mark.parametrize("seed", range(3))
def test_one_row_of_each_combination_is_one_of_the_rows(engine_session: EngineSession, seed: int):
    table = random_table(random.Random(100 + seed)).taken([0, 1, 2, 3])
    made = table_of(
        applied(
            frame_of(table, engine_session), {"name": "drop_duplicates", "columns": ["KIND", "city"]}, engine_session
        )
    )

    assert made.schema == table.schema
    assert made.counted <= table.counted
    assert made.taken([1, 3]).counted == dict.fromkeys(table.taken([1, 3]).counted, 1)


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_counted_by_group_and_value(engine_session: EngineSession, seed: int):
    table = random_table(random.Random(200 + seed))
    call = {
        "name": "pivot",
        "groupBy": ["kind"],
        "column": "city",
        "values": ["x", "z"],
        "aggregateExpression": "count(*)",
    }
    made = table_of(applied(frame_of(table, engine_session), call, engine_session))

    assert made.schema == ["kind int", "x bigint", "z bigint"]
    assert made.counted == Table((), (), tuple(pivoted(table, 1, 3, ["x", "z"]))).counted
