"""No period debits a member more than it allowed, whatever is traded and metered."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_settlement_ledger import PLENTY, meters
from tests.strategies import positions_of, priced, tariffs, trades
from transactive.core.accounts import Accounts
from transactive.settlement.funds import advance
from transactive.settlement.ledger import DEBIT, Ledger
from transactive.settlement.netted import deliver, post
from transactive.trading.escrow import locked_after_clearing

HOUR, SLOTS_PER_PERIOD = 3600, 3
PERIOD = HOUR * SLOTS_PER_PERIOD


@given(st.data())
def test_no_period_debits_a_member_beyond_its_limit(data):
    members = data.draw(st.integers(1, 4))
    accounts, tariff = Accounts(members), data.draw(tariffs())
    most_wh = data.draw(st.sampled_from((3, 2_000)))
    ledger = Ledger(accounts, PERIOD)
    ledger.deposit(np.full(accounts.on_chain, PLENTY, np.int64))
    limits = {
        period: np.array([data.draw(st.sampled_from((0, 10**6, 10**9, 2**62))) for _ in range(members)], np.int64)
        for period in range(4)
    }
    open_slots = []
    for number in range(data.draw(st.integers(1, 8))):
        slot = HOUR * number
        ledger.limit(slot, limits[slot // PERIOD])
        bought, sold = data.draw(trades(members, most_wh))
        positions = data.draw(priced(slot, tariff, bought, sold))
        locks = locked_after_clearing(positions, tariff)
        if (locks > ledger.free_n(slot)).any():
            positions, locks = positions_of(slot, 0, [0] * members, [0] * members), np.zeros(members, np.int64)
        ledger.lock(slot, locks)
        open_slots.append(positions)
        if data.draw(st.booleans()) and len(open_slots) < 2:
            continue
        positions = open_slots.pop(0)
        delivery = deliver(positions, data.draw(meters(positions, most_wh)))
        postings = post(delivery, positions, tariff, accounts)
        ledger.unlock(positions.slot)
        funds = ledger.funds_n(positions.slot)
        ledger.enter(
            positions.slot // PERIOD, positions, postings.and_then(advance(postings, delivery, tariff, funds, accounts))
        )
        for period, totals in ledger.periods.items():
            assert (totals.money[:members, DEBIT] <= limits[period]).all()
    assert set(ledger.limits_n) == {positions.slot for positions in open_slots}
