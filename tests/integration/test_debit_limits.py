"""Limits that members set on chain hold in a run: read at the gate, kept with the slot, and used from there on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from tests.contract.anvil import anvil
from tests.integration.samples import write_community
from transactive.chain.deployments.deployment import FILE, load
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.config.setting import load_setting
from transactive.core.community.limits import NO_MOST, DebitLimits
from transactive.core.slots import MarketClock
from transactive.engine.books.debit_limits import LimitsAtGates
from transactive.engine.books.state_keeper import NothingKept
from transactive.engine.chain_location import ChainLocation
from transactive.engine.replay import replay, slots_from
from transactive.store import Store
from transactive.store.schema import LIMITS

KEYS, WHO, MOST_N, LOWER_N = DemoKeys("transactive"), 1, 20_000_000, 7_000_000
PERIOD = 4
"""Slots a period."""


class Killed(Exception):
    """In place of a kill."""


def set_limit(client: ChainClient, folder: Path, amount_n: int) -> int:
    """Let the member set its limit; gives the period from which it holds."""
    settlement = client.contract("settlement", load(folder / FILE).address("settlement"))
    client.send(KEYS.account(WHO), settlement, "setLimit", amount_n)
    client.block(client.head_timestamp + 1)
    return int(client.read(settlement, "limits", WHO)[2])


@pytest.mark.service
def test_a_run_debits_nobody_beyond_its_limit_also_after_an_interruption(tmp_path):
    path = write_community(tmp_path)
    path.write_text(path.read_text().replace("slot_minutes = 60", f"slot_minutes = 60\nslots_per_period = {PERIOD}"))
    setting, folder = load_setting(path), tmp_path / "state"
    slots = slots_from(setting)[: 4 * PERIOD]
    clock, begins = setting.community.clock, list[int]()
    debits: dict[int, int] = {}

    def seen(book) -> None:
        slot = book.readings.slot
        paid = -int(book.postings.net_n(setting.community.chart.total)[WHO])
        debits[slot] = max(paid, 0)
        if slot == slots[1]:
            begins.append(set_limit(client, folder, MOST_N))
        if slot == slots[9]:
            begins.append(set_limit(client, folder, LOWER_N))  # too late for the period that runs
            raise Killed

    with anvil("--no-mining") as url, closing(ChainClient.open(url)) as client:
        with pytest.raises(Killed):
            replay(setting, slots, folder, seed="transactive", target=ChainLocation(url), after_slot=seen)
        outcome, _ = replay(setting, slots, folder, seed="transactive", target=ChainLocation(url), after_slot=seen)
    assert outcome.summary.ledger_equals_chain
    by_period = {
        period: sum(paid for slot, paid in debits.items() if clock.period(slot) == period)
        for period in {clock.period(slot) for slot in slots}
    }
    first, second = begins
    assert max(paid for period, paid in by_period.items() if period < first) > MOST_N  # it would have been more
    limits = {period: MOST_N if period < second else LOWER_N for period in by_period if period >= first}
    assert limits
    assert set(limits.values()) == {MOST_N, LOWER_N}
    assert all(by_period[period] <= most for period, most in limits.items())
    with closing(Store(folder)) as store:
        blocks = [
            row["block"]
            for row in store.rows(sa.select(LIMITS.c.block).where(LIMITS.c.member < 0).order_by(LIMITS.c.slot))
        ]
        assert blocks == sorted(blocks)
        assert len(blocks) == len(slots)
        for slot in slots:
            kept = store.limits(slot, setting.community.chart.members)
            assert kept is not None
            expected = np.full(setting.community.chart.members, NO_MOST)
            expected[WHO] = limits.get(clock.period(slot), NO_MOST)
            assert kept.most_n.tolist() == expected.tolist()


def test_a_gate_that_was_passed_keeps_its_limits():
    """Whatever the chain says later: of the session before, and of the run before an interruption."""

    class Said:
        block = 7

        def newest(self, _period: int) -> DebitLimits:
            self.block += 1
            return DebitLimits(self.block, np.array([self.block]))

    class Kept(NothingKept):
        def limits(self, _: int) -> DebitLimits | None:
            return DebitLimits(3, np.array([5])) if _ == 3600 else None

    chain: Any = Said()
    limits = LimitsAtGates(chain, Kept(), MarketClock(3600, 3600, 24))
    read = [limits.at_gate(slot) for slot in (3600, 7200, 7200, 10_800)]
    assert [one.block for one in read if one] == [3, 8, 8, 9]
    limits.delivered(7200)
    assert set(limits.known) == {3600, 10_800}
    assert LimitsAtGates(None, NothingKept(), MarketClock(3600, 3600, 24)).at_gate(3600) is None
