"""What is guessed of a name that is not there."""

from __future__ import annotations

import pytest

from dataos_dagster.depots.contents import nearest


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("shop.ordres", "did you mean shop.orders?"),
        ("shp.orders", "did you mean shop.orders?"),
        ("shop.nix", "look"),
        ("shop.a", "look"),
        ("orders", "look"),
        ("dataos://lakehouse:shop/ordrs", "did you mean dataos://lakehouse:shop/orders?"),
    ],
)
def test_only_a_name_that_is_alike_on_each_level_is_guessed(wanted, hint):
    assert nearest(wanted, ["shop.orders", "shop.u_env", "shop.b", "dataos://lakehouse:shop/orders"], "look") == hint
