"""The demo's first day on a node that is not ours: the same books and the same gas as on the embedded chain."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.contract.anvil import anvil
from transactive.chain.deployments.deployment import FILE, load
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.chain.packing import decode_balances, words_for
from transactive.core.errors import StateError
from transactive.core.slots import parse_time
from transactive.engine.chain_location import ChainLocation
from transactive.engine.replay import Outcome, replay, slots_of

START = "2017-06-05T00:00Z"


class Stopped(Exception):
    """In place of a kill."""


def balances_n(url, folder) -> list[int]:
    """Settled balances as the contract has them."""
    deployment = load(folder / FILE)
    with closing(ChainClient.open(url)) as client:
        settlement = client.contract("settlement", deployment.address("settlement"))
        words = [client.read(settlement, "balances", j) for j in range(words_for(len(deployment.accounts)))]
    return decode_balances(words)[: len(deployment.accounts)]


@pytest.mark.service
def test_the_first_day_is_the_same_also_after_an_interruption(demo_setting, tmp_path):
    slots = slots_of(demo_setting, parse_time(START), 1)
    here, there = tmp_path / "here", tmp_path / "there"
    embedded, _ = replay(demo_setting, slots, here, seed="transactive")

    def stop_in_the_middle(record) -> None:
        if record.readings.slot == slots[11]:
            raise Stopped

    with anvil("--no-mining") as url:
        with pytest.raises(Stopped):
            replay(
                demo_setting, slots, there, seed="transactive", target=ChainLocation(url), after_slot=stop_in_the_middle
            )
        with pytest.raises(StateError, match="was made with node = http"):
            replay(demo_setting, slots, there, seed="transactive")
        outcome, _ = replay(demo_setting, slots, there, seed="transactive", target=ChainLocation(url))
        assert balances_n(url, there) == balances_n(f"embedded:{here / CHAIN_FILE}", here)
    assert facts(outcome) == facts(embedded)
    assert outcome.summary.ledger_equals_chain


def facts(outcome: Outcome) -> dict[str, Any]:
    """All of an outcome that does not depend on the chain's name, its hashes and the clock."""
    plain: dict[str, Any] = msgspec.to_builtins(outcome)
    for name in ("seconds", "state_hash"):
        del plain["summary"][name]
    del plain["summary"]["chain"]["url"]
    return plain
