"""Each kept fault compiles, and the tests that are named beside it fail with it: they can."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import (
    market_world,
    test_deal_attacks,
    test_forecast_pool,
    test_governor,
    test_group_attacks,
    test_prediction_market,
)
from tests.contract import test_attacks as attacks
from tests.contract.certificate_world import CertificateWorld
from tests.contract.deal_world import DealWorld
from tests.contract.governed_world import AT_ONCE, GovernedWorld
from tests.contract.group_world import GroupWorld
from tests.contract.predicting_world import PredictingWorld
from tests.contract.world import World
from tests.fuzz.mutant import apply, mutant, names
from transactive.chain import artifact as shipped
from transactive.chain import releases
from transactive.chain.nodes import client
from transactive.core.errors import ContractRevert

ATTACKS = (
    attacks, test_deal_attacks, test_group_attacks, test_governor, test_prediction_market, test_forecast_pool,
)  # fmt: skip
WORLDS: dict[str, Callable[[], Any]] = {
    "w": lambda: World(8, 1_000),
    "kept": lambda: World(8, 1_000, registry=True),
    "cw": lambda: CertificateWorld(direct=False),
    "dw": lambda: DealWorld(8, 10**9),
    "gw": GroupWorld,
    "gov": GovernedWorld,
    "quick": lambda: GovernedWorld(AT_ONCE),
    "pw": PredictingWorld,
    "direct": lambda: CertificateWorld(direct=True),
}


@pytest.fixture
def _markets_made_anew():
    """Markets are kept between tests: one with a fault must not be met by another test."""
    market_world._world.cache_clear()
    yield
    market_world._world.cache_clear()


@pytest.mark.parametrize("name", names())
def test_a_fault_fits_the_sources_of_today(name, tmp_path):
    assert all(any(hasattr(module, test) for module in ATTACKS) for test in apply(name, tmp_path))


@pytest.mark.long
@pytest.mark.parametrize("name", names())
@pytest.mark.usefixtures("_markets_made_anew")
def test_a_fault_that_is_put_back_is_seen(name, tmp_path, monkeypatch):
    fault = mutant(name, tmp_path)
    assert fault.made
    for module in (client, releases):
        monkeypatch.setattr(module, "artifact", lambda one: fault.made.get(one) or shipped.artifact(one))
    for test in fault.seen_by:
        attack = next(getattr(module, test) for module in ATTACKS if hasattr(module, test))
        cases = {mark.args[0]: mark.args[1][0] for mark in getattr(attack, "pytestmark", [])}
        worlds = {world: WORLDS[world]() for world in inspect.signature(attack).parameters if world not in cases}
        for world in worlds.values():
            world.begin()
            world.now = max(world.now, world.client.head_timestamp + 1)
        with pytest.raises((AssertionError, ContractRevert, pytest.fail.Exception)):
            attack(**worlds, **cases)
