"""What the network pays: each Wh at its price from its account, and enough that nobody loses by being held back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Traded, traded_slots
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind
from transactive.settlement.flexibility import flexibility
from transactive.settlement.netted import deliver, post

COLUMN = st.lists(st.integers(0, 10_000), min_size=3, max_size=3).map(lambda column: np.array(column, np.int64))
PRICES = st.integers(0, 300_000)


@given(COLUMN, COLUMN, COLUMN, COLUMN, PRICES, PRICES)
def test_the_network_pays_each_wh_at_its_price_and_all_of_it_sums_to_zero(
    called, price, moved, cut, most, rate
) -> None:
    accounts = Accounts(3)
    postings = flexibility(0, called, price, moved, most, cut, rate, accounts)
    net = postings.net_n(accounts.total)
    assert net[:3].tolist() == (called * price + moved * most + cut * rate).tolist()
    assert net.sum() == 0 == net[accounts.network] + net[:3].sum()
    assert (postings.amount_n == postings.energy_wh * postings.price).all()
    assert (postings.amount_n > 0).all()
    held = postings.energy_wh[postings.kind == PostingKind.CURTAILMENT]
    assert held.sum() == (cut.sum() if rate else 0)


@given(traded_slots(), st.integers(0, 6), st.integers(1, 5_000))
def test_supply_less_fee_is_enough_for_whoever_is_held_back(slot: Traded, number: int, cut_wh: int) -> None:
    """A Wh less costs no more than supply − fee, whatever the member and all others sold and delivered.

    More shortage never has less of it met inside, so each further Wh costs at most what the supplier takes for it.
    """
    exporters = np.flatnonzero(slot.readings.import_wh == 0)
    if not len(exporters):
        return
    member = int(exporters[number % len(exporters)])
    with_it = slot.readings.export_wh.copy()
    with_it[member] += cut_wh
    nets = [
        post(deliver(slot.positions, readings), slot.positions, slot.tariff, slot.accounts).net_n(slot.accounts.total)
        for readings in (slot.readings, replace(slot.readings, export_wh=with_it))
    ]
    assert int(nets[0][member]) + max(slot.tariff.grid_cost, 0) * cut_wh >= int(nets[1][member])
