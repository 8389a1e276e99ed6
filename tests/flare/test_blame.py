"""An engine's failure during a write is told at the step that makes the rows, with what the store says of its rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dataos_dagster.errors import StatementFailed, StepError, WriteFailed
from dataos_dagster.flare.writing import blamed

STEP = SimpleNamespace(name="made", label='steps[0] "made"', sql="SELECT 1", location=None)
OUTPUT = SimpleNamespace(label='outputs[0] "made"', dataset="dataos://shop:public/orders", location=None)


@pytest.mark.parametrize(
    ("store", "hint"),
    [
        ("a part of the rows may be there", "a part of the rows may be there"),
        (None, "nothing was written to dataos://shop:public/orders"),
    ],
)
def test_what_the_store_says_of_its_rows_is_kept(store, hint):
    failure = WriteFailed("orders was not written: division by zero", hint=store)
    failure.__cause__ = StatementFailed("division by zero")
    with pytest.raises(StepError) as failed, blamed(SimpleNamespace(steps=[STEP]), OUTPUT, "made"):
        raise failure
    assert failed.value.message == 'outputs[0] "made": orders was not written: division by zero'
    assert failed.value.hint == hint
    assert failed.value.step == STEP.label
